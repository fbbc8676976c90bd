/** `floe tables` and `floe table NAME` */
import type { TableDetailView, TableView } from '../../api/v1/views.ts'
import { formatBytes, formatCount, formatTable, type Output } from '../cli/output.ts'
import { type JsonOf, openAsker } from '../cli/place.ts'
import type { PlaceOptions } from '../main.ts'

/** Published versions shown to people. */
const versionsShown = 10

export async function runTables(place: PlaceOptions, output: Output): Promise<void> {
  const asker = await openAsker(place)
  const { tables } = await asker.get<{ tables: readonly TableView[] }>('/tables')
  output.result({ tables }, () => {
    if (tables.length === 0) return 'no tables'
    const rows = tables.map(table => [
      table.name,
      `${table.source.cluster}/${table.source.topic}`,
      formatCount(BigInt(table.rows)),
      formatCount(table.files),
      formatBytes(BigInt(table.fileBytes)),
      formatCount(BigInt(table.deadLetters)),
      table.published === null ? '-' : String(table.published.version),
      describeState(table),
    ])
    return formatTable(['table', 'source', 'rows', 'files', 'size', 'dead letters', 'version', 'state'], rows, [
      'left',
      'left',
      'right',
      'right',
      'right',
      'right',
      'right',
    ])
  })
}

export async function runTable(name: string, place: PlaceOptions, output: Output): Promise<void> {
  const asker = await openAsker(place)
  const table = await asker.get<TableDetailView>(`/tables/${encodeURIComponent(name)}`)
  output.result(table, () => formatDetail(table))
}

function describeState(table: JsonOf<TableView>): string {
  const state = table.ingest?.state ?? table.state
  const reason = table.ingest?.reason ?? table.reason ?? table.ingest?.publishFailure
  return reason === null || reason === undefined ? state : `${state}: ${reason}`
}

function formatDetail(table: JsonOf<TableDetailView>): string {
  const facts = [
    ['table', table.name],
    ['source', `topic ${table.source.topic} of cluster ${table.source.cluster}`],
    ['location', table.location],
    ['state', describeState(table)],
    [
      'rows',
      `${formatCount(BigInt(table.rows))} in ${formatCount(table.files)} files, ${formatBytes(BigInt(table.fileBytes))}`,
    ],
    ['dead letters', formatCount(BigInt(table.deadLetters))],
    ['partitioned by', table.partitionBy.length === 0 ? 'nothing' : table.partitionBy.join(', ')],
  ]
  const columns = table.columns.map(column => [
    String(column.id),
    column.name,
    column.type,
    column.required ? 'required' : '',
    column.doc ?? '',
  ])
  const coverage = table.coverage.map(each =>
    [
      String(each.partition),
      each.start,
      each.end,
      each.written,
      each.filtered,
      each.rejected,
      each.control,
      each.gap,
      each.newest ?? '-',
    ].map(String),
  )
  const versions = table.versions
    .slice(-versionsShown)
    .map(each => [
      String(each.version),
      each.published,
      each.icebergSnapshot ?? '-',
      String(each.deltaVersion),
      formatCount(BigInt(each.rows)),
    ])
  const right = 'right' as const
  return [
    facts.map(([name = '', value = '']) => `${name.padEnd(16)}${value}`).join('\n'),
    formatTable(['id', 'column', 'type', '', 'doc'], columns, [right]),
    formatTable(
      ['partition', 'start', 'end', 'written', 'filtered', 'rejected', 'control', 'gap', 'newest record'],
      coverage,
      [right, right, right, right, right, right, right, right],
    ),
    ...(table.closedGenerations.length === 0 ? [] : [formatClosedGenerations(table)]),
    versions.length === 0
      ? 'nothing is published yet'
      : formatTable(['version', 'published', 'iceberg snapshot', 'delta', 'rows'], versions, [
          right,
          'left',
          right,
          right,
          right,
        ]),
  ].join('\n\n')
}

function formatClosedGenerations({ closedGenerations }: JsonOf<TableDetailView>): string {
  const rows = closedGenerations.map(each =>
    [
      each.partition,
      each.generation,
      each.start,
      each.end,
      each.written,
      each.filtered,
      each.rejected,
      each.control,
      each.gap,
      each.closed,
      each.topicId ?? '-',
    ].map(String),
  )
  const counts = ['start', 'end', 'written', 'filtered', 'rejected', 'control', 'gap']
  const heads = ['partition', 'generation', ...counts, 'ended', 'topic id']
  const table = formatTable(heads, rows, [...heads.slice(0, -2).map(() => 'right' as const), 'left', 'left'])
  return `generations of source partitions that are over\n\n${table}`
}
