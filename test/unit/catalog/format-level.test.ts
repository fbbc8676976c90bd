/**
 * Processes of several versions on one catalog. The versions are made up: what older ones do not know is a command that there always
 * was, left out of their table.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyBatch, BatchAnswers } from '../../../catalog/apply-batch.ts'
import { allCommands, type CommandTable, makeCommandTable } from '../../../catalog/commands/all-commands.ts'
import { type Command, readAnswer } from '../../../catalog/commands/command.ts'
import { allocateProducerIds, openSession } from '../../../catalog/commands/name-commands.ts'
import { registerNode, removeNode } from '../../../catalog/commands/node-commands.ts'
import { raiseFormatLevel } from '../../../catalog/commands/raise-format-level.ts'
import { deleteTopic } from '../../../catalog/commands/topic-commands.ts'
import { OpenBatch } from '../../../catalog/journal/open-batch.ts'
import { formatLevelsMax } from '../../../catalog/limits.ts'
import { findUnwritable } from '../../../catalog/may-be-written.ts'
import { openCatalog } from '../../../catalog/open-catalog.ts'
import { SnapshotReader } from '../../../catalog/snapshot/snapshot-reader.ts'
import { SnapshotWriter } from '../../../catalog/snapshot/snapshot-writer.ts'
import { CatalogState } from '../../../catalog/state/catalog-state.ts'
import { Nodes } from '../../../catalog/state/nodes.ts'
import { ByteReader } from '../../../core/byte-reader.ts'
import { ByteWriter } from '../../../core/byte-writer.ts'
import { isFloeError } from '../../../core/errors.ts'
import { silentLog } from '../../../core/log.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import { pendingCommand } from '../../support/pending-command.ts'
import { registerBroker } from '../../support/register-broker.ts'
import { waitFor } from '../../support/wait-for.ts'
import { HandClock } from './catalog-fixture.ts'
import { type Member, newCluster } from './cluster-fixture.ts'

/** The Floe of a level: allocateProducerIds came with the second, deleteTopic with the third. */
function floeOfLevel(level: number): CommandTable {
  const cameWith = new Map<number, number>([
    [allocateProducerIds.id, 2],
    [deleteTopic.id, 3],
  ])
  const known = allCommands
    .map(command => ({ ...command, formatLevel: cameWith.get(command.id) ?? 1 }))
    .filter(command => command.formatLevel <= level)
  return makeCommandTable(known, level)
}

const [floe1, floe2, floe3] = [1, 2, 3].map(floeOfLevel) as [CommandTable, CommandTable, CommandTable]
const nowMs = 1_800_000_000_000
const tooOld =
  'the catalog is at format level 2, and this Floe knows levels up to 1: start the version that the other processes run, or a newer ' +
  'one. Nothing is lost'

interface Step {
  readonly id: number
  readonly name: string
  encode(writer: ByteWriter): void
  read(answer: ByteReader): unknown
}

function step<Arguments>(command: Command<Arguments, unknown>, args: Arguments): Step {
  return {
    id: command.id,
    name: command.name,
    encode: writer => command.encode(writer, args),
    read: answer => {
      const result = readAnswer(answer, command)
      return isFloeError(result) ? result.code : result
    },
  }
}

const instanceOf = (index: number): Uint8Array => new Uint8Array(16).fill(index + 1)

function register(index: number, formatLevelMax: number): Step {
  const place = { kafkaHost: `host-${index}`, kafkaPort: 9092 }
  return step(registerNode, { instanceId: instanceOf(index), roles: ['catalog', 'broker'], ...place, formatLevelMax })
}

const remove = (nodeId: number, index = nodeId): Step => step(removeNode, { nodeId, instanceId: instanceOf(index) })
const raise = (level: number): Step => step(raiseFormatLevel, level)

function isRegistered(state: CatalogState, index: number): boolean {
  return state.nodes.byInstance(instanceOf(index)) !== undefined
}

/** Applies batches of commands, as the journal of one client. */
class Replay {
  readonly state = new CatalogState(new Uint8Array(16).fill(7), nowMs)
  readonly #commands: CommandTable
  readonly #clientId = new Uint8Array(16).fill(9)
  #requestNumber = 0

  constructor(commands: CommandTable) {
    this.#commands = commands
    this.apply([step(openSession, undefined)])
  }

  /** What each was answered; of a refusal its code. */
  apply(steps: readonly Step[]): unknown[] {
    const batch = new OpenBatch(new ByteWriter())
    for (const each of steps) batch.add(pendingCommand(this.#clientId, ++this.#requestNumber, each, undefined))
    const out = new ByteWriter()
    const answers = new BatchAnswers()
    const body = { nowMs, clientIds: batch.clientIds, commandCount: steps.length, bytes: batch.body.view() }
    applyBatch(this.state, body, out, answers, this.#commands)
    return steps.map((each, index) => {
      const from = index === 0 ? 0 : answers.ends[index - 1]!
      return each.read(new ByteReader(out.view(), 'answer', from, answers.ends[index]!))
    })
  }
}

function encodeState(state: CatalogState): Uint8Array {
  const writer = SnapshotWriter.forSnapshot()
  state.encode(writer)
  return new Uint8Array(Buffer.concat(writer.finish().pieces))
}

const decodeState = (bytes: Uint8Array, levelMax?: number): CatalogState =>
  CatalogState.decode(new SnapshotReader([bytes], 'snapshot'), levelMax)

describe('the bytes of the first level', () => {
  // Written by the Floe that had no levels.
  const command = '030303030303030303030303030303030304686572658447'
  const answer = '00030303030303030303030303030303030304686572658447e807'
  const nodes = '090101010109686572653a39303932000100030303030303030303030303030303030304686572658447e807'
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

  test('are those of the Floe that had none: a process that registers, its answer, and the snapshot', () => {
    const state = new CatalogState(new Uint8Array(16).fill(7), 1000)
    const writer = new ByteWriter()
    const place = { kafkaHost: 'here', kafkaPort: 9092 }
    registerNode.encode(writer, {
      instanceId: instanceOf(2),
      roles: ['catalog', 'broker'],
      ...place,
      formatLevelMax: 1,
    })
    expect(hex(writer.view())).toBe(command)
    const out = new ByteWriter()
    registerNode.apply(state, new ByteReader(writer.view(), 'command'), out)
    expect(hex(out.view())).toBe(answer)
    const snapshot = encodeState(state)
    expect(hex(snapshot)).toContain(nodes)
    expect([...snapshot.subarray(0, 3)]).toEqual([0, 2, 7])
  })

  test('are read as the first level', () => {
    const found = Nodes.decode(new SnapshotReader([new Uint8Array(Buffer.from(nodes, 'hex'))], 'snapshot'))
    expect(found.all()).toMatchObject([{ kafkaHost: 'here', registeredMs: 1000, formatLevelMax: 1 }])
  })
})

describe('the state machine', () => {
  test('does not raise the level while a process is registered that knows less, and does once it left', () => {
    const replay = new Replay(floe2)
    replay.apply([register(0, 1), register(1, 2)])
    expect(replay.apply([raise(2)])).toEqual(['format-level-not-known'])
    expect(replay.state.formatLevel).toBe(1)
    expect(replay.apply([remove(0), raise(2)])).toEqual([undefined, 2])
    expect(replay.state.formatLevel).toBe(2)
  })

  test('does once the process is there again, as a newer one', () => {
    const replay = new Replay(floe2)
    replay.apply([register(0, 1), register(1, 2)])
    replay.apply([register(0, 2)])
    expect(replay.state.nodes.all().map(node => node.formatLevelMax)).toEqual([2, 2])
    expect(replay.apply([raise(2)])).toEqual([2])
  })

  test('lets an older process in before the level is raised, and not after it, though both are in one batch', () => {
    const before = new Replay(floe2)
    before.apply([register(0, 1), remove(0), register(1, 2)])
    expect(before.apply([register(2, 1), raise(2)])).toEqual([expect.anything(), 'format-level-not-known'])
    expect(before.state.formatLevel).toBe(1)
    const after = new Replay(floe2)
    after.apply([register(0, 1), remove(0), register(1, 2)])
    expect(after.apply([raise(2), register(2, 1)])).toEqual([2, 'floe-too-old'])
    expect(isRegistered(after.state, 2)).toBe(false)
  })

  test('never takes the level back, neither for a lower one nor when everybody left', () => {
    const replay = new Replay(floe3)
    replay.apply([register(0, 1), register(0, 3)])
    expect(replay.apply([raise(3), raise(2), remove(0)])).toEqual([3, 3, undefined])
    expect(replay.apply([register(1, 2)])).toEqual(['floe-too-old'])
    expect(replay.state.formatLevel).toBe(3)
  })

  test('begins a new catalog at the level of its first process, and no other one', () => {
    const replay = new Replay(floe2)
    replay.apply([register(0, 2)])
    expect(replay.state.formatLevel).toBe(2)
    const older = new Replay(floe2)
    older.apply([register(0, 1), remove(0), register(1, 2)])
    expect(older.state.formatLevel).toBe(1)
  })

  test('refuses levels that cannot be', () => {
    const replay = new Replay(floe1)
    const raw = (name: string, id: number, ...bytes: number[]): Step => ({
      ...step(raiseFormatLevel, 1),
      name,
      id,
      encode: writer => writer.raw(Uint8Array.from(bytes)),
    })
    const { id } = raiseFormatLevel
    const beyond = new ByteWriter()
    beyond.uvarint(formatLevelsMax + 1)
    const place = [...instanceOf(0), 2, 1, 104, 80]
    expect(
      replay.apply([
        raw('no level', id, 0),
        raw('a level beyond', id, ...beyond.view()),
        raw('too long', id, 1, 1),
        raw('nobody', id, 1),
        raw('knows none', registerNode.id, ...place, 0),
        raw('knows too many', registerNode.id, ...place, ...beyond.view()),
        raw('says more', registerNode.id, ...place, 1, 1),
      ]),
    ).toEqual([
      'count-out-of-range',
      'count-out-of-range',
      'malformed-bytes',
      'format-level-not-known',
      'count-out-of-range',
      'count-out-of-range',
      'malformed-bytes',
    ])
    expect(replay.state.nodes.count).toBe(0)
  })

  test('stops a process that is too old where the level is raised, and says which one is needed', () => {
    const older = new Replay(floe1)
    older.apply([register(0, 1), remove(0), register(1, 2)])
    expect(() => older.apply([raise(2)])).toThrow(tooOld)
  })
})

describe('snapshots', () => {
  function raisedState(): CatalogState {
    const replay = new Replay(floe2)
    replay.apply([register(0, 1), register(1, 2)])
    replay.apply([register(0, 2), raise(2)])
    return replay.state
  }

  test('tell what each process knows, before the level is raised, and the level afterwards', () => {
    const replay = new Replay(floe2)
    replay.apply([register(0, 1), register(1, 2)])
    const mixed = decodeState(encodeState(replay.state))
    expect(mixed.nodes.all().map(node => node.formatLevelMax)).toEqual([1, 2])
    expect(mixed.formatLevel).toBe(1)
    expect(mixed.hash()).toBe(replay.state.hash())
    const state = raisedState()
    const raised = decodeState(encodeState(state), 2)
    expect(raised.formatLevel).toBe(2)
    expect(raised.hash()).toBe(state.hash())
  })

  test('are read by an older process until the level is raised, and refused in plain words afterwards', () => {
    expect(() => decodeState(encodeState(raisedState()), 1)).toThrow(tooOld)
  })

  test('with levels that cannot be are corrupt', () => {
    const bytes = encodeState(raisedState())
    expect([...bytes.subarray(0, 3)]).toEqual([0, 3, 2])
    bytes[2] = 1
    expect(() => decodeState(bytes, 2)).toThrow('there is no format level 1 to be raised to')
  })
})

test('whatever comes in whatever order, whoever is registered can read all that is written', () => {
  const levels = [1, 1, 2, 2, 3]
  const tables = [floe1, floe2, floe3]
  const anyStep = fc.oneof(
    fc.record({ kind: fc.constant('register' as const), index: fc.nat(levels.length - 1) }),
    fc.record({ kind: fc.constant('remove' as const), index: fc.nat(levels.length - 1) }),
    fc.record({ kind: fc.constant('raise' as const), index: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('use' as const), index: fc.integer({ min: 2, max: 3 }) }),
  )
  const batch = fc.record({ leader: fc.nat(), steps: fc.array(anyStep, { minLength: 1, maxLength: 4 }) })
  let useCount = 0
  let stopCount = 0
  fc.assert(
    fc.property(fc.array(batch, { minLength: 10, maxLength: 40 }), batches => {
      // One that knows everything looks on.
      const witness = new Replay(floe3)
      const replicas: (Replay | undefined)[] = levels.map(level => new Replay(tables[level - 1]!))
      for (const { leader, steps } of batches) {
        const alive = levels
          .keys()
          .filter(index => replicas[index] !== undefined)
          .toArray()
        const leading = alive[leader % alive.length]
        if (leading === undefined) return
        // The leader looks at what was applied, and does not know what else is on its way.
        const { state } = replicas[leading]!
        const commands = tables[levels[leading]! - 1]!
        const written = steps
          .map(({ kind, index }) => {
            if (kind === 'register') return register(index, levels[index]!)
            if (kind === 'remove') return remove(witness.state.nodes.byInstance(instanceOf(index))?.nodeId ?? 99, index)
            if (kind === 'raise') return raise(index)
            return index === 2
              ? step(allocateProducerIds, 1)
              : step(deleteTopic, '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a11')
          })
          .filter(
            ({ id, name }) => findUnwritable({ commandId: id, commandName: name }, { state, commands }) === undefined,
          )
        useCount += written.filter(({ id }) => id === allocateProducerIds.id || id === deleteTopic.id).length
        witness.apply(written)
        for (const index of alive) {
          try {
            replicas[index]!.apply(written)
          } catch (error) {
            expect(error).toMatchObject({ code: 'floe-too-old' })
            replicas[index] = undefined
            stopCount++
          }
        }
        for (const [index, replica] of replicas.entries()) {
          if (isRegistered(witness.state, index)) expect(replica, `process ${index} stopped`).toBeDefined()
        }
      }
      const hash = witness.state.hash()
      for (const replica of replicas) if (replica !== undefined) expect(replica.state.hash()).toBe(hash)
    }),
    { numRuns: 150, seed: 1 },
  )
  expect(useCount).toBeGreaterThan(300)
  expect(stopCount).toBeGreaterThan(100)
})

describe('a leader', () => {
  /** A timer of a hand-moved clock takes 20 ms. */
  const looked = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 100))

  test('refuses a command that an older process could not apply, says whose turn it is, and writes nothing', async () => {
    const cluster = newCluster()
    const newer = await cluster.add('newer', { commands: floe2 })
    const older = await cluster.add('older', { commands: floe1, mayLead: false })
    await registerBroker(older.catalog, 'older', 9092)
    await registerBroker(newer.catalog, 'newer', 9092)
    const { sequence } = newer.catalog.status()
    await expect(newer.catalog.client.allocateProducerIds(1)).rejects.toMatchObject({
      code: 'format-level-too-low',
      message:
        'allocateProducerIds needs format level 2, and the catalog is at 1: it stays there while node 0 (older:9092) runs an older version',
    })
    expect(newer.catalog.status().sequence).toBe(sequence)
    expect(older.failure()).toBeUndefined()
  })

  test('of an older version tells a newer process that it does not know its command, and goes on serving it', async () => {
    const cluster = newCluster()
    const older = await cluster.add('older', { commands: floe1 })
    const newer = await cluster.add('newer', { commands: floe2, mayLead: false })
    await expect(newer.catalog.client.allocateProducerIds(1)).rejects.toMatchObject({
      code: 'catalog-command-unknown',
      message: `the leader of the catalog, of format level 1, does not know command ${allocateProducerIds.id}: it was not written`,
    })
    await newer.catalog.client.createTopic('topic', 1, {})
    expect(older.catalog.status()).toMatchObject({ role: 'leading', followerCount: 1 })
  })

  test('of an older version that is not registered stops when the level is raised under it, and a newer one leads', async () => {
    const cluster = newCluster()
    const older = await cluster.add('older', { commands: floe1 })
    const newer = await cluster.add('newer', { commands: floe2 })
    await (await registerBroker(older.catalog, 'older', 9092)).close(true)
    await registerBroker(newer.catalog, 'newer', 9092)
    const clientId = new Uint8Array(16).fill(5)
    const { leader } = older.catalog
    await leader.submit(clientId, 1, openSession, undefined)
    // As of a leader before it, which had heard of nobody older.
    await expect(leader.submit(clientId, 2, raiseFormatLevel, 2)).rejects.toMatchObject({ code: 'floe-too-old' })
    await waitFor(() => older.failure() !== undefined)
    expect(older.failure()).toMatchObject({ code: 'floe-too-old', message: tooOld })
    await cluster.waitForLeader([newer])
    expect(newer.catalog.state.formatLevel).toBe(2)
    await newer.catalog.client.allocateProducerIds(1)
  })

  test('that is alone raises the level after a while, and has then no way back', async () => {
    const clock = new HandClock()
    const store = new MemoryStore(clock)
    const open = (commands: CommandTable) =>
      openCatalog({ store, clock, random: seededRandom(commands.formatLevelMax), log: silentLog, commands })
    const first = await open(floe1)
    await (await registerBroker(first, 'host', 9092)).close(true)
    await first.close()
    const second = await open(floe2)
    const registration = await registerBroker(second, 'host', 9092)
    await expect(second.client.allocateProducerIds(1)).rejects.toMatchObject({ code: 'format-level-too-low' })
    await looked()
    clock.advance(9 * 60_000)
    await looked()
    expect(second.state.formatLevel).toBe(1)
    clock.advance(60_000)
    await waitFor(() => second.state.formatLevel === 2)
    expect(await second.client.allocateProducerIds(1)).toEqual({ first: 0n, count: 1 })
    await registration.close(true)
    await second.takeSnapshot()
    await second.close()
    await expect(open(floe1)).rejects.toMatchObject({ code: 'floe-too-old', message: tooOld })
  })
})

describe('a rolling upgrade', () => {
  const options = { formatLevelDelayMs: 200, nodeTimeoutMs: 300 }
  const register = ({ host, catalog }: Member) => registerBroker(catalog, host, 9092)

  async function end(member: Member, registration: { close(isLeaving: boolean): Promise<void> }): Promise<void> {
    await registration.close(true)
    await member.catalog.close()
  }

  test('goes to the newer level once the last process is new, and an older one that comes late is told', async () => {
    const cluster = newCluster()
    const places = ['a', 'b', 'c']
    const old = []
    for (const host of places) {
      const member = await cluster.add(host, { commands: floe1, options })
      old.push({ member, registration: await register(member) })
    }
    const upgraded: Member[] = []
    for (const { member, registration } of old) {
      await end(member, registration)
      cluster.members.splice(cluster.members.indexOf(member), 1)
      const next = await cluster.add(member.host, { commands: floe2, options })
      upgraded.push(next)
      const others = upgraded.length < places.length
      await register(next)
      // Longer than the level waits for.
      if (others) await new Promise(resolve => setTimeout(resolve, 400))
      for (const each of upgraded) {
        await each.catalog.client.createTopic(`${each.host}-${upgraded.length}`, 1, {})
        if (others) {
          expect(each.catalog.state.formatLevel).toBe(1)
          await expect(each.catalog.client.allocateProducerIds(1)).rejects.toMatchObject({ kind: 'unsupported' })
        }
      }
    }
    await waitFor(() => upgraded.every(({ catalog }) => catalog.state.formatLevel === 2))
    for (const { catalog } of upgraded) await catalog.client.allocateProducerIds(1)
    await expect(cluster.add('late', { commands: floe1, options })).rejects.toMatchObject({ message: tooOld })
  })

  test('an older process that was taken for dead stops when it wakes, and says why; the others go on', async () => {
    const cluster = newCluster()
    const leader = await cluster.add('new', { commands: floe2, options })
    const old = await cluster.add('old', { commands: floe1, options, mayLead: false })
    await register(old)
    await register(leader)
    old.pause()
    await waitFor(() => leader.catalog.state.formatLevel === 2)
    await leader.catalog.client.allocateProducerIds(1)
    old.resume()
    await waitFor(() => old.failure() !== undefined)
    expect(old.failure()).toMatchObject({ code: 'floe-too-old', message: tooOld })
    await leader.catalog.client.allocateProducerIds(1)
  })
})
