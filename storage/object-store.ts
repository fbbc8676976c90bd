/**
 * The object store: flat keys, immutable bytes. Everything durable in Floe lives behind this interface.
 *
 * Three outcomes for every conditional write: applied, refused, unknown. Nothing is ever deleted on unknown; ask with
 * `get` (storage/put-if-absent.ts does).
 */

/** Bytes to write, in order; not changed by the store and owned by the caller again once the call settles. */
export type ObjectBody = Uint8Array | readonly Uint8Array[]

/** applied: this call created it; refused: it existed before; unknown: the answer was lost, either may be true. */
export type WriteOutcome = 'applied' | 'refused' | 'unknown'

export interface ObjectInfo {
  readonly key: string
  readonly bytes: number
  readonly modifiedMs: number
}

export interface ObjectPage {
  readonly objects: readonly ObjectInfo[]
  /** Pass as `after` for the next page; undefined at the end. */
  readonly next: string | undefined
}

/** Bytes [start, end) of an object. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface MultipartUpload {
  /** Parts are joined in call order. All but the last must have at least `multipartBytesMin` bytes. */
  writePart(body: ObjectBody): Promise<void>
  /** Makes the object visible as a whole. An existing object is replaced. */
  complete(): Promise<void>
  abort(): Promise<void>
}

export const listPageObjectCountMax = 1_000

export const multipartBytesMin = 5 * 1024 * 1024

/**
 * Keys are relative, `/`-separated, of `[A-Za-z0-9._/-]`, without empty, `.` or `..` parts.
 *
 * errors  every call may throw a FloeError: unavailable (retry; a write may have been applied), invalid (bad key,
 *         credentials, missing bucket: the message says what to mend), exhausted (disk full), corrupt
 */
export interface ObjectStore {
  /** Absolute URI of the root without a trailing slash, as table readers use it: `s3://bucket/prefix`, `file:///data`. */
  readonly uri: string
  /**
   * Creates or replaces. On `unavailable` it may or may not have been applied. Once it has resolved, the store looks at the body
   * no more; when it rejected, it still may.
   */
  put(key: string, body: ObjectBody): Promise<void>
  /**
   * Creates an object whose key is the caller's alone: nobody else writes it, and nobody reads it before this has resolved and
   * the caller has told of it. Until then, and for good when it failed or the process died, a part of the object may stand there,
   * which spares a store the steps that make objects appear whole. A key is used once, also after a failure. Outcomes as of `put`.
   */
  putOwned(key: string, body: ObjectBody): Promise<void>
  /** Creates only when no object has the key; atomic against every other writer. */
  putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome>
  /** The object or the part of it that exists inside the range, owned by the caller; undefined when there is no such object. */
  get(key: string, range?: ByteRange): Promise<Uint8Array | undefined>
  head(key: string): Promise<ObjectInfo | undefined>
  /** Up to 1,000 objects whose keys start with `prefix`, in key order, after the key `after`. */
  list(prefix: string, after?: string): Promise<ObjectPage>
  /** Removing what does not exist is fine. */
  delete(keys: readonly string[]): Promise<void>
  startMultipart(key: string): Promise<MultipartUpload>
}
