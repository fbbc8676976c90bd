/**
 * Topics by name or id as clients ask for them: before one is called unknown, this agent makes sure that it has heard of everything
 * that others were answered, since the client may have created it through another agent a moment ago.
 */
import type { CatalogClient, Topic } from '../catalog/client.ts'

type TopicQueries = Pick<CatalogClient, 'topicByName' | 'topicById' | 'readBarrier'>

/** errors  unavailable: nobody leads the catalog */
export async function findTopicByName(catalog: TopicQueries, name: string): Promise<Topic | undefined> {
  const found = await catalog.topicByName(name)
  if (found !== undefined) return found
  await catalog.readBarrier()
  return catalog.topicByName(name)
}

/** errors  unavailable: nobody leads the catalog */
export async function findTopicById(catalog: TopicQueries, topicId: string): Promise<Topic | undefined> {
  const found = await catalog.topicById(topicId)
  if (found !== undefined) return found
  await catalog.readBarrier()
  return catalog.topicById(topicId)
}
