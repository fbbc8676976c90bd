/**
 * Renders versions of one table in both formats from the same plan, each on the rendering of the version before it, and checks
 * what was rendered before anybody may see it. Holds what the last version needs to be continued (its Iceberg manifest list and
 * metadata, its Delta definition); a fresh one reads that from the store.
 */
import type { PublishedVersion } from '../../catalog/client.ts'
import { FloeError } from '../../core/errors.ts'
import { getAgreed } from '../../storage/get-agreed.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { isCheckpointDue, type LiveFile, renderDeltaCheckpoint } from '../../table/delta/checkpoint.ts'
import { type DeltaRendering, readDeltaRendering, renderDelta } from '../../table/delta/render.ts'
import { versionHintPath } from '../../table/iceberg/names.ts'
import { type IcebergRendering, renderIceberg } from '../../table/iceberg/render.ts'
import { loadManifestsToRewrite, type ReadObject, readIcebergRendering } from '../../table/iceberg/rewrite.ts'
import type { PublishPlan, RenderedObject, TableIdentity } from '../../table/rendering.ts'
import { validateDelta } from '../../table/validate/delta.ts'
import { validateIceberg } from '../../table/validate/iceberg.ts'

export interface RenderedVersion {
  /** In the order in which they must become durable: what others name first, the hints last. */
  readonly objects: readonly RenderedObject[]
  readonly icebergMetadataPath: string
}

export class VersionRenderer {
  readonly #readObject: ReadObject
  #iceberg: IcebergRendering | undefined
  #delta: DeltaRendering | undefined

  private constructor(
    readObject: ReadObject,
    iceberg: IcebergRendering | undefined,
    delta: DeltaRendering | undefined,
  ) {
    this.#readObject = readObject
    this.#iceberg = iceberg
    this.#delta = delta
  }

  /**
   * published  the last visible version; undefined when there is none yet
   * errors     corrupt: an object of that version is missing or damaged; what the store throws
   */
  static async open(
    store: ObjectStore,
    folder: string,
    published: PublishedVersion | undefined,
  ): Promise<VersionRenderer> {
    // What is read here goes on into every later version, and neither Avro nor JSON would show a bad read.
    const readObject: ReadObject = path => getAgreed(store, `${folder}/${path}`)
    if (published === undefined) return new VersionRenderer(readObject, undefined, undefined)
    const [iceberg, delta] = await Promise.all([
      readIcebergRendering(readObject, published.icebergMetadataPath),
      readDeltaRendering(readObject, published.deltaVersion),
    ])
    return new VersionRenderer(readObject, iceberg, delta)
  }

  /** The one that the next version is rendered on; undefined: there is none yet. */
  get version(): number | undefined {
    return this.#iceberg?.version
  }

  /**
   * liveFiles  pages of every file live in the version, with when it was added; read only when a checkpoint is due
   * errors     internal or corrupt: what was rendered does not pass its own validation; invalid: the store was moved
   */
  async render(
    table: TableIdentity,
    plan: PublishPlan,
    liveFileCount: number,
    liveFiles: () => AsyncIterable<readonly LiveFile[]>,
  ): Promise<RenderedVersion> {
    checkLocation(table, this.#iceberg)
    const loaded = await loadManifestsToRewrite(table, plan, this.#iceberg, this.#readObject)
    const iceberg = renderIceberg(table, plan, this.#iceberg, loaded)
    validateIceberg(table, plan, iceberg.objects, this.#iceberg)
    const delta = renderDelta(table, plan, this.#delta)
    validateDelta(table, plan, delta.objects, this.#delta)
    const checkpoint = isCheckpointDue(plan.version, liveFileCount)
      ? await renderDeltaCheckpoint({
          table,
          version: plan.version,
          timestampMs: plan.timestampMs,
          liveFiles: liveFiles(),
          tombstones: [],
        })
      : []
    this.#iceberg = iceberg.rendering
    this.#delta = delta.rendering
    const isHint = (object: RenderedObject): boolean => object.path === versionHintPath
    return {
      objects: [
        ...iceberg.objects.filter(object => !isHint(object)),
        ...delta.objects,
        ...checkpoint,
        ...iceberg.objects.filter(isHint),
      ],
      icebergMetadataPath: iceberg.metadataPath,
    }
  }
}

/** What was published names its files by their whole address: readers would not find them anywhere else. */
function checkLocation({ name, location }: TableIdentity, previous: IcebergRendering | undefined): void {
  if (previous === undefined || previous.metadata.location === location) return
  throw new FloeError(
    'invalid',
    'table-moved',
    `table ${name} was published at ${previous.metadata.location} and its store is now at ${location}: move it back, ` +
      'because what was published names its files by where they were',
  )
}
