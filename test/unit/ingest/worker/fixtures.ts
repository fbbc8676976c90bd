/** Builders and record batches for the tests of this folder. */
import type {
  RecordFormat,
  TableFileBuilderConfig,
  TableFileBuilderOptions,
} from '../../../../ingest/worker/builder-types.ts'
import { tableFileBuilderDefaults } from '../../../../ingest/worker/builder-types.ts'
import { type BatchOptions, buildBatch, type RecordInput } from '../../../../kafka/records/build.ts'
import { provenanceField } from '../../../../table/provenance.ts'
import { type Field, type PartitionSpec, primitive } from '../../../../table/types.ts'

export const eventFields: readonly Field[] = [
  { id: 1, name: 'id', required: true, type: primitive('long') },
  { id: 2, name: 'kind', required: false, type: primitive('string') },
  { id: 3, name: 'ts', required: false, type: primitive('timestamptz') },
]
export const unpartitioned: PartitionSpec = { specId: 0, fields: [] }

export function makeConfig(
  options: Partial<TableFileBuilderOptions> = {},
  spec: PartitionSpec = unpartitioned,
  fields: readonly Field[] = eventFields,
  format: RecordFormat = { kind: 'json' },
): TableFileBuilderConfig {
  return {
    schema: { schemaId: 0, fields: [...fields, provenanceField] },
    spec,
    format,
    options: { ...tableFileBuilderDefaults, ...options },
  }
}

export const record = (value: unknown, extra: Partial<RecordInput> = {}): RecordInput => ({
  key: null,
  value: value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  timestampMs: 1_700_000_000_000n,
  ...extra,
})

export const events = (first: number, count: number): RecordInput[] =>
  Array.from({ length: count }, (_, index) => record({ id: first + index, kind: `k${(first + index) % 3}` }))

export const batch = (baseOffset: number, records: readonly RecordInput[], options: BatchOptions = {}): Uint8Array =>
  buildBatch(records, { ...options, baseOffset: BigInt(baseOffset) })

export const join = (...batches: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(batches))
