/**
 * Whether a column is worth a dictionary, judged by a sample of its first batch: building one for values that hardly repeat
 * costs time and bytes.
 */
import { bytesPrefix, type PrimitiveColumn } from './column-data.ts'

const sampleCount = 1024
/** With fewer values than this nothing can be said, and nothing is lost. */
const sampleCountMin = 32
const distinctShareMax = 0.5

export function isWorthDictionary(column: PrimitiveColumn): boolean {
  if (column.kind === 'boolean') return false
  const distinct = new Set<number | string>()
  const step = Math.max(1, Math.floor(column.length / sampleCount))
  let valueCount = 0
  for (let at = 0; at < column.length; at += step) {
    if (column.validity[at] === 0) continue
    valueCount++
    distinct.add(sampleKey(column, at))
  }
  return valueCount >= sampleCountMin && distinct.size <= valueCount * distinctShareMax
}

function sampleKey(column: PrimitiveColumn, at: number): number | string {
  switch (column.kind) {
    case 'int64':
      return column.words[at * 2 + 1]! * 0x1_0000_0000 + column.words[at * 2]!
    case 'decimal':
      return column.words[at * 4]!
    case 'bytes': {
      const start = column.offsets[at]! + bytesPrefix
      const { buffer, byteOffset } = column.bytes
      return Buffer.from(buffer, byteOffset + start, column.offsets[at + 1]! - start).toString('latin1')
    }
    default:
      return column.values[at]!
  }
}
