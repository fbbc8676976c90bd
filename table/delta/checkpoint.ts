/**
 * Classic checkpoints: the state of the log at one version as Parquet, so that readers need not replay every commit.
 *
 *   _delta_log/<20 digits>.checkpoint.parquet    protocol, metaData, txn, live adds, unexpired removes; one row each
 *   _delta_log/_last_checkpoint                  hint, written last
 *
 * Files come in pages, so that memory is bounded by a page and the encoded file. A checkpoint may be written again for the same
 * version: any encoding of the same actions is right, hence mode `replace`. A damaged checkpoint can make a table unreadable,
 * so what was encoded is decoded again and compared before it is handed out.
 *
 * source  Delta protocol, "Checkpoints", "Last Checkpoint File"
 */
import { createHash, type Hash } from 'node:crypto'
import { ReadableStream } from 'node:stream/web'
import { makeData, RecordBatch, Schema, Struct, Table, tableFromIPC, tableToIPC, type Vector } from 'apache-arrow'
import {
  Compression,
  readParquet,
  transformParquetStream,
  Table as WasmTable,
  WriterPropertiesBuilder,
} from 'parquet-wasm'
import { FloeError } from '../../core/errors.ts'
import { printJson } from '../exact-json.ts'
import type { RenderedObject, TableIdentity } from '../rendering.ts'
import { requireSchema } from '../schema.ts'
import type { DataFile } from '../types.ts'
import { buildColumn, type StructRow } from './arrow-columns.ts'
import { checkpointFields } from './checkpoint-schema.ts'
import { buildAdd, buildDeltaTable, buildRemove, buildTxn } from './table-actions.ts'

/** Versions between checkpoints of a table with few files, as in Spark. */
export const checkpointIntervalMin = 10
export const checkpointIntervalMax = 100
/** A checkpoint names every live file: the interval grows with their number, so that its cost per version stays the same. */
export const checkpointFilesPerVersion = 1_000
/** Removed files stand in checkpoints this long, as in Spark. */
export const tombstoneRetentionMs = 7 * 24 * 3_600_000
const rowGroupRowsMax = 20_000

export const lastCheckpointPath = '_delta_log/_last_checkpoint'
export const buildCheckpointPath = (version: number): string =>
  `_delta_log/${String(version).padStart(20, '0')}.checkpoint.parquet`

export function isCheckpointDue(version: number, liveFileCount: number): boolean {
  const wanted = Math.ceil(liveFileCount / checkpointFilesPerVersion / 10) * 10
  const interval = Math.min(checkpointIntervalMax, Math.max(checkpointIntervalMin, wanted))
  return version > 0 && version % interval === 0
}

export interface LiveFile {
  readonly file: DataFile
  /** Timestamp of the version that added it. */
  readonly addedMs: number
}

export interface Tombstone {
  readonly file: DataFile
  /** Timestamp of the version that removed it. */
  readonly removedMs: number
}

type Pages<T> = AsyncIterable<readonly T[]> | Iterable<readonly T[]>

export interface CheckpointInput {
  readonly table: TableIdentity
  /** A published version, its schema being the table's current one. */
  readonly version: number
  readonly timestampMs: number
  /** Every file that is live at the version, once. Pages of about 1,000. */
  readonly liveFiles: Pages<LiveFile>
  readonly tombstones: Pages<Tombstone>
}

/** errors  internal: a path came twice, or decoding gives other actions than were encoded */
export async function renderDeltaCheckpoint(input: CheckpointInput): Promise<RenderedObject[]> {
  const tally = new Tally()
  const batches = encodeBatches(input, tally)
  // The encoder takes a failing input for its end and would finish a file with some of the actions.
  let failure: { readonly error: unknown } | undefined
  const stream = new ReadableStream({
    async pull(controller) {
      try {
        const next = await batches.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      } catch (error) {
        failure = { error }
        controller.close()
      }
    },
  })
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.SNAPPY)
    .setMaxRowGroupSize(rowGroupRowsMax)
    .setCreatedBy('floe')
    .build()
  const chunks: Uint8Array[] = []
  const encoded: AsyncIterable<Uint8Array> = await transformParquetStream(stream, properties)
  for await (const chunk of encoded) chunks.push(chunk)
  if (failure !== undefined) throw failure.error
  const bytes = new Uint8Array(Buffer.concat(chunks))
  verifyCheckpoint(bytes, tally)
  const hint = {
    version: input.version,
    size: tally.rowCount,
    sizeInBytes: bytes.length,
    numOfAddFiles: tally.addCount,
  }
  return [
    { path: buildCheckpointPath(input.version), bytes, mode: 'replace' },
    { path: lastCheckpointPath, bytes: new TextEncoder().encode(printJson(hint)), mode: 'replace' },
  ]
}

/** What went in: counts, and a hash over the adds in order. */
class Tally {
  rowCount = 0
  addCount = 0
  removeCount = 0
  readonly #paths = new Set<string>()
  readonly #hash: Hash = createHash('sha256')

  add(path: string, size: number, stats: string): void {
    if (this.#paths.has(path)) {
      throw new FloeError('internal', 'checkpoint-path-repeated', `${path} is live twice`, { path })
    }
    this.#paths.add(path)
    this.addCount++
    this.rowCount++
    hashAdd(this.#hash, path, size, stats)
  }
  remove(path: string): void {
    if (this.#paths.has(path)) {
      throw new FloeError('internal', 'checkpoint-path-repeated', `${path} is both live and removed`, { path })
    }
    this.removeCount++
    this.rowCount++
  }
  digest(): string {
    return this.#hash.digest('hex')
  }
}

const hashAdd = (hash: Hash, path: string, size: number, stats: string): void => {
  hash.update(`${path}\n${size}\n${stats}\n`)
}

async function* encodeBatches(input: CheckpointInput, tally: Tally): AsyncGenerator<unknown, void, undefined> {
  const { table, version, timestampMs } = input
  const delta = buildDeltaTable(table, requireSchema(table.schemas, table.currentSchemaId))
  const txn = buildTxn(table, version, timestampMs)
  tally.rowCount += 3
  yield* encodeRows([
    { protocol: { ...delta.protocol } },
    {
      metaData: {
        ...delta.metaData,
        format: { provider: delta.metaData.format.provider, options: new Map() },
        configuration: new Map(Object.entries(delta.metaData.configuration)),
        createdTime: BigInt(delta.metaData.createdTime),
      },
    },
    { txn: { appId: txn.appId, version: BigInt(txn.version), lastUpdated: BigInt(txn.lastUpdated) } },
  ])
  for await (const page of input.liveFiles) {
    yield* encodeRows(
      page.map(({ file, addedMs }) => {
        const add = buildAdd(delta, file, addedMs, false)
        tally.add(add.path, add.size, add.stats)
        return {
          add: {
            ...add,
            partitionValues: new Map(Object.entries(add.partitionValues)),
            size: BigInt(add.size),
            modificationTime: BigInt(add.modificationTime),
          },
        }
      }),
    )
  }
  for await (const page of input.tombstones) {
    const unexpired = page.filter(({ removedMs }) => removedMs > timestampMs - tombstoneRetentionMs)
    yield* encodeRows(
      unexpired.map(({ file, removedMs }) => {
        const remove = buildRemove(delta, file, removedMs)
        tally.remove(remove.path)
        return {
          remove: {
            ...remove,
            partitionValues: new Map(Object.entries(remove.partitionValues)),
            size: BigInt(remove.size),
            deletionTimestamp: BigInt(remove.deletionTimestamp),
          },
        }
      }),
    )
  }
}

const arrowSchema = new Schema([...checkpointFields])
const rowType = new Struct([...checkpointFields])

/** One page of actions as batches in the Parquet writer's memory, which takes them over. */
function* encodeRows(rows: readonly StructRow[]): Generator<unknown, void, undefined> {
  if (rows.length === 0) return
  const children = checkpointFields.map(field =>
    buildColumn(
      field.type,
      rows.map(row => row[field.name]),
    ),
  )
  const batch = new RecordBatch(arrowSchema, makeData({ type: rowType, length: rows.length, nullCount: 0, children }))
  yield* WasmTable.fromIPCStream(tableToIPC(new Table(arrowSchema, [batch]), 'stream')).recordBatches()
}

/** errors  internal: what was encoded reads back as something else */
function verifyCheckpoint(bytes: Uint8Array, tally: Tally): void {
  const table = tableFromIPC(readParquet(bytes).intoIPCStream())
  const count = (name: string): number => {
    const column = table.getChild(name)
    return column === null ? -1 : table.numRows - column.nullCount
  }
  const counts = ['protocol', 'metaData', 'txn', 'add', 'remove'].map(count)
  const expected = [1, 1, 1, tally.addCount, tally.removeCount]
  const hash = createHash('sha256')
  const add: Vector | null = table.getChild('add')
  const [path, size, stats] = ['path', 'size', 'stats'].map(name => add?.getChild(name))
  for (let row = 0; row < table.numRows; row++) {
    if (add?.isValid(row)) hashAdd(hash, String(path?.get(row)), Number(size?.get(row)), String(stats?.get(row)))
  }
  if (counts.join() === expected.join() && hash.digest('hex') === tally.digest()) return
  throw new FloeError(
    'internal',
    'checkpoint-differs',
    `the encoded checkpoint reads back with ${counts.join()} protocol, metaData, txn, add and remove actions or other files`,
    { expected: expected.join() },
  )
}
