/**
 * The contract between the publisher (ingest/publish) and the pure renderers (iceberg/, delta/).
 *
 * A plan is fixed in the catalog before anything is written, so rendering it again gives the same bytes under the same names;
 * a publisher that dies half way is simply run again. Names are deterministic from (table, version).
 */
import type { DataFile, PartitionSpec, Schema } from './types.ts'

/** What stays the same between versions of a table. */
export interface TableIdentity {
  /** UUID text, fixed for life; also the Iceberg table-uuid and the Delta metaData id. */
  readonly uuid: string
  readonly name: string
  /** Absolute URI of the table's root without a trailing slash: Iceberg location and Delta root alike. */
  readonly location: string
  readonly createdMs: number
  readonly schemas: readonly Schema[]
  readonly currentSchemaId: number
  readonly spec: PartitionSpec
  /** Free string settings shown in both formats. */
  readonly properties: Readonly<Record<string, string>>
}

/** The offsets of one source partition that a version holds: [start, end). */
export interface SourceProgress {
  readonly partition: number
  readonly start: bigint
  readonly end: bigint
}

/** One version to publish. Version 0 creates the empty table; version n is Delta version n and Iceberg sequence number n. */
export interface PublishPlan {
  readonly version: number
  /** Milliseconds, never before the previous version's. */
  readonly timestampMs: number
  /** Positive 63-bit Iceberg snapshot id; absent for version 0. */
  readonly snapshotId: bigint | undefined
  /** `append`: files added; `replace`: the same rows in other files; `none`: version 0. */
  readonly operation: 'none' | 'append' | 'replace'
  readonly added: readonly DataFile[]
  readonly removed: readonly DataFile[]
  /** A partition is there once for each of its generations, the oldest first. */
  readonly progress: readonly SourceProgress[]
}

/** An object to put, relative to the table's root. Written in list order, each durable before the next. */
export interface RenderedObject {
  readonly path: string
  readonly bytes: Uint8Array
  /** `create`: put-if-absent, and identical bytes count as done; `replace`: a hint that may be overwritten. */
  readonly mode: 'create' | 'replace'
}
