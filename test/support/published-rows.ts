/** What readers see of a table on a local directory store, as `partition/offset session n text` lines, sorted. */
import { readFile } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { icebergRead } from 'icebird'
import type { CatalogClient, Table } from '../../catalog/client.ts'
import { tableFolder } from '../../catalog/object-names.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { compareContents, readDeltaContents, readIcebergContents } from '../../table/validate/agreement.ts'
import type { TopicRecord } from './read-topic.ts'
import { isMisfit, parseValue } from './record-ledger.ts'

/** The same lines from the topic itself, without the records that do not fit. */
export function describeTopicRows(partitions: readonly (readonly TopicRecord[])[]): string[] {
  return partitions
    .flatMap((records, partition) =>
      records
        .filter(({ value }) => !isMisfit(value))
        .map(({ offset, value }) => {
          const { session, n, text } = parseValue(value)
          return describeRow(partition, offset, session, n, text)
        }),
    )
    .sort()
}

/** The records that rows were made of, by partition in offset order. */
export function rowsToRecords(lines: readonly string[], partitionCount: number): TopicRecord[][] {
  const partitions: TopicRecord[][] = Array.from({ length: partitionCount }, () => [])
  for (const line of lines) {
    const [, partition, offset, session, n, text] = /^(\d+)\/(\d+) (\S+) (\d+) (.*)$/.exec(line)!
    const value = JSON.stringify({ session, n: Number(n), text: JSON.parse(text!), weight: 0 })
    partitions[Number(partition)]!.push({ offset: BigInt(offset!), key: session!, value })
  }
  for (const records of partitions) records.sort((a, b) => Number(a.offset - b.offset))
  return partitions
}

function describeRow(partition: unknown, offset: unknown, session: unknown, n: unknown, text: unknown): string {
  return `${partition}/${offset} ${session} ${n} ${JSON.stringify(text)}`
}

export async function requirePublished(catalog: CatalogClient, name: string) {
  const table = await catalog.tableByName(name)
  if (table?.published === undefined) throw new Error(`table ${name} is not published`)
  return { table, published: table.published, folder: tableFolder(name, table.tableUuid) }
}

/** hyparquet over the files that the published version names; for stores of any kind. */
export async function readTableRows(catalog: CatalogClient, store: ObjectStore, name: string): Promise<string[]> {
  const { table, published, folder } = await requirePublished(catalog, name)
  const lines: string[] = []
  for (const path of await listFiles(catalog, table, published.fileSequence)) {
    const bytes = await store.get(`${folder}/${path}`)
    if (bytes === undefined) throw new Error(`${path} is missing`)
    const file = bytes.slice().buffer
    for (const row of await parquetReadObjects({ file, compressors })) lines.push(describeProvenanceRow(row))
  }
  return lines.sort()
}

/** DuckDB over the files that the published version names. */
export async function readRowsWithDuckDb(catalog: CatalogClient, store: ObjectStore, name: string): Promise<string[]> {
  const { table, published, folder } = await requirePublished(catalog, name)
  const files = await listFiles(catalog, table, published.fileSequence)
  const root = store.uri.replace('file://', '')
  const paths = files.map(file => `'${root}/${folder}/${file}'`)
  if (paths.length === 0) return []
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const reader = await connection.runAndReadAll(
      `select floe.partition, floe."offset", session, n, "text" from read_parquet([${paths.join(', ')}])`,
    )
    return reader
      .getRows()
      .map(([partition, offset, session, n, text]) => describeRow(partition, offset, session, n, text))
      .sort()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

async function listFiles(catalog: CatalogClient, table: Table, upTo: number): Promise<string[]> {
  const paths: string[] = []
  for (;;) {
    const page = await catalog.tableFiles(table.tableId, 0, upTo, paths.length, 1_000)
    paths.push(...page.map(file => file.path))
    if (page.length < 1_000) return paths
  }
}

interface ProvenanceRow {
  readonly floe: { readonly partition: number; readonly offset: bigint }
  readonly session: string
  readonly n: bigint
  readonly text: string
}

function describeProvenanceRow(row: unknown): string {
  const { floe, session, n, text } = row as ProvenanceRow
  return describeRow(floe.partition, floe.offset, session, n, text)
}

/** icebird from the published metadata file on. It fetches by URL, so files are handed to it as answers to its fetches. */
export async function readRowsWithIcebird(catalog: CatalogClient, store: ObjectStore, name: string): Promise<string[]> {
  const { published, folder } = await requirePublished(catalog, name)
  const networkFetch = globalThis.fetch
  globalThis.fetch = fetchFile
  try {
    const rows = (await icebergRead({
      tableUrl: `${store.uri}/${folder}`,
      metadataFileName: published.icebergMetadataPath.replace('metadata/', ''),
    })) as unknown[]
    return rows.map(describeProvenanceRow).sort()
  } finally {
    globalThis.fetch = networkFetch
  }
}

const fetchFile: typeof fetch = async (input, init) => {
  const url = String(input)
  const bytes = await readFile(new URL(url))
  const range = /^bytes=(\d+)-(\d*)$/.exec(new Headers(init?.headers).get('range') ?? '')
  if (range === null) return new Response(new Uint8Array(bytes), { headers: { 'content-length': `${bytes.length}` } })
  const start = Number(range[1])
  const end = range[2] === '' ? bytes.length : Number(range[2]) + 1
  return new Response(new Uint8Array(bytes.subarray(start, end)), { status: 206 })
}

/** What Iceberg, Delta and the catalog say of the published version, where they differ; and objects that are gone. */
export async function findDisagreements(catalog: CatalogClient, store: ObjectStore, name: string): Promise<string[]> {
  const { table, published, folder } = await requirePublished(catalog, name)
  const readObject = (path: string): Promise<Uint8Array | undefined> => store.get(`${folder}/${path}`)
  const iceberg = await readIcebergContents(readObject, published.icebergMetadataPath)
  const delta = await readDeltaContents(readObject, published.deltaVersion)
  const problems = compareContents(iceberg, delta)
  const hint = Buffer.from((await readObject('metadata/version-hint.text')) ?? []).toString()
  if (published.icebergMetadataPath !== `metadata/${hint}.metadata.json`) {
    problems.push(`the version hint says ${hint}, the catalog ${published.icebergMetadataPath}`)
  }
  const names = await listFiles(catalog, table, published.fileSequence)
  for (const path of names) if (!iceberg.files.has(path)) problems.push(`${path} is live in the catalog only`)
  if (names.length !== iceberg.files.size)
    problems.push(`the catalog has ${names.length} files, Iceberg ${iceberg.files.size}`)
  return problems
}

/** Live objects that the store does not have, or not whole: data files, dead letters, segments. */
export async function findMissingObjects(catalog: CatalogClient, store: ObjectStore): Promise<string[]> {
  const problems: string[] = []
  const check = async (key: string, bytes: number): Promise<void> => {
    const info = await store.head(key)
    if (info?.bytes !== bytes) problems.push(`${key} should have ${bytes} bytes and has ${info?.bytes ?? 'none'}`)
  }
  for (const table of await catalog.tables()) {
    const folder = tableFolder(table.definition.name, table.tableUuid)
    for (const file of await catalog.tableFiles(table.tableId, 0, table.fileSequence, 0, 10_000)) {
      await check(`${folder}/${file.path}`, file.fileBytes)
    }
    for (const file of await catalog.deadLetterFiles(table.tableId, 0, 10_000)) {
      await check(`${folder}/${file.path}`, file.fileBytes)
    }
  }
  for (const { topicId, partitionCount } of await catalog.topics()) {
    for (let partition = 0; partition < partitionCount; partition++) {
      const [state] = await catalog.partitionStates([{ topicId, partition }])
      for (let offset = state?.logStartOffset ?? 0n; offset < (state?.highWatermark ?? 0n); ) {
        const runs = await catalog.findRuns(topicId, partition, offset, 1 << 30)
        if (runs.length === 0) {
          problems.push(`no run of ${topicId}/${partition} holds offset ${offset}`)
          break
        }
        for (const run of runs) await check(run.objectKey, run.objectBytes)
        offset = runs.at(-1)!.endOffset
      }
    }
  }
  return problems
}
