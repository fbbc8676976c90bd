/**
 * A table in memory for tests: real Parquet data files with exact statistics, published version by version in both formats,
 * every rendering validated. Files can be written to a directory for readers outside.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  Field as ArrowField,
  Schema as ArrowSchema,
  Table as ArrowTable,
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Map_,
  makeData,
  RecordBatch,
  Struct,
  TimestampMicrosecond,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { Compression, Table as WasmTable, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm'
import { shortenLower, shortenUpper } from '../../../table/bounds.ts'
import {
  isCheckpointDue,
  type LiveFile,
  renderDeltaCheckpoint,
  type Tombstone,
} from '../../../table/delta/checkpoint.ts'
import { type DeltaRendering, readDeltaRendering, renderDelta } from '../../../table/delta/render.ts'
import { type IcebergOptions, type IcebergRendering, renderIceberg } from '../../../table/iceberg/render.ts'
import { loadManifestsToRewrite, readIcebergRendering } from '../../../table/iceberg/rewrite.ts'
import { applyTransform, bindSpec } from '../../../table/partition.ts'
import type { PublishPlan, RenderedObject, SourceProgress, TableIdentity } from '../../../table/rendering.ts'
import { listLeaves } from '../../../table/schema.ts'
import { compareSingleValues, encodeSingleValue, isNaNValue, type PrimitiveValue } from '../../../table/single-value.ts'
import type {
  ColumnStatistics,
  DataFile,
  Field,
  FieldType,
  PartitionSpec,
  PrimitiveType,
  Schema,
} from '../../../table/types.ts'
import { compareContents, readDeltaContents, readIcebergContents } from '../../../table/validate/agreement.ts'
import { validateDelta } from '../../../table/validate/delta.ts'
import { validateIceberg } from '../../../table/validate/iceberg.ts'

export type Row = { readonly [column: string]: Value }
export type Value = PrimitiveValue | null | readonly Value[] | Row | ReadonlyMap<string, Value>

export class LakeTable {
  table: TableIdentity
  readonly objects = new Map<string, Uint8Array>()
  readonly live = new Map<string, LiveFile>()
  readonly tombstones: Tombstone[] = []
  iceberg: IcebergRendering | undefined
  delta: DeltaRendering | undefined
  version = -1
  timestampMs = 1_700_000_000_000
  offset = 0n
  readonly options: IcebergOptions
  #fileCount = 0

  constructor(table: TableIdentity, options: IcebergOptions = {}) {
    this.table = table
    this.options = options
  }

  readObject = async (path: string): Promise<Uint8Array | undefined> => this.objects.get(path)

  get schema(): Schema {
    return this.table.schemas.find(({ schemaId }) => schemaId === this.table.currentSchemaId)!
  }

  /** Writes one Parquet file; rows of a partitioned table must share their partition. */
  writeFile(rows: readonly Row[]): DataFile {
    const path = `data/${(this.#fileCount % 7).toString(16)}0/${String(++this.#fileCount).padStart(10, '0')}-1.parquet`
    const bytes = encodeRows(this.schema, rows)
    this.objects.set(path, bytes)
    return {
      path,
      partition: partitionOf(this.schema, this.table.spec, rows[0]!),
      recordCount: rows.length,
      fileBytes: bytes.length,
      splitOffsets: [4],
      columns: computeStatistics(this.schema, rows),
    }
  }

  async create(): Promise<void> {
    await this.publish('none', [], [])
  }
  async append(...files: DataFile[]): Promise<void> {
    await this.publish('append', files, [])
  }

  async publish(
    operation: PublishPlan['operation'],
    added: readonly DataFile[],
    removed: readonly DataFile[],
  ): Promise<void> {
    this.version++
    this.timestampMs += 1_000
    this.offset += BigInt(operation === 'append' ? added.reduce((total, file) => total + file.recordCount, 0) : 0)
    const progress: SourceProgress[] = this.version === 0 ? [] : [{ partition: 0, start: 0n, end: this.offset }]
    const plan: PublishPlan = {
      version: this.version,
      timestampMs: this.timestampMs,
      snapshotId: operation === 'none' ? undefined : 9_007_199_254_740_993_000n + BigInt(this.version) * 7_000_000_007n,
      operation,
      added,
      removed,
      progress,
    }
    const loaded = await loadManifestsToRewrite(this.table, plan, this.iceberg, this.readObject)
    const iceberg = renderIceberg(this.table, plan, this.iceberg, loaded, this.options)
    validateIceberg(this.table, plan, iceberg.objects, this.iceberg)
    const delta = renderDelta(this.table, plan, this.delta)
    validateDelta(this.table, plan, delta.objects, this.delta)
    this.#put(iceberg.objects)
    this.#put(delta.objects)
    // Nothing but the store goes from one version to the next.
    this.iceberg = await readIcebergRendering(this.readObject, iceberg.metadataPath)
    this.delta = await readDeltaRendering(this.readObject, this.version)
    for (const file of added) this.live.set(file.path, { file, addedMs: this.timestampMs })
    for (const file of removed) {
      this.live.delete(file.path)
      this.tombstones.push({ file, removedMs: this.timestampMs })
    }
    if (isCheckpointDue(this.version, this.live.size)) this.#put(await this.checkpoint())
  }

  checkpoint(): Promise<RenderedObject[]> {
    const { table, version, timestampMs } = this
    const liveFiles = pagesOf([...this.live.values()], 3)
    return renderDeltaCheckpoint({ table, version, timestampMs, liveFiles, tombstones: [this.tombstones] })
  }

  #put(objects: readonly RenderedObject[]): void {
    for (const { path, bytes, mode } of objects) {
      if (mode === 'create' && this.objects.has(path)) throw new Error(`${path} exists`)
      this.objects.set(path, bytes)
    }
  }

  /** Differences between the formats at the current version, and between them and what was published. */
  async disagreements(): Promise<string[]> {
    const iceberg = await readIcebergContents(this.readObject, this.iceberg!.metadataPath)
    const delta = await readDeltaContents(this.readObject, this.version)
    const files = new Map([...this.live.values()].map(({ file }) => [file.path, file.recordCount]))
    return [...compareContents(iceberg, delta), ...compareContents(iceberg, { ...iceberg, files })]
  }

  writeTo(directory: string): void {
    for (const [path, bytes] of this.objects) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), bytes)
    }
  }
}

function* pagesOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

export const tableOf = (name: string, schema: Schema, location: string, spec?: PartitionSpec): TableIdentity => ({
  uuid: '6f1c7f1a-33a5-4a6e-9d0c-0f3b8a7e5c21',
  name,
  location,
  createdMs: 1_700_000_000_000,
  schemas: [schema],
  currentSchemaId: schema.schemaId,
  spec: spec ?? { specId: 0, fields: [] },
  properties: {},
})

function partitionOf(schema: Schema, spec: PartitionSpec, row: Row): (Uint8Array | null)[] {
  return bindSpec(spec, schema).map(({ field, source, sourceType }) => {
    let value: Value = row
    for (const name of source.path.split('.')) value = value === null ? null : ((value as Row)[name] ?? null)
    const encoded = value === null ? null : encodeSingleValue(sourceType, value as PrimitiveValue)
    return applyTransform(field.transform, sourceType, encoded)
  })
}

/** The leaf values of the rows by column id, nulls for absent parents; empty lists and maps have none. */
export function collectLeafValues(schema: Schema, rows: readonly Row[]): Map<number, (PrimitiveValue | null)[]> {
  const values = new Map<number, (PrimitiveValue | null)[]>()
  for (const leaf of listLeaves(schema)) values.set(leaf.id, [])
  const visit = (id: number, type: FieldType, value: Value): void => {
    switch (type.kind) {
      case 'struct':
        for (const field of type.fields)
          visit(field.id, field.type, value === null ? null : ((value as Row)[field.name] ?? null))
        return
      case 'list':
        for (const element of (value ?? []) as readonly Value[]) visit(type.elementId, type.element, element)
        return
      case 'map':
        for (const [key, member] of (value ?? new Map()) as ReadonlyMap<string, Value>) {
          visit(type.keyId, type.key, key)
          visit(type.valueId, type.value, member)
        }
        return
      default:
        values.get(id)!.push(value as PrimitiveValue | null)
    }
  }
  for (const row of rows) for (const field of schema.fields) visit(field.id, field.type, row[field.name] ?? null)
  return values
}

export function computeStatistics(schema: Schema, rows: readonly Row[]): ColumnStatistics[] {
  const values = collectLeafValues(schema, rows)
  return listLeaves(schema).map(leaf => {
    const all = values.get(leaf.id)!
    const encoded = all.filter(value => value !== null).map(value => encodeSingleValue(leaf.type, value))
    const ordered = encoded.filter(value => !isNaNValue(leaf.type, value))
    ordered.sort((a, b) => compareSingleValues(leaf.type, a, b))
    const hasBounds = !leaf.insideRepeated && ordered.length > 0
    const lower = hasBounds ? shortenLower(leaf.type, ordered[0]!) : undefined
    const upper = hasBounds ? shortenUpper(leaf.type, ordered.at(-1)!) : undefined
    const floating = leaf.type.kind === 'primitive' && (leaf.type.name === 'float' || leaf.type.name === 'double')
    return {
      fieldId: leaf.id,
      columnBytes: 40,
      valueCount: all.length,
      nullCount: all.length - encoded.length,
      nanCount: floating ? encoded.length - ordered.length : undefined,
      lower,
      upper,
      lowerExact: lower === ordered[0],
      upperExact: upper === ordered.at(-1),
    }
  })
}

// Arrow: values are built in a storage type the builders take exactly, then given their real type.

const withId = (field: ArrowField, id: number): ArrowField =>
  field.clone({ metadata: new Map([['PARQUET:field_id', String(id)]]) })

function arrowFieldOf(name: string, id: number, type: FieldType, required: boolean, storage: boolean): ArrowField {
  return withId(new ArrowField(name, arrowTypeOf(type, storage), !required), id)
}

function arrowTypeOf(type: FieldType, storage: boolean): DataType {
  switch (type.kind) {
    case 'decimal':
      return new Decimal(type.scale, type.precision, 128)
    case 'struct':
      return new Struct(
        type.fields.map(field => arrowFieldOf(field.name, field.id, field.type, field.required, storage)),
      )
    case 'list':
      return new List(arrowFieldOf('element', type.elementId, type.element, type.elementRequired, storage))
    case 'map': {
      const entry = new Struct([
        arrowFieldOf('key', type.keyId, type.key, true, storage),
        arrowFieldOf('value', type.valueId, type.value, type.valueRequired, storage),
      ])
      const map = new Map_(new ArrowField('key_value', entry, false) as never)
      map.children[0] = new ArrowField('key_value', entry, false) as never
      return map
    }
    case 'primitive':
      switch (type.name) {
        case 'boolean':
          return new Bool()
        case 'int':
          return new Int32()
        case 'long':
          return new Int64()
        case 'float':
          return new Float32()
        case 'double':
          return new Float64()
        case 'date':
          return storage ? new Int32() : new DateDay()
        case 'timestamp':
          return storage ? new Int64() : new TimestampMicrosecond()
        case 'timestamptz':
          return storage ? new Int64() : new TimestampMicrosecond('UTC')
        case 'string':
          return new Utf8()
        case 'binary':
          return new Binary()
      }
  }
}

function toArrowValue(type: FieldType, value: Value): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'decimal': {
      const words = new Uint32Array(4)
      let rest = BigInt.asUintN(128, value as bigint)
      for (let at = 0; at < 4; at++, rest >>= 32n) words[at] = Number(rest & 0xffffffffn)
      return words
    }
    case 'struct':
      return Object.fromEntries(
        type.fields.map(field => [field.name, toArrowValue(field.type, (value as Row)[field.name] ?? null)]),
      )
    case 'list':
      return (value as readonly Value[]).map(element => toArrowValue(type.element, element))
    case 'map':
      return new Map(
        [...(value as ReadonlyMap<string, Value>)].map(([key, member]) => [key, toArrowValue(type.value, member)]),
      )
    default:
      return value
  }
}

function retype(data: Data, type: DataType): Data {
  const children = data.children.map((child, index) => retype(child, (type.children as ArrowField[])[index]!.type))
  return data.clone(type, data.offset, data.length, data.nullCount, data.buffers, children)
}

export function encodeRows(schema: Schema, rows: readonly Row[]): Uint8Array {
  const fieldOf = (field: Field, storage: boolean): ArrowField =>
    arrowFieldOf(field.name, field.id, field.type, field.required, storage)
  const fields = schema.fields.map(field => fieldOf(field, false))
  const children = schema.fields.map((field, index) => {
    const values = rows.map(row => toArrowValue(field.type, row[field.name] ?? null))
    return retype(vectorFromArray(values, fieldOf(field, true).type).data[0]!, fields[index]!.type)
  })
  const arrowSchema = new ArrowSchema(fields)
  const data = makeData({ type: new Struct(fields), length: rows.length, nullCount: 0, children })
  const ipc = tableToIPC(new ArrowTable(arrowSchema, [new RecordBatch(arrowSchema, data as Data<Struct>)]), 'stream')
  const properties = new WriterPropertiesBuilder().setCompression(Compression.ZSTD).build()
  return writeParquet(WasmTable.fromIPCStream(ipc), properties)
}

export const leafType = (type: FieldType): type is PrimitiveType => type.kind === 'primitive' || type.kind === 'decimal'
