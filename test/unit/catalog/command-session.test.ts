/** Commands on their way: keys, order, and what becomes of them when a leader loses them, also late. */
import { expect, test } from 'vitest'
import { openSession } from '../../../catalog/commands/name-commands.ts'
import { createTopic } from '../../../catalog/commands/topic-commands.ts'
import { CommandSession } from '../../../catalog/node/command-session.ts'
import type { PendingCommand } from '../../../catalog/pending-command.ts'
import { ByteReader } from '../../../core/byte-reader.ts'
import { ByteWriter } from '../../../core/byte-writer.ts'
import { systemClock } from '../../../core/clock.ts'
import { FloeError } from '../../../core/errors.ts'
import { seededRandom } from '../../../core/random.ts'

/** Takes commands and does with them what the test says. */
class HandSink {
  readonly taken: PendingCommand[] = []
  readonly payloads: string[] = []

  enqueue(command: PendingCommand): void {
    const body = new ByteWriter()
    command.encode(body)
    this.taken.push(command)
    this.payloads.push(Buffer.from(body.take()).toString('hex'))
  }

  get keys(): string[] {
    return this.taken.map(({ clientId, requestNumber }) => `${Buffer.from(clientId).toString('hex')}/${requestNumber}`)
  }

  answer(index: number, code?: string): void {
    const out = new ByteWriter()
    if (code === undefined) out.raw(Uint8Array.of(0, 1))
    else {
      out.raw(Uint8Array.of(1, 1))
      out.sizedString(code)
      out.sizedString('refused')
    }
    this.taken[index]!.answer(new ByteReader(out.take(), 'answer'), 1)
  }

  lose(index: number, kind: 'fenced' | 'unavailable' = 'unavailable'): void {
    const payload = new Uint8Array(Buffer.from(this.payloads[index]!, 'hex'))
    this.taken[index]!.lost(new FloeError(kind, 'lost', 'the leader is gone'), payload)
  }
}

/** A command whose answer is one byte. */
const command = { ...createTopic, decodeResult: (reader: ByteReader) => reader.uint8() }
const args = (name: string) => ({ topicId: new Uint8Array(16), name, partitionCount: 1, configs: {} })

function makeSession(): CommandSession {
  return new CommandSession(systemClock, seededRandom(1), { outcomeTimeoutMs: 60_000, lanesMax: 2 })
}

test('a lost command goes to the next leader under the same key, with the same bytes, in the same order', async () => {
  const session = makeSession()
  const [first, second] = [new HandSink(), new HandSink()]
  session.setSink(first)
  const answers = ['a', 'b', 'c'].map(name => session.submit(command, args(name)))
  expect(first.taken.map(({ commandId }) => commandId)).toEqual([openSession.id, command.id, command.id, command.id])
  first.answer(0)
  first.answer(1)
  first.lose(2)
  first.lose(3)
  expect(second.taken).toEqual([])
  session.setSink(second)
  expect(second.keys).toEqual(first.keys.slice(2))
  expect(second.payloads).toEqual(first.payloads.slice(2))
  second.answer(0)
  second.answer(1)
  expect(await Promise.all(answers)).toEqual([1, 1, 1])
})

test('a leader that tells late does not take the next one away', async () => {
  const session = makeSession()
  const [first, second] = [new HandSink(), new HandSink()]
  session.setSink(first)
  const early = session.submit(command, args('early'))
  session.setSink(undefined)
  session.setSink(second)
  const later = session.submit(command, args('later'))
  expect(second.taken).toHaveLength(1)
  // The first leader was waiting for its store all the while.
  first.lose(0)
  first.lose(1)
  expect(second.keys.slice(1)).toEqual(first.keys)
  const last = session.submit(command, args('last'))
  expect(second.taken).toHaveLength(4)
  for (let index = 0; index < 4; index++) second.answer(index)
  expect(await Promise.all([early, later, last])).toEqual([1, 1, 1])
})

test('what was surely not applied is told as that, what may have been as unknown', async () => {
  const session = makeSession()
  const sink = new HandSink()
  session.setSink(sink)
  const fenced = session.submit(command, args('fenced'))
  const unknown = session.submit(command, args('unknown'))
  sink.answer(0)
  sink.lose(1, 'fenced')
  sink.lose(2, 'unavailable')
  session.close(new FloeError('fenced', 'over', 'this process is done'))
  await expect(fenced).rejects.toMatchObject({ kind: 'fenced', code: 'lost' })
  await expect(unknown).rejects.toMatchObject({ kind: 'unavailable', code: 'catalog-outcome-unknown' })
  await expect(session.submit(command, args('after'))).rejects.toMatchObject({ code: 'over' })
})

test('no number is under way 128 below the newest of its lane; more lanes are opened, then commands wait', async () => {
  const session = makeSession()
  const sink = new HandSink()
  session.setSink(sink)
  const answers = Array.from({ length: 400 }, (_, index) => session.submit(command, args(`topic-${index}`)))
  // Two lanes, each with its opening.
  expect(sink.taken).toHaveLength(256)
  expect(new Set(sink.taken.map(({ clientId }) => clientId)).size).toBe(2)
  // The oldest of a lane is not answered: its number holds the lane back.
  for (let index = 1; index < 128; index++) sink.answer(index)
  expect(sink.taken).toHaveLength(256)
  sink.answer(0)
  expect(sink.taken).toHaveLength(384)
  for (let index = 128; index < sink.taken.length; index++) sink.answer(index)
  expect(await Promise.all(answers)).toHaveLength(400)
})

test('a lane that the catalog has forgotten is replaced', async () => {
  const session = makeSession()
  const sink = new HandSink()
  session.setSink(sink)
  const refused = session.submit(command, args('refused'))
  sink.answer(0)
  sink.answer(1, 'receipt-expired')
  await expect(refused).rejects.toMatchObject({ code: 'receipt-expired' })
  const next = session.submit(command, args('next'))
  expect(sink.taken.slice(2).map(({ commandId }) => commandId)).toEqual([openSession.id, command.id])
  expect(sink.taken[3]!.clientId).not.toEqual(sink.taken[1]!.clientId)
  sink.answer(2)
  sink.answer(3)
  expect(await next).toBe(1)
})
