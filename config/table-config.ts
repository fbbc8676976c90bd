/** What is true of a table only as a whole: which keys go together, what partition fields name, what the table is called. */
import { type FieldConfig, type FieldTypeConfig, type Report, readFields } from './field-types.ts'
import { provenanceColumnName } from './limits.ts'
import { suggestNearest } from './problems.ts'
import type { TableInput } from './table-options.ts'
import { quote } from './units.ts'

export interface PartitionFieldConfig {
  readonly transform: 'identity' | 'day' | 'hour'
  /** Path of names joined by dots, for example `created` or `floe.timestamp`. */
  readonly column: string
}

/** One topic that becomes one table, complete. */
export interface TableConfig {
  readonly name: string
  readonly sourceClusterName: string
  readonly sourceTopic: string
  readonly sourceFormat: 'json' | 'avro' | 'protobuf'
  readonly wireFormat: 'raw' | 'confluent'
  /** Undefined: derived from `inputSchema`. Without the provenance column. */
  readonly fields: readonly FieldConfig[] | undefined
  /** Schema of the record values in its own language. */
  readonly inputSchema: string | undefined
  readonly message: string | undefined
  /** Columns are checked here when `fields` are known, else when they are. */
  readonly partitionBy: readonly PartitionFieldConfig[]
  readonly compression: TableInput['compression']
  readonly dlqMode: TableInput['dlqMode']
  readonly onGap: TableInput['onGap']
  readonly startOffset: TableInput['startOffset']
  readonly freshnessMs: number
  readonly targetFileSizeBytes: number
  /** Where the table stands in the file, for later mistakes: `floe.yaml:12:5`. */
  readonly place: string
}

/** The table, or undefined after reporting every mistake. `path` is for example `tables[0]`. */
export function readTableConfig(
  input: TableInput,
  path: string,
  place: string,
  report: Report,
): TableConfig | undefined {
  let sound = true
  const fail: Report = (at, message) => {
    sound = false
    report(at, message)
  }
  const format = input.sourceFormat
  if (input.schema === undefined && input.inputSchema === undefined) {
    const where =
      format === 'protobuf' ? '`input_schema` with the .proto text' : '`schema` with `fields`, or `input_schema`'
    fail(path, `the table has no columns: give ${where}`)
  } else if (format === 'protobuf' && input.inputSchema === undefined) {
    fail(`${path}.schema`, 'protobuf needs `input_schema` with the .proto text: field numbers stand nowhere else')
  }
  if (format === 'json' && input.schema !== undefined && input.inputSchema !== undefined) {
    fail(`${path}.input_schema`, 'for json give either `schema` or `input_schema`, not both')
  }
  if (input.message !== undefined && format !== 'protobuf') {
    fail(`${path}.message`, `belongs to source_format protobuf, and this table has ${format}`)
  }
  const fields = input.schema === undefined ? undefined : readFields(input.schema.fields, `${path}.schema.fields`, fail)
  if (input.schema !== undefined && fields === undefined) sound = false

  const partitionBy: PartitionFieldConfig[] = []
  if (input.partitionBy !== undefined && input.partitioningScheme !== undefined) {
    fail(`${path}.partitioning_scheme`, 'is the short form of `partition_by`: keep one of the two')
  }
  if (input.partitioningScheme === 'hour' || input.partitioningScheme === 'day') {
    partitionBy.push({ transform: input.partitioningScheme, column: `${provenanceColumnName}.timestamp` })
  }
  for (const [index, written] of (input.partitionBy ?? []).entries()) {
    const at = `${path}.partition_by[${index}]`
    const parsed = parsePartitionField(written)
    if (typeof parsed === 'string') {
      fail(at, parsed)
      continue
    }
    const problem = fields === undefined ? undefined : checkPartitionColumn(parsed, fields)
    if (problem !== undefined) fail(at, problem)
    if (partitionBy.some(other => other.column === parsed.column && other.transform === parsed.transform)) {
      fail(at, 'stands here a second time')
    }
    partitionBy.push(parsed)
  }
  if (!sound) return undefined
  return {
    name: input.tableName ?? deriveTableName(input.sourceClusterName, input.sourceTopic),
    sourceClusterName: input.sourceClusterName,
    sourceTopic: input.sourceTopic,
    sourceFormat: format,
    wireFormat: input.wireFormat,
    fields,
    inputSchema: input.inputSchema,
    message: input.message,
    partitionBy,
    compression: input.compression,
    dlqMode: input.dlqMode,
    onGap: input.onGap,
    startOffset: input.startOffset,
    freshnessMs: input.freshnessMs,
    targetFileSizeBytes: input.targetFileSizeBytes,
    place,
  }
}

/** `<cluster>__<topic>`, other characters than letters, digits and `_` replaced by `_`. */
export function deriveTableName(clusterName: string, topic: string): string {
  return `${clusterName}__${topic}`.replaceAll(/[^A-Za-z0-9_]/g, '_')
}

/** The field, or a sentence that says what is wrong. */
function parsePartitionField(written: string): PartitionFieldConfig | string {
  const call = /^([A-Za-z_]+)\s*\(\s*([^()]*?)\s*\)$/.exec(written.trim())
  if (call === null) {
    if (/[()\s]/.test(written.trim()))
      return `must be \`day(column)\`, \`hour(column)\` or a column, not ${quote(written)}`
    return { transform: 'identity', column: written.trim() }
  }
  const [, name = '', column = ''] = call
  if (column === '') return `names no column: write \`${name}(column)\``
  if (name === 'day' || name === 'hour' || name === 'identity') return { transform: name, column }
  return `unknown transform ${quote(name)}${suggestNearest(name, ['day', 'hour', 'identity']) || ': use day, hour or a column by itself'}`
}

const identityTypes: readonly string[] = ['string', 'int', 'long', 'date', 'boolean']
const provenanceTypes: Readonly<Record<string, string>> = { partition: 'int', offset: 'long', timestamp: 'timestamptz' }

/** A sentence that says what is wrong, or undefined. */
function checkPartitionColumn(field: PartitionFieldConfig, fields: readonly FieldConfig[]): string | undefined {
  const typeName = findColumnType(field.column, fields)
  if (typeName === undefined) {
    return `there is no column \`${field.column}\`${suggestNearest(
      field.column,
      fields.map(each => each.name),
    )}`
  }
  if (field.transform === 'identity') {
    if (identityTypes.includes(typeName)) return undefined
    const hint = typeName.startsWith('timestamp') ? `: write day(${field.column}) or hour(${field.column})` : ''
    return `a column of type ${typeName} cannot be a partition field by itself${hint}`
  }
  if (typeName === 'timestamp' || typeName === 'timestamptz') return undefined
  if (typeName === 'date' && field.transform === 'day') return undefined
  return `${field.transform}() needs a timestamp, and \`${field.column}\` is ${typeName}`
}

function findColumnType(column: string, fields: readonly FieldConfig[]): string | undefined {
  const parts = column.split('.')
  if (parts[0] === provenanceColumnName && parts.length === 2) {
    const name = parts[1] ?? ''
    return Object.hasOwn(provenanceTypes, name) ? provenanceTypes[name] : undefined
  }
  let type: FieldTypeConfig = { kind: 'struct', fields }
  for (const part of parts) {
    if (type.kind !== 'struct') return undefined
    const found: FieldConfig | undefined = type.fields.find(each => each.name === part)
    if (found === undefined) return undefined
    type = found.type
  }
  return type.kind === 'primitive' ? type.name : type.kind
}
