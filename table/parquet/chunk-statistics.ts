/** Our exact statistics in the form Parquet's footer has them (parquet.thrift, Statistics; column order TYPE_ORDER). */
import { countDecimalBytes, decodeDecimal, encodeDecimalFixed } from '../single-value.ts'
import type { PrimitiveType } from '../types.ts'
import { statisticsField } from './footer.ts'
import type { LeafStatistics } from './statistics.ts'
import { ThriftStruct } from './thrift.ts'

export function createChunkStatistics(leaf: LeafStatistics): ThriftStruct {
  const { type } = leaf.leaf
  const { lower, upper, lowerExact, upperExact } = leaf.toColumnStatistics(0)
  const statistics = new ThriftStruct().setInt64(statisticsField.nullCount, leaf.nullCount)
  // Readers that do not know nanCount would prune NaNs by these bounds.
  if (leaf.nanCount > 0) return statistics
  if (upper !== undefined) {
    statistics
      .setBytes(statisticsField.maxValue, encodePlain(type, upper))
      .setBool(statisticsField.maxIsExact, upperExact)
  }
  if (lower !== undefined) {
    statistics
      .setBytes(statisticsField.minValue, encodePlain(type, lower))
      .setBool(statisticsField.minIsExact, lowerExact)
  }
  return statistics
}

/** Decimals are the only type whose single value differs from Parquet's plain encoding without length. */
function encodePlain(type: PrimitiveType, single: Uint8Array): Uint8Array {
  if (type.kind !== 'decimal') return single
  const value = decodeDecimal(single)
  if (type.precision > 18) return encodeDecimalFixed(value, countDecimalBytes(type.precision))
  const bytes = new Uint8Array(type.precision <= 9 ? 4 : 8)
  const view = new DataView(bytes.buffer)
  if (type.precision <= 9) view.setInt32(0, Number(value), true)
  else view.setBigInt64(0, value, true)
  return bytes
}
