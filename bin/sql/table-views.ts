/** Makes a view of each table over the data files of its published version, the very rows that other readers see. */
import type { Table, TableFile } from '../../catalog/client.ts'
import { tableFolder } from '../../catalog/object-names.ts'
import type { Place } from '../cli/place.ts'
import type { SqlEngine } from './duckdb.ts'
import type { LocalFiles, StoredFile } from './local-files.ts'

const filesPageCount = 10_000

/** Only tables whose name occurs in the query are looked at. */
export async function createTableViews(
  engine: SqlEngine,
  place: Place,
  files: LocalFiles,
  query: string,
  onProgress: (text: string) => void,
): Promise<void> {
  const lower = query.toLowerCase()
  for (const table of await place.catalog.tables()) {
    const { name, schema } = table.definition
    if (!lower.includes(name.toLowerCase())) continue
    const paths = await files.open(await listPublishedFiles(place, table), onProgress)
    await engine.createView(name, paths, schema.fields)
  }
}

async function listPublishedFiles({ catalog }: Place, table: Table): Promise<StoredFile[]> {
  const folder = tableFolder(table.definition.name, table.tableUuid)
  const upTo = table.published?.fileSequence ?? 0
  const listed: StoredFile[] = []
  for (;;) {
    const page: readonly TableFile[] = await catalog.tableFiles(table.tableId, 0, upTo, listed.length, filesPageCount)
    for (const file of page) listed.push({ key: `${folder}/${file.path}`, bytes: file.fileBytes })
    if (page.length < filesPageCount) return listed
  }
}
