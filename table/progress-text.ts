/**
 * Source progress as text, the same in the Iceberg snapshot summary and in the Delta commit: `0:0-1500,1:20-980` says that the
 * version holds the offsets [0, 1500) of partition 0 and [20, 980) of partition 1. Partitions ascend. A partition that is there
 * twice had two generations (its topic was created again, or it was truncated), the older one first.
 */
import { FloeError } from '../core/errors.ts'
import type { SourceProgress } from './rendering.ts'

/** The snapshot summary key and the member of Delta's commit that hold the text. */
export const progressKey = 'floe.progress'

export function formatProgress(progress: readonly SourceProgress[]): string {
  return progress
    .toSorted((a, b) => a.partition - b.partition)
    .map(({ partition, start, end }) => `${partition}:${start}-${end}`)
    .join(',')
}

const rangeText = /^(\d{1,10}):(\d{1,19})-(\d{1,19})$/

export function parseProgress(text: string, what: string): SourceProgress[] {
  if (text === '') return []
  return text.split(',').map(part => {
    const match = rangeText.exec(part)
    if (match === null)
      throw new FloeError('corrupt', 'malformed-progress', `${what}: ${JSON.stringify(part)} is no offset range`)
    return { partition: Number(match[1]), start: BigInt(match[2]!), end: BigInt(match[3]!) }
  })
}
