/**
 * Publishes a table: fixes the next version in the catalog, renders it as Iceberg and as Delta from the same plan, checks what
 * was rendered, writes it, and then makes it visible.
 *
 *   beginPublish ─▶ render ─▶ validate ─▶ put (create only) ─▶ hints ─▶ completePublish
 *
 * The plan is durable before the first object is written and rendering is deterministic, so a publisher that dies anywhere is
 * simply run again and writes the same bytes under the same names. One publisher per table is at work at a time; another one,
 * or an old one that wakes up late, can only write the very same objects.
 */
import type { CatalogClient, PendingVersion, Table, TableFile } from '../../catalog/client.ts'
import { tableFolder } from '../../catalog/object-names.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { Signal } from '../../core/signal.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { createIdenticalObject } from '../../storage/put-if-absent.ts'
import type { LiveFile } from '../../table/delta/checkpoint.ts'
import { buildVersionHint, versionHintPath } from '../../table/iceberg/names.ts'
import type { PublishPlan, RenderedObject, TableIdentity } from '../../table/rendering.ts'
import type { DataFile } from '../../table/types.ts'
import { type RenderedVersion, VersionRenderer } from './version-renderer.ts'

export interface TablePublisherParts {
  readonly tableId: number
  /** Whether it is this process that publishes the table. Should two believe it, both write the very same objects. */
  readonly isPublisher: () => Promise<boolean>
  readonly catalog: CatalogClient
  readonly store: ObjectStore
  readonly clock: Clock
  readonly log: Log
  /** How long after the last publish the version hint is looked at; longer than a request may be on its way. */
  readonly hintCheckMs?: number
}

/** Rendering a page blocks the event loop: a few hundred files take some tens of milliseconds. */
const filesPageCount = 400
const retryDelayMsFirst = 200
const retryDelayMsMax = 10_000
const idleCheckMs = 60_000
const hintCheckMsDefault = 60_000

export class TablePublisher {
  readonly #parts: TablePublisherParts
  readonly #wanted = new Signal()
  readonly #closing = new AbortController()
  #isWanted = true
  #renderer: VersionRenderer | undefined
  /**
   * A hint is the one object that is replaced. A put of it whose answer was lost, by this process or the one before, may land
   * after the hint of a later version and hide that version from readers that go by it.
   */
  #isHintUncertain = true
  /** When the hint is looked at next, while it is uncertain. */
  #hintDueMs = 0
  #wasPublisher = false
  #done: Promise<void> = Promise.resolve()
  /** Why the last attempt failed; undefined once one succeeded. */
  failure: string | undefined

  constructor(parts: TablePublisherParts) {
    this.#parts = parts
  }

  start(): void {
    this.#delayHintCheck()
    this.#done = this.#run()
  }

  /** There may be something new to publish. */
  request(): void {
    this.#isWanted = true
    this.#wanted.notify()
  }

  /** Publishes what is committed, then ends. A failing store does not hold it up: what is pending stays pending. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#wanted.notify()
    await this.#done
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts
    let delayMs = retryDelayMsFirst
    for (;;) {
      if (this.#isWanted) {
        this.#isWanted = false
        try {
          if (await this.#hasNews()) while (await this.#publishNext()) {}
          this.failure = undefined
          delayMs = retryDelayMsFirst
        } catch (error) {
          this.#isWanted = true
          this.#isHintUncertain = true
          // What was rendered on is read again: a failure may have been in it.
          this.#renderer = undefined
          const failure = errorMessage(error)
          if (failure !== this.failure) log.warn('publishing failed; trying again', { reason: failure })
          this.failure = failure
          if (this.#closing.signal.aborted) return
          await clock.sleep(delayMs, this.#closing.signal)
          delayMs = Math.min(delayMs * 2, retryDelayMsMax)
        }
      } else if (this.#closing.signal.aborted) {
        return
      } else {
        const untilHintMs = Math.max(0, this.#hintDueMs - clock.monotonicMs())
        await this.#wanted.wait(clock, this.#isHintUncertain ? untilHintMs : idleCheckMs, this.#closing.signal)
        if (this.#isHintUncertain && clock.monotonicMs() >= this.#hintDueMs) await this.#checkHint()
      }
    }
  }

  /** Asked often: answers from the state of this process, and commands nothing. */
  async #hasNews(): Promise<boolean> {
    const { tableId, catalog } = this.#parts
    const table = await catalog.tableById(tableId)
    if (table === undefined) return false
    const { published, fileSequence } = table
    return (published === undefined || published.fileSequence < fileSequence) && (await this.#isPublisher())
  }

  async #isPublisher(): Promise<boolean> {
    const isPublisher = await this.#parts.isPublisher()
    // Whoever published before may have a put of the hint on its way.
    if (isPublisher && !this.#wasPublisher) {
      this.#isHintUncertain = true
      this.#delayHintCheck()
    }
    this.#wasPublisher = isPublisher
    return isPublisher
  }

  /** Publishes one version; false when there was nothing to publish. */
  async #publishNext(): Promise<boolean> {
    const { tableId, catalog, store, clock, log } = this.#parts
    const pending = await catalog.beginPublish(tableId)
    if (pending === undefined || pending === 'unknown-table') return false
    const table = await catalog.tableById(tableId)
    if (table === undefined) return false
    const folder = tableFolder(table.definition.name, table.tableUuid)
    if (this.#renderer !== undefined && this.#renderer.version !== table.published?.version) {
      // Another process has published since, and may have a put of the hint on its way.
      this.#renderer = undefined
      this.#isHintUncertain = true
    }
    this.#renderer ??= await VersionRenderer.open(store, folder, table.published)
    const identity = describeTable(table, `${store.uri}/${folder}`)
    const plan = await this.#plan(pending)
    const rendered = await this.#renderer.render(identity, plan, table.fileCount, () => this.#liveFiles(pending))
    await writeVersion(store, folder, rendered, clock)
    const completed = await catalog.completePublish(tableId, pending.version, rendered.icebergMetadataPath)
    this.#delayHintCheck()
    // Others were faster, and published more: the hint of this version may have landed after theirs.
    if ((await catalog.tableById(tableId))?.published?.version !== pending.version) this.#isHintUncertain = true
    if (typeof completed === 'string') return false
    log.debug('version published', { version: completed.version, files: plan.added.length })
    return true
  }

  #delayHintCheck(): void {
    const { clock, hintCheckMs = hintCheckMsDefault } = this.#parts
    this.#hintDueMs = clock.monotonicMs() + hintCheckMs
  }

  /** Puts the version hint right. It stays uncertain until a look finds it right, or while the store does not answer. */
  async #checkHint(): Promise<void> {
    const { tableId, catalog, store, log } = this.#parts
    this.#delayHintCheck()
    try {
      if (!(await this.#isPublisher())) return
      // An old version must never be put in the place of a newer one.
      await catalog.readBarrier()
      const table = await catalog.tableById(tableId)
      if (table?.published === undefined) return
      const key = `${tableFolder(table.definition.name, table.tableUuid)}/${versionHintPath}`
      const expected = Buffer.from(buildVersionHint(table.tableUuid, table.published.version))
      const found = await store.get(key)
      if (found !== undefined && expected.equals(found)) {
        this.#isHintUncertain = false
        return
      }
      log.warn('the version hint was overtaken by an older one; it is put right', { key })
      await store.put(key, expected)
    } catch (error) {
      log.warn('the version hint could not be checked; trying again', { reason: errorMessage(error) })
    }
  }

  async #plan(pending: PendingVersion): Promise<PublishPlan> {
    const { version, timestampMs, snapshotId, operation, progress } = pending
    const added: DataFile[] = []
    for await (const page of this.#pages(pending.fileSequenceAfter, pending.fileSequenceUpTo)) added.push(...page)
    return { version, timestampMs, snapshotId, operation, added, removed: [], progress }
  }

  /** Every file that is live in the pending version, with the time of the version that added it. */
  async *#liveFiles(pending: PendingVersion): AsyncGenerator<readonly LiveFile[]> {
    const versions = await this.#parts.catalog.publishedVersions(this.#parts.tableId)
    let at = 0
    for await (const page of this.#pages(0, pending.fileSequenceUpTo)) {
      yield page.map(file => {
        while (at < versions.length && versions[at]!.fileSequence < file.fileSequence) at++
        return { file, addedMs: versions[at]?.timestampMs ?? pending.timestampMs }
      })
    }
  }

  async *#pages(after: number, upTo: number): AsyncGenerator<readonly TableFile[]> {
    for (let skip = 0; ; skip += filesPageCount) {
      const page = await this.#parts.catalog.tableFiles(this.#parts.tableId, after, upTo, skip, filesPageCount)
      if (page.length > 0) yield page
      if (page.length < filesPageCount) return
      await this.#parts.clock.yield()
    }
  }
}

function describeTable(table: Table, location: string): TableIdentity {
  const { definition } = table
  return {
    uuid: table.tableUuid,
    name: definition.name,
    location,
    createdMs: table.createdMs,
    schemas: table.schemas,
    currentSchemaId: definition.schema.schemaId,
    spec: definition.spec,
    properties: definition.properties,
  }
}

/** In order: each object is durable before the next one names it. */
async function writeVersion(
  store: ObjectStore,
  folder: string,
  { objects }: RenderedVersion,
  clock: Clock,
): Promise<void> {
  for (const object of objects) await writeObject(store, `${folder}/${object.path}`, object, clock)
}

async function writeObject(store: ObjectStore, key: string, object: RenderedObject, clock: Clock): Promise<void> {
  if (object.mode === 'create') await createIdenticalObject(store, key, object.bytes, { clock })
  else await store.put(key, object.bytes)
}
