/** Connections between processes over real sockets: whole messages in order, in parts, early ones kept, ends told. */
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createPeerNetwork, listenPeers } from '../../../bin/server/peer-network.ts'
import { peerMessageBytesMax } from '../../../catalog/node/peer-messages.ts'
import type { PeerConnection } from '../../../core/peer-connection.ts'
import { waitFor } from '../../support/wait-for.ts'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

async function openPair(): Promise<{ near: PeerConnection; far: PeerConnection; port: number }> {
  const accepted = Promise.withResolvers<PeerConnection>()
  const listener = await listenPeers('127.0.0.1', 0, undefined, accepted.resolve)
  stops.push(() => listener.stop())
  const near = await createPeerNetwork(undefined).connect(`127.0.0.1:${listener.port}`, 2_000)
  return { near, far: await accepted.promise, port: listener.port }
}

test('messages arrive whole and in order, also those in parts and those that came early', async () => {
  const { near, far } = await openPair()
  near.send([Buffer.from('first')])
  near.send([Buffer.from('sec'), Buffer.from('ond')])
  near.send([Buffer.alloc(5_000_000, 7), Buffer.from('!')])
  await waitFor(() => near.bufferedBytes === 0)
  const received: Uint8Array[] = []
  far.onMessage(message => received.push(message))
  await waitFor(() => received.length === 3)
  expect(received.slice(0, 2).map(message => Buffer.from(message).toString())).toEqual(['first', 'second'])
  expect(received[2]!.length).toBe(5_000_001)
  far.send([Buffer.from('back')])
  const answer = await new Promise<Uint8Array>(resolve => near.onMessage(resolve))
  expect(Buffer.from(answer).toString()).toBe('back')
})

test('an end is told to both sides, with its reason, and nothing is sent after it', async () => {
  const { near, far } = await openPair()
  const told = new Promise<string>(resolve => far.onClose(resolve))
  near.close('this process ends')
  near.send([Buffer.from('too late')])
  expect(await told).toBe('this process ends')
  expect(await new Promise<string>(resolve => near.onClose(resolve))).toBe('this process ends')
})

test('a message beyond the limit ends the connection', async () => {
  const { near, far } = await openPair()
  const told = new Promise<string>(resolve => far.onClose(resolve))
  near.send([Buffer.alloc(peerMessageBytesMax + 1)])
  expect(await told).toContain('Max payload size exceeded')
})

test('nobody at an address is told from somebody who does not answer', async () => {
  const { port } = await openPair()
  stops.pop()?.()
  const network = createPeerNetwork(undefined)
  await expect(network.connect(`127.0.0.1:${port}`, 2_000)).rejects.toMatchObject({ code: 'peer-not-listening' })
  const silent = createServer(() => {})
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  stops.push(() => silent.close())
  const address = silent.address()
  const silentPort = typeof address === 'object' && address !== null ? address.port : 0
  await expect(network.connect(`127.0.0.1:${silentPort}`, 200)).rejects.toMatchObject({ code: 'peer-unreachable' })
})
