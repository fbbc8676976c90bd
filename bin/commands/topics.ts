/** `floe topics` */
import type { TopicView } from '../../api/v1/views.ts'
import { formatCount, formatTable, type Output } from '../cli/output.ts'
import { openAsker } from '../cli/place.ts'
import type { PlaceOptions } from '../main.ts'

export async function runTopics(place: PlaceOptions, output: Output): Promise<void> {
  const asker = await openAsker(place)
  const { topics } = await asker.get<{ topics: readonly TopicView[] }>('/topics')
  output.result({ topics }, () => {
    if (topics.length === 0) return 'no topics'
    const rows = topics.map(({ name, partitions, records, configs }) => [
      name,
      formatCount(partitions.length),
      formatCount(BigInt(records)),
      Object.entries(configs)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    ])
    return formatTable(['topic', 'partitions', 'records', 'configs'], rows, ['left', 'right', 'right'])
  })
}
