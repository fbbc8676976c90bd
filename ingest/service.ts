/**
 * Ingestion as a whole: turns validated table definitions into running tables, each with a runner (records in) and a publisher
 * (versions out), over one pool of workers.
 */
import type { CatalogClient, Table } from '../catalog/client.ts'
import { NamePool, type NamePoolOptions } from '../catalog/name-pool.ts'
import type { Membership } from '../catalog/node/membership.ts'
import { tableFolder } from '../catalog/object-names.ts'
import type { Clock } from '../core/clock.ts'
import { FloeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { RecordSource } from '../kafka/record-source.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { pickPublisher } from './assignment.ts'
import { FilePutter } from './file-putter.ts'
import { TablePublisher } from './publish/table-publisher.ts'
import type { TableIngestConfig } from './table-config.ts'
import type { IngestState } from './table-progress.ts'
import { TableRunner } from './table-runner.ts'
import type { BuilderPool } from './worker/builder-pool.ts'
import { tableFileBuilderDefaults } from './worker/builder-types.ts'

export interface IngestServiceParts {
  readonly catalog: CatalogClient
  readonly store: ObjectStore
  /** The source of a cluster by its configured name; the same one every time. */
  readonly sources: (clusterName: string) => RecordSource
  readonly pool: BuilderPool
  readonly membership: Membership
  readonly clock: Clock
  readonly log: Log
  readonly hintCheckMs?: number
}

export interface TableIngestStatus {
  readonly table: string
  readonly state: IngestState
  /** Why it is not running; one plain sentence. */
  readonly reason: string | undefined
  readonly lagRecords: bigint
  readonly rowsCommitted: number
  readonly recordsRejected: number
  readonly valueBytes: number
  readonly commitCount: number
  readonly publishFailure: string | undefined
}

/** A file is put and committed within minutes even when the store is slow; its names live for hours. */
const dataFileNames: NamePoolOptions = {
  purpose: 'data-file',
  namesPerGrant: 200,
  refillAt: 20,
  grantTtlMs: 6 * 3_600_000,
  remainingMsMin: 3_600_000,
}

const publisherCheckMs = 1_000

interface RunningTable {
  readonly runner: TableRunner
  readonly publisher: TablePublisher
}

export class IngestService {
  readonly #parts: IngestServiceParts
  readonly #running = new Map<string, RunningTable>()
  readonly #closing = new AbortController()
  #watching: Promise<void>

  constructor(parts: IngestServiceParts) {
    this.#parts = parts
    this.#watching = this.#watchCommits()
  }

  /** Publishers hear of what other workers committed, and look now and then whether they are the publisher now. */
  async #watchCommits(): Promise<void> {
    const { catalog } = this.#parts
    const { signal } = this.#closing
    let position = catalog.commitPosition()
    while (!signal.aborted) {
      try {
        await catalog.waitForCommits(position, publisherCheckMs, signal)
        position = catalog.commitPosition()
        for (const { publisher } of this.#running.values()) publisher.request()
      } catch {
        // This process may not go on with the catalog; those who need it say so.
        return
      }
    }
  }

  /**
   * Creates what does not exist and starts it; changed settings of an existing table take effect. A table that had stopped is
   * tried again.
   *
   * errors  invalid: a definition that does not go with the table as it is; the tables before it are started
   */
  async applyTables(configs: readonly TableIngestConfig[]): Promise<void> {
    for (const config of configs) {
      const table = await this.#ensureTable(config)
      await this.#start(table, config)
    }
  }

  async #ensureTable(config: TableIngestConfig): Promise<Table> {
    const { catalog } = this.#parts
    const { definition } = config
    const created = await catalog.createTable(definition)
    if (created.outcome === 'created') return created.table
    const { table } = created
    const { source } = table.definition
    if (source.topic !== definition.source.topic || source.clusterName !== definition.source.clusterName) {
      throw new FloeError(
        'invalid',
        'table-source-changed',
        `table ${definition.name} holds topic ${source.topic} of cluster ${source.clusterName}; ` +
          `give topic ${definition.source.topic} of cluster ${definition.source.clusterName} another table_name`,
      )
    }
    const altered = await catalog.alterTable(table.tableId, definition)
    if (altered === 'schema-change-refused') {
      throw new FloeError(
        'invalid',
        'table-schema-changed',
        `table ${definition.name} exists with other columns or partition fields, and these cannot be changed yet; ` +
          'restore them, or give the new shape another table_name',
      )
    }
    await catalog.setTableState(table.tableId, 'running', undefined)
    return (await catalog.tableById(table.tableId)) ?? table
  }

  async #start(table: Table, config: TableIngestConfig): Promise<void> {
    const { name } = config.definition
    const earlier = this.#running.get(name)
    if (earlier !== undefined) await closeTable(earlier)
    const { catalog, store, sources, pool, membership, clock, log, hintCheckMs } = this.#parts
    const publisher = new TablePublisher({
      tableId: table.tableId,
      isPublisher: async () => {
        const workers = (await membership.withRole('ingest')).map(({ nodeId }) => nodeId)
        return workers.length > 0 && pickPublisher(table.tableUuid, workers) === membership.own.nodeId
      },
      catalog,
      store,
      clock,
      log: log.with({ table: name }),
      ...(hintCheckMs === undefined ? {} : { hintCheckMs }),
    })
    const folder = tableFolder(name, table.tableUuid)
    const names = new NamePool(catalog, clock, { ...dataFileNames, tableId: table.tableId })
    const runner = new TableRunner({
      table,
      config,
      catalog,
      membership,
      source: sources(config.definition.source.clusterName),
      putter: new FilePutter(store, names, clock, folder),
      openBuilder: () =>
        pool.createBuilder({
          schema: config.definition.schema,
          spec: config.definition.spec,
          format: config.format,
          options: {
            ...tableFileBuilderDefaults,
            codec: config.codec,
            deadLetterMode: config.deadLetterMode,
            fileBytesTarget: config.fileBytesTarget,
          },
        }),
      lanesMax: pool.workerCount,
      clock,
      log,
      onCommitted: () => publisher.request(),
    })
    this.#running.set(name, { runner, publisher })
    publisher.start()
    runner.start()
  }

  status(): readonly TableIngestStatus[] {
    return [...this.#running].map(([table, { runner, publisher }]) => {
      const { state, reason, rowsCommitted, recordsRejected, valueBytes, commitCount } = runner.progress
      return {
        table,
        state,
        reason,
        lagRecords: runner.progress.lagRecords(),
        rowsCommitted,
        recordsRejected,
        valueBytes,
        commitCount,
        publishFailure: publisher.failure,
      }
    })
  }

  /** Commits and publishes what was read, then ends. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#watching
    await Promise.all([...this.#running.values()].map(closeTable))
    this.#running.clear()
  }
}

async function closeTable({ runner, publisher }: RunningTable): Promise<void> {
  await runner.close()
  await publisher.close()
}
