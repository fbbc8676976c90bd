/** `floe dlq list` and `floe dlq show NAME`: records that did not fit their table. */
import type { DeadLetterFileView, TableView } from '../../api/v1/views.ts'
import type { DeadLetterFile } from '../../catalog/client.ts'
import { tableFolder } from '../../catalog/object-names.ts'
import { FloeError } from '../../core/errors.ts'
import { deadLetterFields } from '../../ingest/worker/dead-letters.ts'
import { formatCount, formatTable, type Output } from '../cli/output.ts'
import { type Asker, type JsonOf, openAsker, openPlace, type Place } from '../cli/place.ts'
import type { PlaceOptions } from '../main.ts'
import { SqlEngine } from '../sql/duckdb.ts'
import { LocalFiles } from '../sql/local-files.ts'
import { formatCell } from './sql.ts'

const filesPageCount = 1_000

export async function runDlqList(place: PlaceOptions, output: Output): Promise<void> {
  const asker = await openAsker(place)
  const { tables } = await asker.get<{ tables: readonly TableView[] }>('/tables')
  const counts = await Promise.all(
    tables.map(async ({ name, deadLetters }) => {
      const files = await listFiles(asker, name)
      return { table: name, deadLetters, files: files.length, newest: files.at(-1)?.committed ?? null }
    }),
  )
  output.result({ tables: counts }, () => {
    if (counts.length === 0) return 'no tables'
    const rows = counts.map(each => [
      each.table,
      formatCount(BigInt(each.deadLetters)),
      formatCount(each.files),
      each.newest ?? '-',
    ])
    return formatTable(['table', 'dead letters', 'files', 'newest'], rows, ['left', 'right', 'right'])
  })
}

/** Oldest first. */
async function listFiles(asker: Asker, table: string): Promise<readonly JsonOf<DeadLetterFileView>[]> {
  const files: JsonOf<DeadLetterFileView>[] = []
  for (;;) {
    const path = `/tables/${encodeURIComponent(table)}/dead-letters?skip=${files.length}&limit=${filesPageCount}`
    const page = (await asker.get<{ files: readonly DeadLetterFileView[] }>(path)).files
    files.push(...page)
    if (page.length < filesPageCount) return files
  }
}

export async function runDlqShow(name: string, limit: number, options: PlaceOptions, output: Output): Promise<void> {
  const place = await openPlace(options)
  const table = await place.catalog.tableByName(name)
  if (table === undefined) {
    const known = (await place.catalog.tables()).map(each => each.definition.name).join(', ') || 'none'
    throw new FloeError('invalid', 'unknown-table', `there is no table ${name}; tables: ${known}`)
  }
  const folder = tableFolder(name, table.tableUuid)
  const newest = await listNewestFiles(place, table.tableId, limit)
  const files = new LocalFiles(place.store)
  const engine = await SqlEngine.open()
  try {
    const stored = newest.map(file => ({ key: `${folder}/${file.path}`, bytes: file.fileBytes }))
    await engine.createView('letters', await files.open(stored, output.progress), deadLetterFields)
    output.progress('')
    const { rows } = await engine.query(
      `select "partition", "offset"::varchar, "timestamp"::varchar, base64("key"), base64("value"), reason_code, reason,
         list_transform(headers, header -> {'key': header."key", 'value': base64(header."value")})
       from letters order by "timestamp" desc, "offset" desc limit ${limit}`,
    )
    const letters = rows.map(([partition, offset, timestamp, key, value, code, reason, headers]) => ({
      partition,
      offset,
      timestamp,
      key,
      value,
      code,
      reason,
      headers,
    }))
    output.result({ table: name, deadLetters: table.deadLetterCount, letters }, () => {
      if (letters.length === 0) return `${name} has no dead letters`
      const shown = letters.map(each => [
        String(each.partition),
        String(each.offset),
        String(each.timestamp ?? '-'),
        formatCell(each.reason),
        showBytes(each.key),
        each.code === 'unreadable-batch' ? showBatch(each.value) : showBytes(each.value),
      ])
      const right = 'right' as const
      return formatTable(['partition', 'offset', 'timestamp', 'reason', 'key', 'value'], shown, [right, right])
    })
  } finally {
    engine.close()
    await files.close()
  }
}

/** Enough of the newest files to hold `limit` records. */
async function listNewestFiles({ catalog }: Place, tableId: number, limit: number): Promise<DeadLetterFile[]> {
  const all: DeadLetterFile[] = []
  for (;;) {
    const page = await catalog.deadLetterFiles(tableId, all.length, filesPageCount)
    all.push(...page)
    if (page.length < filesPageCount) break
  }
  let records = 0
  let first = all.length
  while (first > 0 && records < limit) {
    first--
    records += all[first]?.recordCount ?? 0
  }
  return all.slice(first)
}

/** Its bytes say nothing to anybody; --json has them. */
function showBatch(base64: unknown): string {
  const bytes = typeof base64 === 'string' ? Buffer.from(base64, 'base64').length : 0
  return `a record batch of ${formatCount(bytes)} bytes`
}

/** Text as it stands where it is text, else hexadecimal. */
function showBytes(base64: unknown): string {
  if (typeof base64 !== 'string') return 'null'
  const bytes = Buffer.from(base64, 'base64')
  const text = bytes.toString('utf8')
  return formatCell(text.includes('\ufffd') ? `0x${bytes.toString('hex')}` : text)
}
