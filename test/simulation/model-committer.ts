/**
 * A consumer that assigns partitions itself and commits rising offsets for a group, through whichever agent coordinates it, and reads
 * them back from any: an offset that was acknowledged is never unseen again, and none appears that was not sent. A commit that was not
 * answered may arrive after later ones: the committer goes on with a group of another name then.
 */
import { kafkaErrorCode } from '../../kafka/errors.ts'
import type { FloeHost } from './floe-host.ts'
import { ModelClient } from './model-client.ts'
import type { World } from './world.ts'

export interface ModelCommitterParts {
  readonly world: World
  readonly group: string
  readonly topic: string
  readonly hosts: readonly FloeHost[]
  readonly violations: string[]
}

export class ModelCommitter {
  readonly #parts: ModelCommitterParts
  readonly #committing: ModelClient
  readonly #reading: ModelClient
  #groupCount = 0
  #sent = 0n
  #acknowledged = 0n
  #isStopping = false
  acknowledgedCount = 0

  constructor(parts: ModelCommitterParts) {
    this.#parts = parts
    this.#committing = new ModelClient(parts.world, `committer of ${parts.group}`)
    this.#reading = new ModelClient(parts.world, `reader of ${parts.group}`)
    void this.#run()
  }

  get #group(): string {
    return `${this.#parts.group}-${this.#groupCount}`
  }

  stop(): void {
    this.#isStopping = true
  }

  async #run(): Promise<void> {
    const { world } = this.#parts
    while (!this.#isStopping) {
      if (world.chance(0.4)) await this.#read()
      else if (!(await this.#commit())) await this.#changeGroup()
      await this.#committing.sleep(world.random.fraction() * 200)
    }
  }

  /** What was acknowledged is still there, whether or not the last commit arrives. */
  async #changeGroup(): Promise<void> {
    for (let reads = this.#parts.world.between(0, 3); reads > 0; reads--) await this.#read()
    this.#groupCount++
    this.#sent = 0n
    this.#acknowledged = 0n
  }

  /** False: whether it was applied, or will be, is not known. */
  async #commit(): Promise<boolean> {
    const { topic, hosts } = this.#parts
    const offset = ++this.#sent
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }]
    const answer = await this.#committing.call(hosts, client =>
      client.call(
        'OffsetCommit',
        {
          groupId: this.#group,
          generationIdOrMemberEpoch: -1,
          memberId: '',
          groupInstanceId: null,
          topics: [{ name: topic, partitions }],
        },
        8,
      ),
    )
    const errorCode = answer?.topics[0]?.partitions[0]?.errorCode
    if (errorCode === 0) {
      this.#acknowledged = offset
      this.acknowledgedCount++
      return true
    }
    // Another agent coordinates it; with so few, trying all of them finds it.
    this.#committing.disconnect()
    return errorCode === kafkaErrorCode.NOT_COORDINATOR || errorCode === kafkaErrorCode.COORDINATOR_NOT_AVAILABLE
  }

  async #read(): Promise<void> {
    const { topic, hosts, violations } = this.#parts
    const group = this.#group
    const least = this.#acknowledged
    const topics = [{ name: topic, partitionIndexes: [0] }]
    const groups = [{ groupId: group, memberId: null, memberEpoch: -1, topics }]
    this.#reading.disconnect()
    const answer = await this.#reading.call(hosts, client =>
      client.call('OffsetFetch', { groups, requireStable: false }, 8),
    )
    const found = answer?.groups[0]?.topics[0]?.partitions[0]
    if (found === undefined || found.errorCode !== 0) return
    const offset = found.committedOffset < 0n ? 0n : found.committedOffset
    if (offset < least) violations.push(`${group}: offset ${least} was committed, and ${offset} was read afterwards`)
    if (offset > this.#sent) violations.push(`${group}: offset ${offset} was read and never sent`)
  }
}
