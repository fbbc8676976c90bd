/** Mutual TLS between processes, with certificates that openssl made: who shows none, or another authority's, is refused. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPeerNetwork, listenPeers, type PeerTls } from '../../bin/server/peer-network.ts'
import type { PeerConnection } from '../../core/peer-connection.ts'
import { makeTls } from '../support/make-tls.ts'

let directory: string
let ours: PeerTls
let theirs: PeerTls
let port: number
let stop: () => void
const accepted: PeerConnection[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'floe-tls-'))
  ours = makeTls(directory, 'ours')
  theirs = makeTls(directory, 'theirs')
  const listener = await listenPeers('127.0.0.1', 0, ours, connection => accepted.push(connection))
  port = listener.port
  stop = () => listener.stop()
})
afterAll(() => {
  stop()
  rmSync(directory, { recursive: true, force: true })
})

const connect = (tls: PeerTls | undefined): Promise<PeerConnection> =>
  createPeerNetwork(tls).connect(`127.0.0.1:${port}`, 2_000)

test('processes with certificates of one authority talk', async () => {
  const connection = await connect(ours)
  connection.send([Buffer.from('hello')])
  const message = await new Promise<Uint8Array>(resolve => accepted[0]!.onMessage(resolve))
  expect(Buffer.from(message).toString()).toBe('hello')
  connection.close('done')
})

test.each([
  ['of another authority', () => theirs],
  ['of another authority that trusts ours', () => ({ ...theirs, ca: ours.ca })],
  ['without TLS', () => undefined],
])('a process %s is refused', async (_who, tls) => {
  const before = accepted.length
  await expect(connect(tls())).rejects.toMatchObject({ kind: 'unavailable' })
  expect(accepted).toHaveLength(before)
})
