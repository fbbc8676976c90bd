/** Parquet files read back by others: hyparquet and DuckDB. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type Json } from '@duckdb/node-api'
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

function toBuffer(chunks: readonly Uint8Array[]): ArrayBuffer {
  return new Uint8Array(Buffer.concat(chunks)).buffer
}

export function readMetadata(chunks: readonly Uint8Array[]): FileMetaData {
  return parquetMetadata(toBuffer(chunks))
}

export async function readWithHyparquet(chunks: readonly Uint8Array[]): Promise<Record<string, unknown>[]> {
  return await parquetReadObjects({ file: toBuffer(chunks), compressors, utf8: false })
}

/** `query` names the file `$file`. */
export async function queryWithDuckdb(
  chunks: readonly Uint8Array[],
  query: string,
): Promise<readonly Record<string, Json>[]> {
  const folder = await mkdtemp(join(tmpdir(), 'floe-parquet-'))
  try {
    const path = join(folder, 'file.parquet')
    await writeFile(path, Buffer.concat(chunks))
    const connection = await (await DuckDBInstance.create()).connect()
    const result = await connection.runAndReadAll(query.replaceAll('$file', `'${path}'`))
    const rows = result.getRowObjectsJson()
    connection.closeSync()
    return rows
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
