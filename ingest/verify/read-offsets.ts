/** Reads where the rows of a Parquet object came from: source partition and record offset, nothing else. */
import { type RecordBatch, Type, tableFromIPC, type Vector } from 'apache-arrow'
import { FloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { openRangedParquet } from '../../table/parquet/ranged-file.ts'

const batchRowCount = 65_536

/** Valid until the next batch is asked for. */
export interface OffsetBatch {
  readonly count: number
  readonly partitions: Int32Array
  /** The int64 offsets as little-endian pairs of 32-bit words. */
  readonly offsetWords: Int32Array
}

/**
 * columnPrefix  `floe.` for data files, empty for dead letter files
 * errors        corrupt: the object is missing, truncated, not Parquet, or lacks the columns
 */
export async function* readOffsets(
  store: ObjectStore,
  key: string,
  fileBytes: number,
  columnPrefix: string,
): AsyncGenerator<OffsetBatch> {
  const file = await openRangedParquet(store, key, fileBytes)
  try {
    const stream = await file.stream({
      columns: [`${columnPrefix}partition`, `${columnPrefix}offset`],
      batchSize: batchRowCount,
    })
    for await (const wasmBatch of stream) {
      for (const batch of tableFromIPC(wasmBatch.intoIPCStream()).batches) {
        yield {
          count: batch.numRows,
          partitions: intValues(findColumn(batch, `${columnPrefix}partition`, key), Type.Int, key),
          offsetWords: intValues(findColumn(batch, `${columnPrefix}offset`, key), Type.Int, key),
        }
      }
    }
  } catch (error) {
    if (error instanceof FloeError) throw error
    throw new FloeError('corrupt', 'parquet-unreadable', `${key} cannot be read: damaged Parquet`, { key }, error)
  } finally {
    file.free()
  }
}

function findColumn(batch: RecordBatch, path: string, key: string): Vector {
  let vector: Vector | null = null
  for (const name of path.split('.')) {
    vector = vector === null ? batch.getChild(name) : vector.getChild(name)
    if (vector === null) throw new FloeError('corrupt', 'column-missing', `${key} has no column ${path}`, { key })
  }
  return vector as Vector
}

function intValues(vector: Vector, typeId: Type, key: string): Int32Array {
  const data = vector.data[0]
  if (data === undefined || data.typeId !== typeId || vector.data.length !== 1 || data.nullCount > 0) {
    throw new FloeError('corrupt', 'column-mistyped', `${key}: ${vector.type} is not what Floe writes`, { key })
  }
  const values: Int32Array | BigInt64Array = data.values
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength / 4)
}
