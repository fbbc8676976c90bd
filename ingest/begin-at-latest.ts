/**
 * `start_offset: latest`: where a table begins is decided once, when the topic is there for the first time, and written down in
 * the account as an empty range of every partition. Decided by whoever reads next, it would move with every restart until the
 * first commit, and what was produced meanwhile would be passed over in silence. Partitions that the topic gets later begin at
 * their beginning: all their records are younger than the table. So are those of a topic that the table had to wait for.
 */
import type { CatalogClient, CoverageRange, SourceCoverage } from '../catalog/client.ts'
import type { RecordSource, SourceTopic } from '../kafka/record-source.ts'
import { isUnread } from './positions.ts'

/**
 * accounts  of all partitions, claimed just now
 * returns   the accounts as they are afterwards, or undefined: another owner was faster, claim again
 * errors    what the source and the catalog throw
 */
export async function beginAtLatest(
  catalog: CatalogClient,
  source: RecordSource,
  tableId: number,
  topic: string,
  { topicId }: SourceTopic,
  accounts: readonly SourceCoverage[],
): Promise<readonly SourceCoverage[] | undefined> {
  if (!accounts.every(isUnread)) return accounts
  const states = await source.partitionStates(
    topic,
    accounts.map(({ partition }) => partition),
  )
  const coverage = accounts.map(({ partition, ownerEpoch }, index): CoverageRange => {
    const { endOffset } = states[index]!
    const nothing = { written: 0, filtered: 0, rejected: 0, control: 0, gap: 0n, maxTimestampMs: -1 }
    return { partition, topicId, start: endOffset, end: endOffset, ...nothing, ownerEpoch }
  })
  const { outcome } = await catalog.commitTableFiles({ tableId, files: [], deadLetterFiles: [], coverage })
  if (outcome !== 'committed') return undefined
  return accounts.map((account, index) => {
    const { endOffset } = states[index]!
    return { ...account, topicId, start: endOffset, end: endOffset }
  })
}
