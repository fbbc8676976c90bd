/**
 * Reads where the rows of a Parquet object came from: source partition and record offset, nothing else, a row group at a time.
 *
 * The object may be damaged in any way: nothing it says is allocated or believed beyond the row count that the catalog knows.
 */
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetRead, type RowGroup } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'

/** Valid until the next batch is asked for. */
export interface OffsetBatch {
  readonly count: number
  readonly partitions: Int32Array
  /** The int64 offsets as little-endian pairs of 32-bit words. */
  readonly offsetWords: Int32Array
}

/**
 * columnPrefix  `floe.` for data files, empty for dead letter files
 * recordCount   rows it should have; fewer are for the caller to notice
 * errors        corrupt: the object is missing, truncated, not Parquet, lacks the columns, or has more rows; what the store throws
 */
export async function* readOffsets(
  store: ObjectStore,
  key: string,
  fileBytes: number,
  columnPrefix: string,
  recordCount: number,
): AsyncGenerator<OffsetBatch> {
  try {
    const file = openRanges(store, key, fileBytes)
    const metadata = await parquetMetadataAsync(file)
    let rowCountLeft = recordCount
    for (const group of metadata.row_groups) {
      const count = Number(group.num_rows)
      if (count < 0 || count > rowCountLeft) {
        throw new FloeError('corrupt', 'rows-too-many', `${key} claims more than its ${recordCount} rows`, { key })
      }
      rowCountLeft -= count
      yield await readGroup(file, metadata, group, count, columnPrefix, key)
    }
  } catch (error) {
    if (error instanceof FloeError) throw error
    const message = `${key} cannot be read: damaged Parquet: ${errorMessage(error)}`
    throw new FloeError('corrupt', 'parquet-unreadable', message, { key }, error)
  }
}

function openRanges(store: ObjectStore, key: string, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      if (!(start >= 0 && start <= end && end <= byteLength)) {
        throw new FloeError('corrupt', 'range-outside', `${key} refers to bytes ${start} to ${end} of ${byteLength}`, {
          key,
        })
      }
      const bytes = await store.get(key, { start, end })
      if (bytes === undefined) throw new FloeError('corrupt', 'object-missing', `${key} does not exist`, { key })
      if (bytes.length !== end - start) {
        throw new FloeError('corrupt', 'object-truncated', `${key} ends before byte ${end}`, { key })
      }
      return new Uint8Array(bytes).buffer
    },
  }
}

async function readGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: RowGroup,
  count: number,
  columnPrefix: string,
  key: string,
): Promise<OffsetBatch> {
  const partitionPath = `${columnPrefix}partition`
  const offsetPath = `${columnPrefix}offset`
  const columns = [findColumn(group, partitionPath, 'INT32', key), findColumn(group, offsetPath, 'INT64', key)]
  const partitions = new Int32Array(count)
  const offsets = new BigInt64Array(count)
  let partitionsRead = 0
  let offsetsRead = 0
  await parquetRead({
    file,
    metadata: { ...metadata, num_rows: group.num_rows, row_groups: [{ ...group, columns }] },
    compressors,
    onPage({ pathInSchema, columnData }) {
      // Assigning checks each value: a null or anything but an integer of the column's size is thrown at.
      if (pathInSchema.join('.') === partitionPath) {
        for (const value of columnData) partitions[checkRoom(partitionsRead++, count)] = Number(BigInt(value))
      } else {
        for (const value of columnData) offsets[checkRoom(offsetsRead++, count)] = BigInt(value)
      }
    },
  })
  if (partitionsRead !== count || offsetsRead !== count) {
    const found = `${partitionsRead} partitions and ${offsetsRead} offsets`
    throw new FloeError('corrupt', 'rows-missing', `${key} has ${found} in a row group of ${count} rows`, { key })
  }
  return { count, partitions, offsetWords: new Int32Array(offsets.buffer) }
}

function checkRoom(index: number, count: number): number {
  if (index >= count) throw new RangeError('a column chunk has more values than its row group has rows')
  return index
}

function findColumn(group: RowGroup, path: string, type: 'INT32' | 'INT64', key: string): RowGroup['columns'][number] {
  const column = group.columns.find(({ meta_data: meta }) => meta?.path_in_schema.join('.') === path)
  if (column === undefined) {
    throw new FloeError('corrupt', 'column-missing', `${key} has no column ${path}`, { key })
  }
  if (column.meta_data?.type !== type) {
    const message = `${key}: column ${path} is ${column.meta_data?.type}, which is not what Floe writes`
    throw new FloeError('corrupt', 'column-mistyped', message, { key })
  }
  return column
}
