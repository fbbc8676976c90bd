import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import type { ApiName } from '../../../kafka/api-keys.ts'
import { isVersionServed } from '../../../kafka/api-keys.ts'
import type { ResponseBody } from '../../../kafka/protocol/codec.ts'
import { decodeRequest, decodeRequestHeader, encodeRequest, encodeResponse } from '../../../kafka/protocol/codec.ts'
import { buildBatch } from '../../../kafka/records/build.ts'
import { validateProducedBatch } from '../../../kafka/records/validate.ts'

/** Our codecs against those of kafkajs 2.2.4: its requests into our decoders, our responses into its. */
interface KafkajsCall {
  readonly request: { readonly apiKey: number; readonly apiVersion: number; readonly encode: () => Promise<unknown> }
  readonly response: { readonly decode: (body: Buffer) => Promise<unknown> }
}
interface KafkajsApi {
  readonly versions: readonly string[]
  readonly protocol: (of: { version: number }) => (args: unknown) => KafkajsCall
}
const require = createRequire(import.meta.url)
const load = (name: string): KafkajsApi => require(`kafkajs/src/protocol/requests/${name}`)
const encodeFrame: (of: object) => Promise<{ readonly buffer: Buffer }> = require('kafkajs/src/protocol/request')

const topics = [{ topic: 't', partitions: [{ partition: 3 }] }]
const producer = { transactionalId: 'tx', producerId: '77', producerEpoch: 2 }
const member = { groupId: 'g', memberId: 'm', groupGenerationId: 4, generationId: 4, groupInstanceId: 'i' }

/** Arguments as kafkajs names them, and what must come out of our decoder in the newest version it has. */
const requests: readonly (readonly [ApiName, string, unknown, object])[] = [
  ['ApiVersions', 'apiVersions', undefined, {}],
  [
    'Metadata',
    'metadata',
    { topics: ['a', 'b'], allowAutoTopicCreation: false },
    { topics: [{ name: 'a' }, { name: 'b' }], allowAutoTopicCreation: false },
  ],
  [
    'Fetch',
    'fetch',
    {
      maxWaitTime: 5,
      minBytes: 1,
      maxBytes: 9,
      rackId: 'r',
      topics: [{ topic: 't', partitions: [{ partition: 1, fetchOffset: '12', maxBytes: 8 }] }],
    },
    {
      isolationLevel: 1,
      rackId: 'r',
      topics: [{ topic: 't', partitions: [{ fetchOffset: 12n, partitionMaxBytes: 8 }] }],
    },
  ],
  [
    'ListOffsets',
    'listOffsets',
    { topics: [{ topic: 't', partitions: [{ partition: 1, timestamp: -2 }] }] },
    { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 1, timestamp: -2n }] }] },
  ],
  [
    'OffsetCommit',
    'offsetCommit',
    { ...member, topics: [{ topic: 't', partitions: [{ partition: 1, offset: '9' }] }] },
    { generationIdOrMemberEpoch: 4, topics: [{ partitions: [{ committedOffset: 9n, committedMetadata: null }] }] },
  ],
  ['OffsetFetch', 'offsetFetch', { groupId: 'g', topics }, { groupId: 'g', topics: [{ partitionIndexes: [3] }] }],
  ['FindCoordinator', 'findCoordinator', { groupId: 'g', coordinatorType: 1 }, { key: 'g', keyType: 1 }],
  [
    'JoinGroup',
    'joinGroup',
    {
      ...member,
      sessionTimeout: 6_000,
      rebalanceTimeout: 7_000,
      protocolType: 'consumer',
      groupProtocols: [{ name: 'range', metadata: Buffer.from('meta') }],
    },
    { rebalanceTimeoutMs: 7_000, protocols: [{ name: 'range', metadata: Buffer.from('meta') }] },
  ],
  ['Heartbeat', 'heartbeat', member, { groupId: 'g', generationId: 4, memberId: 'm' }],
  ['LeaveGroup', 'leaveGroup', member, { groupId: 'g', members: [{ memberId: 'm' }] }],
  [
    'SyncGroup',
    'syncGroup',
    { ...member, groupAssignment: [{ memberId: 'm', memberAssignment: Buffer.from('a') }] },
    { assignments: [{ memberId: 'm', assignment: Buffer.from('a') }] },
  ],
  ['DescribeGroups', 'describeGroups', { groupIds: ['g', 'h'] }, { groups: ['g', 'h'] }],
  ['ListGroups', 'listGroups', undefined, {}],
  ['SaslHandshake', 'saslHandshake', { mechanism: 'PLAIN' }, { mechanism: 'PLAIN' }],
  [
    'CreateTopics',
    'createTopics',
    {
      topics: [{ topic: 't', numPartitions: 3, replicationFactor: 1, configEntries: [{ name: 'a', value: 'b' }] }],
      timeout: 5,
      validateOnly: true,
    },
    { validateOnly: true, topics: [{ numPartitions: 3, configs: [{ name: 'a', value: 'b' }] }] },
  ],
  ['DeleteTopics', 'deleteTopics', { topics: ['t'], timeout: 5 }, { topicNames: ['t'], timeoutMs: 5 }],
  [
    'DeleteRecords',
    'deleteRecords',
    { topics: [{ topic: 't', partitions: [{ partition: 1, offset: '5' }] }] },
    { topics: [{ partitions: [{ partitionIndex: 1, offset: 5n }] }] },
  ],
  [
    'InitProducerId',
    'initProducerId',
    { transactionalId: 'tx' },
    { transactionalId: 'tx', transactionTimeoutMs: 5_000 },
  ],
  [
    'DescribeConfigs',
    'describeConfigs',
    { resources: [{ type: 2, name: 't' }], includeSynonyms: true },
    { resources: [{ resourceType: 2, configurationKeys: null }], includeSynonyms: true },
  ],
  [
    'AlterConfigs',
    'alterConfigs',
    { resources: [{ type: 2, name: 't', configEntries: [{ name: 'a', value: 'b' }] }] },
    { resources: [{ configs: [{ name: 'a', value: 'b' }] }] },
  ],
  [
    'CreatePartitions',
    'createPartitions',
    { topicPartitions: [{ topic: 't', count: 9 }], timeout: 1, validateOnly: false },
    { topics: [{ count: 9, assignments: null }] },
  ],
  ['DeleteGroups', 'deleteGroups', ['g'], { groupsNames: ['g'] }],
  [
    'AddPartitionsToTxn',
    'addPartitionsToTxn',
    { ...producer, topics: [{ topic: 't', partitions: [1, 2] }] },
    { v3AndBelowProducerId: 77n, v3AndBelowTopics: [{ partitions: [1, 2] }] },
  ],
  ['AddOffsetsToTxn', 'addOffsetsToTxn', { ...producer, groupId: 'g' }, { producerEpoch: 2, groupId: 'g' }],
  ['EndTxn', 'endTxn', { ...producer, transactionResult: true }, { committed: true }],
  [
    'TxnOffsetCommit',
    'txnOffsetCommit',
    { ...producer, groupId: 'g', topics: [{ topic: 't', partitions: [{ partition: 1, offset: '5', metadata: 'm' }] }] },
    { topics: [{ partitions: [{ committedOffset: 5n, committedMetadata: 'm' }] }] },
  ],
]

async function callsOf(api: ApiName, name: string, args: unknown): Promise<KafkajsCall[]> {
  const { versions, protocol } = load(name)
  return versions
    .map(Number)
    .filter(version => isVersionServed(api, version))
    .map(version => protocol({ version })(args))
}

async function encodeByKafkajs(call: KafkajsCall): Promise<Buffer> {
  const { buffer } = await encodeFrame({ correlationId: 5, clientId: 'kafkajs', request: call.request })
  return buffer
}

describe('requests of kafkajs', () => {
  test.each(requests)(
    '%s decode in every version, and encode again to the same bytes',
    async (api, name, args, expected) => {
      const calls = await callsOf(api, name, args)
      expect(calls.length).toBeGreaterThan(0)
      let newest: unknown
      for (const call of calls) {
        const frame = await encodeByKafkajs(call)
        const header = decodeRequestHeader(frame.subarray(4))
        expect(header).toMatchObject({ api, apiVersion: call.request.apiVersion, isServed: true, clientId: 'kafkajs' })
        const body = decodeRequest(api, header.apiVersion, frame.subarray(4), header.bodyOffset)
        const again = Buffer.concat(encodeRequest(api, header.apiVersion, header, body))
        expect(again.toString('hex'), `v${header.apiVersion}`).toBe(frame.toString('hex'))
        newest = body
      }
      expect(newest).toMatchObject(expected)
    },
  )

  test.each([
    ['none', 0],
    ['gzip', 1],
  ] as const)('Produce brings batches in %s that pass validation', async (codec, compression) => {
    const args = {
      acks: -1,
      timeout: 100,
      compression,
      topicData: [
        {
          topic: 't',
          partitions: [
            {
              partition: 0,
              firstSequence: 0,
              messages: [
                { key: 'a', value: 'one', timestamp: 1_000, headers: { h: 'v', many: ['x', 'y'] } },
                { key: null, value: null, timestamp: 2_000 },
              ],
            },
          ],
        },
      ],
    }
    for (const call of await callsOf('Produce', 'produce', args)) {
      const frame = (await encodeByKafkajs(call)).subarray(4)
      const header = decodeRequestHeader(frame)
      const body = decodeRequest('Produce', header.apiVersion, frame, header.bodyOffset)
      const { records } = body.topicData[0]!.partitionData[0]!
      const checked = validateProducedBatch(records, {
        batchBytesMax: 10_000,
        checkRecords: true,
        isZstdAllowed: true,
      })
      expect(checked).toMatchObject({ outcome: 'valid', codec, recordCount: 2, maxTimestamp: 2_000n })
    }
  })
})

/** Our response in the newest version that kafkajs speaks, through its decoder. */
async function decodeByKafkajs<A extends ApiName>(api: A, name: string, args: unknown, body: ResponseBody<A>) {
  const call = (await callsOf(api, name, args)).at(-1)!
  const frame = Buffer.concat(encodeResponse(api, call.request.apiVersion, 5, body))
  return call.response.decode(frame.subarray(8))
}

describe('responses to kafkajs', () => {
  test('Fetch gives the records of several batches', async () => {
    const record = { key: Buffer.from('k'), value: Buffer.from('v'), timestampMs: 1_000n }
    const headers = [{ key: 'h', value: Buffer.from('x') }]
    const decoded = await decodeByKafkajs('Fetch', 'fetch', requests[2]![2], {
      responses: [
        {
          topic: 't',
          partitions: [
            {
              partitionIndex: 1,
              errorCode: 0,
              highWatermark: 14n,
              lastStableOffset: 14n,
              abortedTransactions: [{ producerId: 5n, firstOffset: 3n }],
              records: [
                buildBatch([record, { ...record, headers }], { baseOffset: 10n }),
                buildBatch([record, record], { baseOffset: 12n, codec: 'gzip' }),
              ],
            },
          ],
        },
      ],
    })
    expect(decoded).toMatchObject({
      responses: [
        {
          topicName: 't',
          partitions: [
            {
              partition: 1,
              highWatermark: '14',
              abortedTransactions: [{ producerId: '5', firstOffset: '3' }],
              messages: ['10', '11', '12', '13'].map(offset => ({ offset, timestamp: '1000', key: Buffer.from('k') })),
            },
          ],
        },
      ],
    })
  })

  test('Metadata, JoinGroup, OffsetFetch and DescribeConfigs are read in full', async () => {
    expect(
      await decodeByKafkajs('Metadata', 'metadata', requests[1]![2], {
        brokers: [{ nodeId: 1, host: 'h', port: 9_092, rack: null }],
        clusterId: 'c',
        controllerId: 1,
        topics: [
          {
            errorCode: 0,
            name: 't',
            partitions: [
              { errorCode: 0, partitionIndex: 2, leaderId: 1, replicaNodes: [1], isrNodes: [1], offlineReplicas: [] },
            ],
          },
        ],
      }),
    ).toMatchObject({
      brokers: [{ nodeId: 1, host: 'h', port: 9_092 }],
      clusterId: 'c',
      topicMetadata: [{ topic: 't', partitionMetadata: [{ partitionId: 2, leader: 1, isr: [1] }] }],
    })
    expect(
      await decodeByKafkajs('JoinGroup', 'joinGroup', requests[7]![2], {
        errorCode: 0,
        generationId: 6,
        protocolName: 'range',
        leader: 'm',
        memberId: 'm',
        members: [{ memberId: 'm', groupInstanceId: null, metadata: Buffer.from('x') }],
      }),
    ).toMatchObject({ generationId: 6, leaderId: 'm', members: [{ memberId: 'm', memberMetadata: Buffer.from('x') }] })
    expect(
      await decodeByKafkajs(
        'OffsetFetch',
        'offsetFetch',
        { groupId: 'g', topics },
        {
          topics: [
            {
              name: 't',
              partitions: [{ partitionIndex: 3, committedOffset: -1n, metadata: null, errorCode: 0 }],
            },
          ],
        },
      ),
    ).toMatchObject({ errorCode: 0, responses: [{ topic: 't', partitions: [{ partition: 3, offset: '-1' }] }] })
    expect(
      await decodeByKafkajs(
        'DescribeConfigs',
        'describeConfigs',
        { resources: [] },
        {
          results: [
            {
              errorCode: 0,
              errorMessage: null,
              resourceType: 2,
              resourceName: 't',
              configs: [
                {
                  name: 'a',
                  value: 'b',
                  readOnly: false,
                  configSource: 5,
                  isSensitive: false,
                  synonyms: [{ name: 'a', value: 'b', source: 5 }],
                },
              ],
            },
          ],
        },
      ),
    ).toMatchObject({
      resources: [{ resourceName: 't', configEntries: [{ configName: 'a', configSource: 5, configSynonyms: [{}] }] }],
    })
  })
})
