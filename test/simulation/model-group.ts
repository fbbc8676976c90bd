/**
 * A consumer group that reads a topic: members join, fetch, commit what they have seen and leave, or fall silent, through whichever
 * agents there are. A partition has one member in a generation; an offset that was committed is never unseen by a later reader; and what
 * lies below a committed offset was seen by a member.
 */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import { BatchCursor } from '../../kafka/records/batch.ts'
import type { TestClient } from '../support/in-memory-broker.ts'
import type { FloeHost } from './floe-host.ts'
import { ModelClient } from './model-client.ts'
import type { World } from './world.ts'

export interface ModelGroupParts {
  readonly world: World
  readonly group: string
  readonly topic: string
  readonly partitionCount: number
  readonly hosts: readonly FloeHost[]
  readonly violations: string[]
}

const memberCount = 3
const sessionTimeoutMs = 6_000
const rebalanceTimeoutMs = 3_000
/** Longer than a rebalance takes. */
const answerTimeoutMs = 8_000
const fetchWaitMsMax = 500

/** What one member was told when it joined. */
interface Generation {
  readonly memberId: string
  readonly generationId: number
  /** The same for all members of a generation, and for no other one: generations count from 1 with each coordinator. */
  readonly name: string
  /** Those of the generation, for its leader to share the partitions out to; empty for the others. */
  readonly members: readonly string[]
}

type Reached = Map<number, bigint>

export class ModelGroup {
  readonly #parts: ModelGroupParts
  /** By generation and partition. */
  readonly #owners = new Map<string, string>()
  #latest = ''
  /** What readers must find at least, by partition. */
  readonly #committed: bigint[]
  /** Offsets that some member saw, by partition. */
  readonly #seen: Set<number>[]
  #isStopping = false

  constructor(parts: ModelGroupParts) {
    this.#parts = parts
    this.#committed = new Array<bigint>(parts.partitionCount).fill(0n)
    this.#seen = Array.from({ length: parts.partitionCount }, () => new Set())
    for (let index = 0; index < memberCount; index++) void this.#runMember(index)
  }

  stop(): void {
    this.#isStopping = true
  }

  get topic(): string {
    return this.#parts.topic
  }

  /** Whether the group has seen and committed all before these offsets, by partition. */
  hasCommitted(ends: readonly bigint[]): boolean {
    return (
      ends.length === this.#parts.partitionCount && ends.every((end, partition) => this.#committed[partition]! >= end)
    )
  }

  async #runMember(index: number): Promise<void> {
    const { world, group } = this.#parts
    const client = new ModelClient(world, `member ${index} of ${group}`)
    let memberId = ''
    while (!this.#isStopping) {
      const generation = await this.#join(client, memberId)
      if (typeof generation === 'string') {
        memberId = generation
        await client.sleep(50 + world.random.fraction() * 100)
        continue
      }
      await this.#live(client, generation)
      // Some go on under their name, some leave it, and some are just gone.
      if (world.chance(0.5)) memberId = generation.memberId
      else {
        if (world.chance(0.5)) await this.#leave(client, generation)
        memberId = ''
      }
    }
  }

  /** A text: it did not work, and the next try is under that member id. */
  async #join(client: ModelClient, memberId: string): Promise<Generation | string> {
    const { group } = this.#parts
    const answer = await this.#call(client, agent =>
      agent.call(
        'JoinGroup',
        {
          groupId: group,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          memberId,
          groupInstanceId: null,
          protocolType: 'model',
          protocols: [{ name: 'share', metadata: Buffer.from('') }],
          reason: null,
        },
        5,
      ),
    )
    if (answer === undefined) return memberId
    if (answer.errorCode === kafkaErrorCode.MEMBER_ID_REQUIRED) return answer.memberId
    if (answer.errorCode !== 0) return this.#giveUp(client, answer.errorCode, memberId)
    const { generationId } = answer
    const name = `${answer.leader}/${generationId}`
    const members = answer.members.map(each => each.memberId)
    this.#latest = name
    return { memberId: answer.memberId, generationId, name, members }
  }

  #giveUp(client: ModelClient, errorCode: number, memberId: string): string {
    if (isElsewhere(errorCode)) client.disconnect()
    return errorCode === kafkaErrorCode.UNKNOWN_MEMBER_ID ? '' : memberId
  }

  /** Until it is over. */
  async #live(client: ModelClient, generation: Generation): Promise<void> {
    const partitions = await this.#sync(client, generation)
    if (partitions === undefined) return
    const reached = await this.#fetchOffsets(client, partitions)
    if (reached === undefined) return
    const { world } = this.#parts
    for (let rounds = world.between(1, 30); rounds > 0 && !this.#isStopping; rounds--) {
      const errorCode = await this.#heartbeat(client, generation)
      if (errorCode !== 0) return
      if (partitions.length === 0) await client.sleep(fetchWaitMsMax)
      else if (!(await this.#read(client, reached)) || !(await this.#commit(client, generation, reached))) return
      await client.sleep(world.random.fraction() * 300)
    }
  }

  async #sync(client: ModelClient, generation: Generation): Promise<readonly number[] | undefined> {
    const { group, partitionCount, violations } = this.#parts
    const { generationId, memberId, name, members } = generation
    const all = Array.from({ length: partitionCount }, (_, partition) => partition)
    const assignments = members.map((member, index) => {
      const share = all.filter(partition => partition % members.length === index)
      return { memberId: member, assignment: Buffer.from(share.join(' ')) }
    })
    const answer = await this.#call(client, agent =>
      agent.call('SyncGroup', { groupId: group, generationId, memberId, groupInstanceId: null, assignments }, 3),
    )
    if (answer === undefined) return undefined
    if (answer.errorCode !== 0) {
      this.#giveUp(client, answer.errorCode, memberId)
      return undefined
    }
    const text = Buffer.from(answer.assignment).toString()
    const partitions = text === '' ? [] : text.split(' ').map(Number)
    for (const partition of partitions) {
      const place = `${name} ${partition}`
      const owner = this.#owners.get(place) ?? memberId
      if (owner !== memberId) violations.push(`${group}: ${owner} and ${memberId} both have partition ${partition}`)
      this.#owners.set(place, memberId)
    }
    return partitions
  }

  async #fetchOffsets(client: ModelClient, partitions: readonly number[]): Promise<Reached | undefined> {
    const { group, topic, violations } = this.#parts
    const least = [...this.#committed]
    const topics = [{ name: topic, partitionIndexes: [...partitions] }]
    const answer = await this.#call(client, agent =>
      agent.call(
        'OffsetFetch',
        { groups: [{ groupId: group, memberId: null, memberEpoch: -1, topics }], requireStable: true },
        8,
      ),
    )
    const reached: Reached = new Map()
    if (answer === undefined || answer.groups[0]?.errorCode !== 0) return undefined
    for (const { partitionIndex, committedOffset, errorCode } of answer.groups[0].topics[0]?.partitions ?? []) {
      if (errorCode !== 0) return undefined
      const offset = committedOffset < 0n ? 0n : committedOffset
      if (offset < least[partitionIndex]!) {
        violations.push(`${group}: ${offset} was read of ${partitionIndex}, and ${least[partitionIndex]} was committed`)
      }
      this.#checkSeen(partitionIndex, offset)
      reached.set(partitionIndex, offset)
    }
    return reached
  }

  /** Whoever committed has seen all before. */
  #checkSeen(partition: number, end: bigint): void {
    const { group, violations } = this.#parts
    for (let offset = 0; offset < Number(end); offset++) {
      if (this.#seen[partition]!.has(offset)) continue
      violations.push(`${group}: ${end} is committed for partition ${partition}, and nobody saw ${offset}`)
      return
    }
  }

  async #read(client: ModelClient, reached: Reached): Promise<boolean> {
    const { topic } = this.#parts
    const partitions = [...reached].map(([partition, fetchOffset]) => ({
      partition,
      fetchOffset,
      partitionMaxBytes: 64 * 1024,
    }))
    const answer = await this.#call(client, agent =>
      agent.call(
        'Fetch',
        {
          maxWaitMs: fetchWaitMsMax,
          minBytes: 1,
          maxBytes: 256 * 1024,
          isolationLevel: 1,
          topics: [{ topic, partitions }],
          forgottenTopicsData: [],
        },
        12,
      ),
    )
    if (answer === undefined || answer.errorCode !== 0) return false
    for (const { partitionIndex, errorCode, records } of answer.responses[0]?.partitions ?? []) {
      if (errorCode === 0 && records !== null) this.#see(partitionIndex, records, reached)
    }
    return true
  }

  #see(partition: number, records: Uint8Array, reached: Reached): void {
    const batch = new BatchCursor(records)
    while (batch.next()) {
      const end = batch.baseOffset + BigInt(batch.lastOffsetDelta) + 1n
      for (let offset = reached.get(partition)!; offset < end; offset++) {
        // What comes before the batch was passed over, and nobody saw it.
        if (offset >= batch.baseOffset) this.#seen[partition]!.add(Number(offset))
      }
      if (end > reached.get(partition)!) reached.set(partition, end)
    }
  }

  async #commit(client: ModelClient, generation: Generation, reached: Reached): Promise<boolean> {
    const { group, topic } = this.#parts
    const offsets = [...reached]
    const partitions = offsets.map(([partitionIndex, committedOffset]) => ({
      partitionIndex,
      committedOffset,
      committedMetadata: '',
    }))
    const answer = await this.#call(client, agent =>
      agent.call(
        'OffsetCommit',
        {
          groupId: group,
          generationIdOrMemberEpoch: generation.generationId,
          memberId: generation.memberId,
          groupInstanceId: null,
          topics: [{ name: topic, partitions }],
        },
        8,
      ),
    )
    const errorCode = answer?.topics[0]?.partitions.find(each => each.errorCode !== 0)?.errorCode
    if (answer === undefined || errorCode !== undefined) {
      this.#giveUp(client, errorCode ?? 0, generation.memberId)
      return false
    }
    // As in Kafka, a commit that is on its way while others form a new generation may come between their reading and committing.
    if (generation.name !== this.#latest) return false
    for (const [partition, offset] of offsets) this.#committed[partition] = offset
    return true
  }

  async #heartbeat(client: ModelClient, { generationId, memberId }: Generation): Promise<number> {
    const { group } = this.#parts
    const answer = await this.#call(client, agent =>
      agent.call('Heartbeat', { groupId: group, generationId, memberId, groupInstanceId: null }, 3),
    )
    if (answer !== undefined && answer.errorCode !== 0) this.#giveUp(client, answer.errorCode, memberId)
    return answer?.errorCode ?? -1
  }

  async #leave(client: ModelClient, { memberId }: Generation): Promise<void> {
    const { group } = this.#parts
    const members = [{ memberId, groupInstanceId: null }]
    await this.#call(client, agent => agent.call('LeaveGroup', { groupId: group, members }, 3))
  }

  #call<T>(client: ModelClient, make: (agent: TestClient) => Promise<T>): Promise<T | undefined> {
    return client.call(this.#parts.hosts, make, answerTimeoutMs)
  }
}

function isElsewhere(errorCode: number): boolean {
  return errorCode === kafkaErrorCode.NOT_COORDINATOR || errorCode === kafkaErrorCode.COORDINATOR_NOT_AVAILABLE
}
