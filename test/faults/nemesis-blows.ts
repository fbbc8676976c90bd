/** What befalls a cluster of processes and what they stand on: one blow after the other. */
import { systemClock } from '../../core/clock.ts'
import type { Random } from '../../core/random.ts'
import type { Postgres, S3 } from '../peers/index.ts'
import type { CuttableLink, LinkState } from '../support/cuttable-link.ts'
import type { RestartedServer } from '../support/restarted-server.ts'
import type { SmallDisk } from '../support/small-disk.ts'
import { waitFor } from '../support/wait-for.ts'
import type { Member } from './cluster-members.ts'

/** A process, its ways to the store and to the database, and the way of the others to it. */
export interface Node {
  readonly member: Member
  readonly toStore: CuttableLink
  readonly toDatabase: CuttableLink | undefined
  readonly fromPeers: CuttableLink
}

/** What the processes stand on. */
export interface Ground {
  readonly store: RestartedServer<S3>
  /** Below the store. Undefined: none can be mounted here. */
  readonly disk: SmallDisk | undefined
  /** Undefined: the journal is in the store. */
  readonly database: RestartedServer<Postgres> | undefined
}

/** Each blow is over, and what it hit is back, when it resolves to what it was. */
type Blows = Readonly<Record<string, () => Promise<string>>>

const noticeMsMax = 60_000

/** Every kind once before chance decides, those to the database first. `blowCount`: left out, as many as there are kinds. */
export async function strike(
  nodes: readonly Node[],
  ground: Ground,
  random: Random,
  blowCount?: number,
): Promise<string[]> {
  const kinds = Object.entries(blowsTo(nodes, ground, random))
  const told: string[] = []
  for (let blow = 0; blow < (blowCount ?? kinds.length); blow++) {
    await systemClock.sleep(between(random, 500, 3_000))
    const [name, hit] = kinds[blow < kinds.length ? blow : Math.floor(random.fraction() * kinds.length)]!
    told.push(`${name} ${await hit()}`)
  }
  return told
}

function blowsTo(nodes: readonly Node[], { store, disk, database }: Ground, random: Random): Blows {
  return {
    ...(database !== undefined && {
      ...serverBlows('database', database, random),
      'way to the database': () => {
        const [index, { toDatabase }] = anyOf(nodes, random)
        return cut(index, toDatabase!, random)
      },
    }),
    ...nodeBlows(nodes, random),
    ...serverBlows('store', store, random),
    ...(disk !== undefined && { 'disk below the store': () => fill(disk, nodes, random) }),
  }
}

function nodeBlows(nodes: readonly Node[], random: Random): Blows {
  return {
    kill: async () => {
      const [index, { member }] = anyOf(nodes, random)
      const downMs = between(random, 0, 4_000)
      await member.end('SIGKILL')
      await systemClock.sleep(downMs)
      await member.start()
      return `${index} (back after ${downMs} ms)`
    },
    pause: async () => {
      const [index, { member }] = anyOf(nodes, random)
      const pausedMs = between(random, 500, 8_000)
      member.signal('SIGSTOP')
      await systemClock.sleep(pausedMs)
      member.signal('SIGCONT')
      return `${index} (${pausedMs} ms)`
    },
    end: async () => {
      const [index, { member }] = anyOf(nodes, random)
      await member.stop()
      await member.start()
      return `${index} (started again)`
    },
    'way to the store': () => {
      const [index, { toStore }] = anyOf(nodes, random)
      return cut(index, toStore, random)
    },
    'way of the others to it': () => {
      const [index, { fromPeers }] = anyOf(nodes, random)
      return cut(index, fromPeers, random)
    },
  }
}

function serverBlows(name: string, server: RestartedServer<S3 | Postgres>, random: Random): Blows {
  return {
    [`${name} killed`]: async () => {
      const downMs = between(random, 0, 4_000)
      await server.killAndRestart(downMs)
      return `(back after ${downMs} ms)`
    },
    [`${name} paused`]: async () => {
      const pausedMs = between(random, 500, 5_000)
      await server.pause(pausedMs)
      return `(${pausedMs} ms)`
    },
  }
}

async function cut(index: number, link: CuttableLink, random: Random): Promise<string> {
  const state: LinkState = random.fraction() < 0.5 ? 'silent' : 'refused'
  const cutMs = between(random, 500, 8_000)
  link.state = state
  await systemClock.sleep(cutMs)
  link.state = 'open'
  return `${index} (${state} for ${cutMs} ms)`
}

async function fill(disk: SmallDisk, nodes: readonly Node[], random: Random): Promise<string> {
  const fullMs = between(random, 500, 8_000)
  const countComplaints = (): number =>
    nodes.reduce((sum, { member }) => sum + member.log.split('the store is full').length, 0)
  const before = countComplaints()
  await disk.fill()
  await waitFor(() => countComplaints() > before, noticeMsMax)
  await systemClock.sleep(fullMs)
  await disk.clear()
  return `(full for ${fullMs} ms)`
}

function anyOf(nodes: readonly Node[], random: Random): [index: number, node: Node] {
  const index = Math.floor(random.fraction() * nodes.length)
  return [index, nodes[index]!]
}

function between(random: Random, leastMs: number, mostMs: number): number {
  return Math.round(leastMs + random.fraction() * (mostMs - leastMs))
}
