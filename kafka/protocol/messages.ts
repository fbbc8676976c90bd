import type { ApiName } from '../api-keys.ts'
import { apiVersionsRequest, apiVersionsResponse } from './messages/api-versions.ts'
import { createTopicsRequest, createTopicsResponse } from './messages/create-topics.ts'
import { fetchRequest, fetchResponse } from './messages/fetch.ts'
import { initProducerIdRequest, initProducerIdResponse } from './messages/init-producer-id.ts'
import { listOffsetsRequest, listOffsetsResponse } from './messages/list-offsets.ts'
import { metadataRequest, metadataResponse } from './messages/metadata.ts'
import { produceRequest, produceResponse } from './messages/produce.ts'
import type { Struct } from './schema.ts'

/** Every described message by Kafka's name of the call; the versions stand in api-keys.ts. */
export const messages = {
  Produce: { request: produceRequest, response: produceResponse },
  Fetch: { request: fetchRequest, response: fetchResponse },
  ListOffsets: { request: listOffsetsRequest, response: listOffsetsResponse },
  Metadata: { request: metadataRequest, response: metadataResponse },
  ApiVersions: { request: apiVersionsRequest, response: apiVersionsResponse },
  CreateTopics: { request: createTopicsRequest, response: createTopicsResponse },
  InitProducerId: { request: initProducerIdRequest, response: initProducerIdResponse },
} as const satisfies Record<
  ApiName,
  { readonly request: Struct<unknown, unknown>; readonly response: Struct<unknown, unknown> }
>
