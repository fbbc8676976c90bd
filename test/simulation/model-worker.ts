/**
 * Workers that share a table which exists in the catalog alone, and go by what they believe: a worker commits under the owner epoch it
 * was given, however long ago, and a range again whose outcome it was not told, as a new command. The catalog must let through each
 * offset once, and of two owners only the last.
 */
import type { CatalogClient, CommitTableFilesResult } from '../../catalog/client.ts'
import { numberedTable } from '../support/numbered-table.ts'
import type { FloeHost } from './floe-host.ts'
import type { World } from './world.ts'

export interface ModelWorkersParts {
  readonly world: World
  readonly hosts: readonly FloeHost[]
  readonly violations: string[]
}

const workerCount = 3
const pauseMsMax = 800
const rangeCountMax = 9
const { definition } = numberedTable('ranges', { freshnessMs: 1_000 })

interface Claim {
  readonly ownerEpoch: number
  end: bigint
}

/** Several workers, and what they were answered, together. */
export class ModelWorkers {
  readonly #parts: ModelWorkersParts
  /** The latest owner epoch that anybody was given. */
  #ownerEpoch = 0
  /** Ranges that were committed, in the order of the answers. */
  readonly #committed: { readonly start: bigint; readonly end: bigint }[] = []
  #isStopping = false

  constructor(parts: ModelWorkersParts) {
    this.#parts = parts
    for (let index = 0; index < workerCount; index++) void this.#run()
  }

  stop(): void {
    this.#isStopping = true
  }

  async #run(): Promise<void> {
    const { world, hosts } = this.#parts
    let claim: Claim | undefined
    while (!this.#isStopping) {
      await world.delay(world.random.fraction() * pauseMsMax)
      const host = world.pick(hosts)
      if (claim === undefined || world.chance(0.1)) claim = await this.#claim(host)
      else if (!(await this.#commit(host, claim))) claim = undefined
    }
  }

  async #claim(host: FloeHost): Promise<Claim | undefined> {
    const accounts = await host.ask(async client => {
      const { table } = await client.createTable(definition)
      return client.claimSourcePartitions(table.tableId, [0])
    })
    const account = accounts?.[0]
    if (account === undefined || typeof account === 'string') return undefined
    this.#ownerEpoch = Math.max(this.#ownerEpoch, account.ownerEpoch)
    return { ownerEpoch: account.ownerEpoch, end: account.end < 0n ? 0n : account.end }
  }

  /** False: the claim is worth nothing any more. */
  async #commit(host: FloeHost, claim: Claim): Promise<boolean> {
    const { world } = this.#parts
    const end = claim.end + BigInt(world.between(1, rangeCountMax))
    const latestEpoch = this.#ownerEpoch
    const result = await host.ask(client => commitRange(client, claim, end))
    // Whether it was applied is not known: the next one may begin where this one ended, or where it began.
    if (result === undefined) {
      if (world.chance(0.5)) claim.end = end
      return true
    }
    if (result.outcome !== 'committed') return result.outcome !== 'fenced'
    if (claim.ownerEpoch < latestEpoch) {
      this.#violate(`an owner of epoch ${claim.ownerEpoch} committed to ${end} when ${latestEpoch} was given out`)
    }
    const doubled = this.#committed.find(other => other.start < end && claim.end < other.end)
    if (doubled !== undefined) {
      this.#violate(`offsets ${claim.end} to ${end} were committed, and so were ${doubled.start} to ${doubled.end}`)
    }
    this.#committed.push({ start: claim.end, end })
    claim.end = end
    return true
  }

  #violate(what: string): void {
    this.#parts.violations.push(what)
  }
}

async function commitRange(client: CatalogClient, claim: Claim, end: bigint): Promise<CommitTableFilesResult> {
  const { tableId } = (await client.tableByName(definition.name))!
  const range = {
    partition: 0,
    topicId: undefined,
    start: claim.end,
    end,
    written: 0,
    filtered: 0,
    rejected: 0,
    control: Number(end - claim.end),
    gap: 0n,
    maxTimestampMs: -1,
    ownerEpoch: claim.ownerEpoch,
  }
  return client.commitTableFiles({ tableId, files: [], deadLetterFiles: [], coverage: [range] })
}
