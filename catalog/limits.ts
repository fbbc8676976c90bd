/** Every bound of the catalog, by name. Those that an operator may want to move are options (open-catalog.ts). */

/** One command's payload. */
export const commandBytesMax = 8 * 1024 * 1024
/** One command's encoded result. */
export const resultBytesMax = 16 * 1024 * 1024

/** One journal entry: a batch that was nearly full when the largest command came, with room for its clients. */
export const entryBytesMax = 32 * 1024 * 1024

/** A client may retry its last so many requests and get the first answer; it keeps at most so many in flight. */
export const receiptsPerClientMax = 128
/** Results up to this size lie in the client's slab, larger ones beside it. */
export const inlineReceiptBytesMax = 24
/** Larger results of one client together; the oldest are dropped first. */
export const largeReceiptBytesPerClientMax = 4 * 1024 * 1024
/** Beyond it the client that was silent longest is forgotten; its next command is refused and never applied twice. */
export const clientSessionsMax = 1024
export const clientSessionExpiryMs = 24 * 3600_000

export const topicsMax = 100_000
export const partitionsPerTopicMax = 100_000
export const partitionsMax = 1_000_000
export const configsPerTopicMax = 1000
/** A segment lies within 32-bit byte offsets. */
export const segmentBytesMax = 0xffff_ffff
export const segmentBatchesMax = 500_000
export const findRunsMax = 1000

export const producerBatchesKept = 5
export const producerExpiryMs = 24 * 3600_000
export const producerStatesMax = 5_000_000
export const producerIdBlockMax = 1_000_000

export const namesPerGrantMax = 65_536
export const grantTtlMsMax = 7 * 24 * 3600_000
export const grantsMax = 100_000
/** After a grant's deadline its unused names stay untouched for this long: a slow put may still arrive. */
export const grantGraceMs = 3600_000

export const groupOffsetsMax = 2_000_000
export const groupClaimsMax = 1_000_000

export const nodesMax = 1_000
/** So many may ever come; beyond it a number is no level. */
export const formatLevelsMax = 10_000
/** Places whose node id is remembered when their process is gone. */
export const nodePlacesKept = 4_000

export const tablesMax = 100_000
export const sourcePartitionsMax = 100_000
/** Over all partitions. Each stands in the progress text of every version: 100,000 make it about 2 MB long. */
export const closedGenerationsPerTableMax = 100_000
export const filesPerCommitMax = 100_000
export const publishedVersionsKept = 10_000
export const tableFilesPageMax = 10_000

/** Expiry looks at all producers, sessions and grants at most this often. */
export const sweepIntervalMs = 60_000
