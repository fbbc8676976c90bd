/**
 * Names of data objects, derived from what the catalog granted: (grant id, index) and nothing else, so that an agent needs no
 * listing and no randomness to know which objects may exist. The first folder spreads load over a store's key space
 * (two hex digits of a multiplicative hash).
 *
 *   segment           segments/<hash>/<grant>-<index>.log
 *   data file         <table folder>/data/<hash>/<grant>-<index>.parquet
 *   dead letter file  <table folder>/dead-letters/<grant>-<index>.parquet
 */
export const segmentsPrefix = 'segments/'
export const tablesPrefix = 'tables/'

export function segmentKey(grantId: number, nameIndex: number): string {
  return `${segmentsPrefix}${spread(grantId, nameIndex)}/${grantedName(grantId, nameIndex)}.log`
}

/** The folder of a table under the store's root. */
export function tableFolder(tableName: string, tableUuid: string): string {
  return `${tablesPrefix}${tableName}-${tableUuid.slice(0, 8)}`
}

/** Relative to the table's folder. */
export function dataFilePath(grantId: number, nameIndex: number): string {
  return `data/${spread(grantId, nameIndex)}/${grantedName(grantId, nameIndex)}.parquet`
}

/** Relative to the table's folder. */
export function deadLetterFilePath(grantId: number, nameIndex: number): string {
  return `dead-letters/${grantedName(grantId, nameIndex)}.parquet`
}

function grantedName(grantId: number, nameIndex: number): string {
  return `${String(grantId).padStart(12, '0')}-${nameIndex}`
}

function spread(grantId: number, nameIndex: number): string {
  // Knuth's multiplicative hash; the top byte mixes best.
  const hash = Math.imul(grantId * 1_000_003 + nameIndex, 0x9e3779b1) >>> 24
  return hash.toString(16).padStart(2, '0')
}
