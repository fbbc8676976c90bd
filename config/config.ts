/**
 * YAML text to a validated configuration: server settings, source clusters and tables from one file, every mistake at once.
 *
 * Pure: reads no file and no environment. Variables named by `..._env` keys are looked up by the program when it starts, so that
 * a file can be checked where the secrets are not.
 */
import { clusterOption, type SourceCluster } from './cluster-options.ts'
import { readFields } from './field-types.ts'
import { configLimits, ownClusterName } from './limits.ts'
import { list, type OptionValue, type RecordOption, record, withDefault } from './option.ts'
import { type ConfigProblem, formatProblem, suggestNearest } from './problems.ts'
import { ProblemCollector, readOption, soundRecord } from './read-value.ts'
import { type ServerOptions, serverKeys } from './server-options.ts'
import { readTableConfig, type TableConfig } from './table-config.ts'
import { schemaOption, tableOption } from './table-options.ts'
import { readYaml, type YamlValue } from './yaml-source.ts'

export interface ValidatedConfig {
  readonly server: ServerOptions
  readonly clusters: readonly SourceCluster[]
  readonly tables: readonly TableConfig[]
}

export type ConfigResult =
  | { readonly outcome: 'valid'; readonly config: ValidatedConfig }
  | { readonly outcome: 'invalid'; readonly problems: readonly ConfigProblem[]; readonly droppedCount: number }

/** The whole file. */
export const configKeys = {
  source_clusters: withDefault(
    list(clusterOption, 0, configLimits.clusterCountMax),
    '',
    'Kafka clusters to read from. The broker inside this Floe is `floe` and needs no entry.',
  ),
  tables: withDefault(list(tableOption, 0, configLimits.tableCountMax), '', 'Topics that become tables.'),
  ...serverKeys,
} as const
export const configOption = record(configKeys)

/** `file` is the name shown in messages. */
export function parseConfig(text: string, file: string): ConfigResult {
  const source = readYaml(text)
  const collector = new ProblemCollector(file, source)
  const problems: ConfigProblem[] = source.problems.map(problem => ({ file, path: '', ...problem }))
  const finish = (): ConfigResult => ({
    outcome: 'invalid',
    problems: [...problems, ...collector.problems].sort((a, b) => a.line - b.line || a.column - b.column),
    droppedCount: collector.droppedCount,
  })
  if (source.root === undefined && problems.length > 0) return finish()
  const root = source.root ?? { kind: 'map', offset: 0, entries: [] }
  if (root.kind !== 'map' && !(root.kind === 'scalar' && root.value === null)) {
    collector.reportAt(root.offset, '', 'must begin with keys such as `tables:`')
    return finish()
  }
  const read = readOption(configOption, root, '', collector)
  const report = (path: string, message: string): void => collector.report(path, message)
  // What is sound is checked as a whole even where something beside it is not: one run shows all mistakes.
  const clusterCount = countItems(root, 'source_clusters')
  const clusters = readSound(clusterOption, 'source_clusters', clusterCount, collector)
  checkClusters(clusters, report)
  const clusterNames =
    clusters.length === clusterCount ? [ownClusterName, ...clusters.map(each => each.value.name)] : undefined
  const tables = readTables(countItems(root, 'tables'), clusterNames, collector, report)
  if (read === undefined) return finish()
  const { sourceClusters, tables: _, ...server } = read
  checkServer(server, report)
  if (problems.length > 0 || collector.problems.length > 0) return finish()
  return { outcome: 'valid', config: { server, clusters: sourceClusters, tables } }
}

type Report = (path: string, message: string) => void

interface SoundItem<T> {
  readonly path: string
  readonly value: T
}

function countItems(root: YamlValue, key: string): number {
  const value = root.kind === 'map' ? root.entries.find(entry => entry.key === key)?.value : undefined
  return value?.kind === 'list' ? value.items.length : 0
}

function readSound<O extends RecordOption>(
  option: O,
  listPath: string,
  count: number,
  collector: ProblemCollector,
): SoundItem<OptionValue<O>>[] {
  const items: SoundItem<OptionValue<O>>[] = []
  for (let index = 0; index < count; index++) {
    const path = `${listPath}[${index}]`
    const value = soundRecord(option, path, collector)
    if (value !== undefined) items.push({ path, value })
  }
  return items
}

function readTables(
  count: number,
  clusterNames: readonly string[] | undefined,
  collector: ProblemCollector,
  report: Report,
): TableConfig[] {
  const tables: TableConfig[] = []
  const pathOfName = new Map<string, string>()
  for (let index = 0; index < count; index++) {
    const path = `tables[${index}]`
    const input = soundRecord(tableOption, path, collector)
    if (input === undefined) {
      const schema = soundRecord(schemaOption, `${path}.schema`, collector)
      if (schema !== undefined) readFields(schema.fields, `${path}.schema.fields`, report)
      continue
    }
    if (clusterNames?.includes(input.sourceClusterName) === false) {
      const hint = suggestNearest(input.sourceClusterName, clusterNames) || `: use ${clusterNames.join(', ')}`
      report(`${path}.source_cluster_name`, `there is no source cluster \`${input.sourceClusterName}\`${hint}`)
    }
    const table = readTableConfig(input, path, collector.placeOf(path), report)
    if (table === undefined) continue
    const other = pathOfName.get(table.name.toLowerCase())
    if (other !== undefined) {
      const at = input.tableName === undefined ? path : `${path}.table_name`
      report(at, `the table would be called \`${table.name}\`, as ${other} is: give one of them another \`table_name\``)
    }
    pathOfName.set(table.name.toLowerCase(), path)
    tables.push(table)
  }
  return tables
}

function checkServer(server: ServerOptions, report: Report): void {
  const { storage, kafka, http, catalog, cluster, destinationBucketUrl } = server
  if ((storage.accessKeyIdEnv === undefined) !== (storage.secretAccessKeyEnv === undefined)) {
    report('storage', 'needs both `access_key_id_env` and `secret_access_key_env`, or neither')
  }
  if ((kafka.saslUsernameEnv === undefined) !== (kafka.saslPasswordEnv === undefined)) {
    report('kafka', 'needs both `sasl_username_env` and `sasl_password_env`, or neither')
  }
  if (catalog.vendCredentials && http.bearerTokenEnv === undefined) {
    report('catalog.vend_credentials', "would hand the store's keys to anybody: set `http.bearer_token_env` too")
  }
  if (catalog.journalUrl !== undefined && URL.parse(catalog.journalUrl)?.password !== '') {
    report('catalog.journal_url', 'must hold no password: put it into the variable that `journal_password_env` names')
  }
  if (catalog.journalUrl !== undefined && destinationBucketUrl === 'memory:') {
    report('catalog.journal_url', 'needs a store that stays; `memory:` is gone with its process')
  }
  if (cluster === undefined) return
  const tlsFiles = [cluster.tlsCaFile, cluster.tlsCertFile, cluster.tlsKeyFile].filter(file => file !== undefined)
  if (tlsFiles.length !== 0 && tlsFiles.length !== 3) {
    report('cluster', 'needs `tls_ca_file`, `tls_cert_file` and `tls_key_file`, or none of them')
  }
  if (destinationBucketUrl === 'memory:') {
    report('cluster', 'needs a store that several processes reach; `memory:` is gone with its process')
  }
}

function checkClusters(clusters: readonly SoundItem<SourceCluster>[], report: Report): void {
  const pathOfName = new Map<string, string>()
  for (const { path, value: cluster } of clusters) {
    const { saslUsernameEnv, saslPasswordEnv, useTls, tlsCaFile, tlsCertFile, tlsKeyFile } = cluster.credentials
    if (cluster.name === ownClusterName) {
      report(`${path}.name`, `\`${ownClusterName}\` is the broker inside this Floe: choose another name`)
    }
    const other = pathOfName.get(cluster.name)
    if (other !== undefined) report(`${path}.name`, `${other} has the name \`${cluster.name}\` already`)
    pathOfName.set(cluster.name, path)
    if ((saslUsernameEnv === undefined) !== (saslPasswordEnv === undefined)) {
      report(`${path}.credentials`, 'needs both `sasl_username_env` and `sasl_password_env`, or neither')
    }
    if ((tlsCertFile === undefined) !== (tlsKeyFile === undefined)) {
      report(`${path}.credentials`, 'needs both `tls_cert_file` and `tls_key_file`, or neither')
    }
    if (!useTls && (tlsCaFile ?? tlsCertFile ?? tlsKeyFile) !== undefined) {
      report(`${path}.credentials`, 'has TLS files but `use_tls` is not true')
    }
  }
}

/** All mistakes, one per line. */
export function formatProblems(result: Extract<ConfigResult, { outcome: 'invalid' }>): string {
  const lines = result.problems.map(formatProblem)
  if (result.droppedCount > 0) lines.push(`and ${result.droppedCount} more`)
  return lines.join('\n')
}
