/**
 * Everything a catalog says about data, row by row, in an order in which each row is explained by those before it. What only serves
 * the catalog itself (client sessions, receipts, name grants, producer sequences) is left out: `inspect` counts it.
 */
import type { CatalogClient, Table, Topic } from '../client.ts'
import { tableFolder } from '../object-names.ts'

export type ExportedRow = { readonly kind: string } & Readonly<Record<string, unknown>>

const filesPerPage = 1_000
/** Runs are asked for by bytes of records; a page has 1,000 at most. */
const runBytesPerPage = Number.MAX_SAFE_INTEGER

/** Holds one page at a time. */
export async function* exportCatalog(catalog: CatalogClient): AsyncGenerator<ExportedRow> {
  yield { kind: 'cluster', clusterId: await catalog.clusterId() }
  for (const { instanceId, ...node } of await catalog.nodes()) {
    yield { kind: 'node', ...node, instanceId: Buffer.from(instanceId).toString('hex') }
  }
  for (const topic of await catalog.topics()) yield* exportTopic(catalog, topic)
  for (const group of await catalog.groups()) {
    for (const offset of await catalog.groupOffsets(group)) yield { kind: 'group-offset', group, ...offset }
  }
  for (const table of await catalog.tables()) yield* exportTable(catalog, table)
  yield* exportGarbage(catalog)
}

async function* exportTopic(catalog: CatalogClient, topic: Topic): AsyncGenerator<ExportedRow> {
  yield { kind: 'topic', ...topic }
  const { topicId, name, partitionCount } = topic
  for (let partition = 0; partition < partitionCount; partition++) {
    const [state] = await catalog.partitionStates([{ topicId, partition }])
    if (state === undefined) continue
    yield { kind: 'partition', topic: name, partition, ...state }
    for (let offset = state.logStartOffset; offset < state.highWatermark; ) {
      const runs = await catalog.findRuns(topicId, partition, offset, runBytesPerPage)
      if (runs.length === 0) break
      for (const run of runs) yield { kind: 'segment-run', topic: name, partition, ...run }
      offset = runs.at(-1)!.endOffset
    }
  }
}

async function* exportTable(catalog: CatalogClient, table: Table): AsyncGenerator<ExportedRow> {
  const { tableId, fileSequence } = table
  const { name } = table.definition
  const folder = tableFolder(name, table.tableUuid)
  yield { kind: 'table', ...table, folder }
  for (const account of await catalog.sourceCoverage(tableId))
    yield { kind: 'source-partition', table: name, ...account }
  for (const closed of await catalog.closedGenerations(tableId)) {
    yield { kind: 'closed-generation', table: name, ...closed }
  }
  for (let skip = 0; ; skip += filesPerPage) {
    const page = await catalog.tableFiles(tableId, 0, fileSequence, skip, filesPerPage)
    for (const file of page) yield { kind: 'data-file', table: name, ...file }
    if (page.length < filesPerPage) break
  }
  for (let skip = 0; ; skip += filesPerPage) {
    const page = await catalog.deadLetterFiles(tableId, skip, filesPerPage)
    for (const file of page) yield { kind: 'dead-letter-file', table: name, ...file }
    if (page.length < filesPerPage) break
  }
  for (const version of await catalog.publishedVersions(tableId)) yield { kind: 'version', table: name, ...version }
}

async function* exportGarbage(catalog: CatalogClient): AsyncGenerator<ExportedRow> {
  let after: number | undefined
  for (;;) {
    const page = await catalog.garbageObjects(Number.MAX_SAFE_INTEGER, filesPerPage, after)
    for (const object of page) yield { kind: 'garbage', ...object }
    after = page.at(-1)?.garbageId
    if (page.length < filesPerPage) return
  }
}
