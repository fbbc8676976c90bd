import { createHash } from 'node:crypto'

/**
 * The Iceberg snapshot id of a table's version: positive, 63 bits, never 0, the same each time it is asked for. A hash, so that
 * ids of different tables and of a recreated table differ. Version 0 has none.
 */
export function deriveSnapshotId(tableUuid: Uint8Array, version: number): bigint | undefined {
  if (version === 0) return undefined
  const input = new Uint8Array(24)
  input.set(tableUuid)
  new DataView(input.buffer).setBigUint64(16, BigInt(version))
  const digest = createHash('sha256').update(input).digest()
  const id = digest.readBigUInt64BE(0) & 0x7fff_ffff_ffff_ffffn
  return id === 0n ? 1n : id
}
