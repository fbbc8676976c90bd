/** From a table as configured to what the catalog keeps and ingestion works by: columns complete, partition fields resolved. */
import type { TableConfig } from '../config/table-config.ts'
import { errorMessage, FloeError } from '../core/errors.ts'
import { partitionFieldIdBase, validateSpec } from '../table/partition.ts'
import { provenanceField } from '../table/provenance.ts'
import { findNodeByPath, validateSchema } from '../table/schema.ts'
import type { Field, PartitionField, PartitionSpec, Schema } from '../table/types.ts'
import { deriveSchema } from './decode/input-schema.ts'
import type { TableIngestConfig } from './table-config.ts'
import type { RecordFormat } from './worker/builder-types.ts'

/**
 * errors  invalid: the input schema cannot be understood, or a partition field names no suitable column; the message begins
 *         with the table's place in the file
 */
export function planTable(config: TableConfig): TableIngestConfig {
  const fields = [...readColumns(config), provenanceField]
  const schema: Schema = { schemaId: 0, fields }
  const spec = planSpec(config, schema)
  try {
    validateSchema(schema)
    validateSpec(spec, schema)
  } catch (error) {
    throw problem(config, errorMessage(error))
  }
  return {
    definition: {
      name: config.name,
      source: { clusterName: config.sourceClusterName, topic: config.sourceTopic },
      schema,
      spec,
      properties: {},
      settings: JSON.stringify({
        format: config.sourceFormat,
        wireFormat: config.wireFormat,
        compression: config.compression,
        deadLetterMode: config.dlqMode,
        onGap: config.onGap,
        freshnessMs: config.freshnessMs,
      }),
    },
    format: planFormat(config),
    codec: config.compression,
    deadLetterMode: config.dlqMode,
    onGap: config.onGap,
    startOffset: config.startOffset,
    freshnessMs: config.freshnessMs,
    fileBytesTarget: config.targetFileSizeBytes,
  }
}

function readColumns(config: TableConfig): readonly Field[] {
  if (config.fields !== undefined) return config.fields
  if (config.inputSchema === undefined) throw problem(config, 'the table has no columns')
  return deriveSchema(config.sourceFormat, config.inputSchema, config.message)
}

function planFormat(config: TableConfig): RecordFormat {
  const { sourceFormat, wireFormat: framing, inputSchema: schemaText, message: messageName } = config
  switch (sourceFormat) {
    case 'json':
      return { kind: 'json' }
    case 'avro':
      return { kind: 'avro', framing, schemaText }
    case 'protobuf':
      if (schemaText === undefined) throw problem(config, 'protobuf needs input_schema')
      return { kind: 'protobuf', framing, schemaText, messageName }
  }
}

function planSpec(config: TableConfig, schema: Schema): PartitionSpec {
  const fields = config.partitionBy.map(({ transform, column }, index): PartitionField => {
    const source = findNodeByPath(schema, column)
    if (source === undefined) throw problem(config, `partition_by names ${column}, which is not a column`)
    const name = column.replaceAll('.', '_')
    return {
      sourceId: source.id,
      fieldId: partitionFieldIdBase + index,
      name: transform === 'identity' ? name : `${name}_${transform}`,
      transform,
    }
  })
  return { specId: 0, fields }
}

function problem(config: TableConfig, message: string): FloeError {
  return new FloeError('invalid', 'table-config-invalid', `${config.place}: table ${config.name}: ${message}`)
}
