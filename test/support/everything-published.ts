import type { CatalogClient } from '../../catalog/client.ts'

/** Whether every record that the topics hold is in a published version of the table named after the topic. */
export async function isEverythingPublished(
  catalog: CatalogClient,
  topics: readonly { readonly topic: string; readonly partitionCount: number }[],
): Promise<boolean> {
  for (const { topic, partitionCount } of topics) {
    const table = await catalog.tableByName(`floe__${topic}`)
    const found = await catalog.topicByName(topic)
    if (table === undefined || found === undefined || table.published?.rowCount !== table.rowCount) return false
    const coverage = await catalog.sourceCoverage(table.tableId)
    const states = await catalog.partitionStates(
      Array.from({ length: partitionCount }, (_, partition) => ({ topicId: found.topicId, partition })),
    )
    for (const [partition, state] of states.entries()) {
      const account = coverage.find(each => each.partition === partition)
      const isCovered = account?.topicId === found.topicId && account.end === state!.highWatermark
      if (state!.highWatermark > 0n && !isCovered) return false
    }
  }
  return true
}
