/** What a leader and its follower say to each other, message by message: who counts as following, and in which order answers come. */
import { expect, test } from 'vitest'
import { openSession } from '../../../catalog/commands/name-commands.ts'
import { StoreJournal } from '../../../catalog/journal/store-journal.ts'
import { FollowerFeed, followerFeedDefaults } from '../../../catalog/node/follower-feed.ts'
import { LeaderLink } from '../../../catalog/node/leader-link.ts'
import {
  decodePeerMessage,
  encodeAlive,
  encodeFollow,
  MessageBatch,
  type PeerMessage,
} from '../../../catalog/node/peer-messages.ts'
import { silentLog } from '../../../core/log.ts'
import type { PeerConnection } from '../../../core/peer-connection.ts'
import { pendingCommand } from '../../support/pending-command.ts'
import { waitFor } from '../../support/wait-for.ts'
import { makeFixture } from './catalog-fixture.ts'

/** One end of a connection, whose other end is the test. */
class HeldConnection implements PeerConnection {
  readonly remote = 'the other side'
  readonly bufferedBytes = 0
  readonly sent: PeerMessage[] = []
  say: (message: Uint8Array) => void = () => {}

  send(parts: readonly Uint8Array[]): void {
    this.sent.push(decodePeerMessage(new Uint8Array(Buffer.concat(parts))))
  }
  onMessage(listener: (message: Uint8Array) => void): void {
    this.say = listener
  }
  onClose(): void {}
  close(): void {}
}

test('a sign of life is no answer to a wish to follow that is still on its way', async () => {
  const { clock, open } = makeFixture()
  const { leader } = await open()
  const feed = new FollowerFeed(leader, clock, silentLog, { ...followerFeedDefaults, aliveIntervalMs: 5 })
  const connection = new HeldConnection()
  feed.serve(connection, new Uint8Array(16))
  const { epoch, sequence } = leader.replica.position
  await waitFor(() => connection.sent.length > 0)
  expect(connection.sent[0]).toEqual({ kind: 'alive', sequence: Number.MAX_SAFE_INTEGER })
  connection.say(encodeFollow(epoch, sequence))
  expect(connection.sent.at(-1)).toEqual({ kind: 'alive', sequence })
  const before = connection.sent.length
  await waitFor(() => connection.sent.length > before)
  expect(connection.sent.at(-1)).toEqual({ kind: 'alive', sequence })
  feed.end('the test is over')
})

test('a link is ended on which a command is answered before its entry came', async () => {
  const { clock, store, open } = makeFixture()
  const { replica } = (await open()).leader
  const { sequence } = replica.position
  const connection = new HeldConnection()
  let isFollowing = false
  const link = new LeaderLink({
    connection,
    replica,
    reading: { journal: new StoreJournal(store, clock), store, clock },
    clock,
    leaderTimeoutMs: 60_000,
    onFollowing: () => {
      isFollowing = true
    },
  })
  const ended = link.run()
  connection.say(encodeAlive(sequence))
  expect(isFollowing).toBe(true)
  const outcomes: string[] = []
  const submit = (requestNumber: number): void =>
    link.enqueue({
      ...pendingCommand(new Uint8Array(16), requestNumber, openSession, undefined),
      answer: () => outcomes.push(`${requestNumber} answered`),
      lost: () => outcomes.push(`${requestNumber} lost`),
    })
  submit(1)
  submit(2)
  const answers = new MessageBatch('answers', { send: parts => connection.say(new Uint8Array(Buffer.concat(parts))) })
  answers.addAnswer(1, sequence, new Uint8Array(1))
  answers.addAnswer(2, sequence + 1, new Uint8Array(1))
  const { why, reason } = await ended
  expect([why, reason]).toEqual([
    'resigned',
    `it answered a command of entry ${sequence + 1} before it sent the entry, with the replica at ${sequence}`,
  ])
  expect(outcomes).toEqual(['1 answered', '2 lost'])
})
