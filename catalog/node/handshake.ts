/**
 * How two processes of one cluster recognise each other before anything else is said: each proves that it knows the cluster's
 * secret without sending it, and both must belong to the same catalog.
 *
 *   dialer                                              acceptor
 *      1 hello     protocol least, most, cluster, instance, nonce
 *                      2 challenge    protocol, cluster, instance, nonce, proof of the acceptor
 *      3 proof     proof of the dialer
 *                      4 welcome
 *                or, at any point, 5 refusal    why, in plain words
 *
 *   proof = HMAC-SHA256(secret, role, protocol, cluster id, both instances, both nonces)
 *
 * The role in the proof keeps a stranger from reflecting it; the nonces from replaying it. What is said afterwards is neither
 * encrypted nor signed: that is what TLS under the connection is for.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { ByteReader } from '../../core/byte-reader.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import type { Clock } from '../../core/clock.ts'
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { PeerConnection } from '../../core/peer-connection.ts'
import type { Random } from '../../core/random.ts'
import { equalBytes } from '../journal/journal-entry.ts'

/** Versions of the messages (peer-messages.ts) that this Floe speaks. Two versions that overlap work together. */
export const protocolVersionMin = 1
export const protocolVersionMax = 1

const magic = 0x466c5031
const nonceBytes = 16
const proofBytes = 32
const handshakeMessageBytesMax = 1024
const reasonCharactersMax = 200

const kinds = { hello: 1, challenge: 2, proof: 3, welcome: 4, refusal: 5 } as const

export interface Identity {
  readonly secret: Uint8Array
  /** 16 bytes. */
  readonly clusterId: Uint8Array
  /** 16 random bytes of this process: tells a connection to itself. */
  readonly instanceId: Uint8Array
}

export interface HandshakeParts extends Identity {
  readonly connection: PeerConnection
  readonly clock: Clock
  readonly random: Random
  readonly timeoutMs: number
}

/**
 * The side that connected. Resolves when both are recognised.
 *
 * errors  fenced `peer-refused`, `peer-unproven`: the other side refused us, or does not know the secret; invalid `peer-is-self`;
 *         unavailable: no answer in time
 */
export async function dialHandshake(parts: HandshakeParts): Promise<void> {
  const { connection, clusterId, instanceId, random } = parts
  const nonce = random.bytes(nonceBytes)
  const messages = receive(parts)
  const hello = new ByteWriter(64)
  hello.uint8(kinds.hello)
  hello.uint32(magic)
  hello.uint8(protocolVersionMin)
  hello.uint8(protocolVersionMax)
  hello.raw(clusterId)
  hello.raw(instanceId)
  hello.raw(nonce)
  connection.send([hello.take()])
  const challenge = await messages.next(kinds.challenge)
  const protocol = challenge.uint8()
  const theirCluster = challenge.raw(16)
  const theirInstance = challenge.raw(16)
  const theirNonce = challenge.raw(nonceBytes)
  const theirProof = challenge.raw(proofBytes)
  if (!equalBytes(theirCluster, clusterId)) throw refused('it belongs to another cluster')
  if (equalBytes(theirInstance, instanceId)) {
    throw new FloeError('invalid', 'peer-is-self', `${connection.remote} is this process itself`)
  }
  if (protocol < protocolVersionMin || protocol > protocolVersionMax) throw refused(`it speaks protocol ${protocol}`)
  const said = { protocol, dialer: instanceId, acceptor: theirInstance, dialerNonce: nonce, acceptorNonce: theirNonce }
  if (!timingSafeEqual(theirProof, prove(parts, 'acceptor', said))) {
    throw new FloeError(
      'fenced',
      'peer-unproven',
      `${connection.remote} does not know the secret of this cluster: check cluster.secret_env on both`,
    )
  }
  const proof = new ByteWriter(64)
  proof.uint8(kinds.proof)
  proof.raw(prove(parts, 'dialer', said))
  connection.send([proof.take()])
  await messages.next(kinds.welcome)
  messages.end()

  function refused(why: string): FloeError {
    return new FloeError('fenced', 'peer-refused', `${connection.remote} cannot be followed: ${why}`)
  }
}

/**
 * The side that was connected to. A stranger is told why it is refused, and nothing else. Resolves, when both are recognised, with
 * the instance id of the other side.
 *
 * errors  as for dialHandshake
 */
export async function acceptHandshake(parts: HandshakeParts): Promise<Uint8Array> {
  const { connection, clusterId, instanceId, random } = parts
  const messages = receive(parts)
  const hello = await messages.next(kinds.hello)
  if (hello.uint32() !== magic) throw refuse('it does not speak the protocol of a Floe cluster')
  const least = hello.uint8()
  const most = hello.uint8()
  const theirCluster = hello.raw(16)
  const theirInstance = hello.raw(16)
  const theirNonce = hello.raw(nonceBytes)
  if (least > protocolVersionMax || most < protocolVersionMin) {
    throw refuse(`it speaks protocols ${least} to ${most}, this one ${protocolVersionMin} to ${protocolVersionMax}`)
  }
  if (!equalBytes(theirCluster, clusterId)) throw refuse('it belongs to another cluster')
  const protocol = Math.min(most, protocolVersionMax)
  const nonce = random.bytes(nonceBytes)
  const said = { protocol, dialer: theirInstance, acceptor: instanceId, dialerNonce: theirNonce, acceptorNonce: nonce }
  const challenge = new ByteWriter(128)
  challenge.uint8(kinds.challenge)
  challenge.uint8(protocol)
  challenge.raw(clusterId)
  challenge.raw(instanceId)
  challenge.raw(nonce)
  challenge.raw(prove(parts, 'acceptor', said))
  connection.send([challenge.take()])
  const proof = (await messages.next(kinds.proof)).raw(proofBytes)
  if (!timingSafeEqual(proof, prove(parts, 'dialer', said))) throw refuse('it does not know the secret of this cluster')
  connection.send([Uint8Array.of(kinds.welcome)])
  messages.end()
  return theirInstance.slice()

  function refuse(why: string): FloeError {
    const refusal = new ByteWriter(64)
    refusal.uint8(kinds.refusal)
    refusal.sizedString(why)
    connection.send([refusal.take()])
    return new FloeError('fenced', 'peer-refused', `a connection of ${connection.remote} was refused: ${why}`)
  }
}

interface Said {
  readonly protocol: number
  readonly dialer: Uint8Array
  readonly acceptor: Uint8Array
  readonly dialerNonce: Uint8Array
  readonly acceptorNonce: Uint8Array
}

function prove({ secret, clusterId }: Identity, role: 'dialer' | 'acceptor', said: Said): Uint8Array {
  const hmac = createHmac('sha256', secret)
  hmac.update(`floe-peer ${role} ${said.protocol}\0`)
  for (const part of [clusterId, said.dialer, said.acceptor, said.dialerNonce, said.acceptorNonce]) hmac.update(part)
  return new Uint8Array(hmac.digest())
}

interface Messages {
  /** The next message, which must be of this kind. */
  next(kind: number): Promise<ByteReader>
  /** Messages are somebody else's from now on. */
  end(): void
}

function receive({ connection, clock, timeoutMs }: HandshakeParts): Messages {
  const queue: Uint8Array[] = []
  let wake: (() => void) | undefined
  let ended: string | undefined
  const timer = clock.startTimer(timeoutMs, () => {
    ended ??= `it did not answer within ${timeoutMs} ms`
    wake?.()
  })
  connection.onMessage(message => {
    queue.push(message)
    wake?.()
  })
  connection.onClose(reason => {
    timer.cancel()
    ended ??= reason
    wake?.()
  })
  return {
    async next(kind) {
      while (queue.length === 0 && ended === undefined) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      const message = queue.shift()
      if (message === undefined) {
        throw new FloeError('unavailable', 'peer-lost', `${connection.remote} was lost: ${ended}`)
      }
      if (message.length > handshakeMessageBytesMax) throw malformed(`a message of ${message.length} bytes`)
      const reader = new ByteReader(message, `handshake with ${connection.remote}`)
      const found = reader.uint8()
      if (found === kinds.refusal) {
        const why = reader.sizedString().slice(0, reasonCharactersMax)
        throw new FloeError('fenced', 'peer-refused', `${connection.remote} refused this process: ${why}`)
      }
      if (found !== kind) throw malformed(`message ${found} where ${kind} was due`)
      return reader
    },
    end() {
      timer.cancel()
    },
  }

  function malformed(what: string): FloeError {
    return new FloeError(
      'fenced',
      'peer-refused',
      `${connection.remote} sent ${what}: it is no process of a Floe cluster`,
    )
  }
}

/** Runs one side and closes the connection when it fails. Returns the error instead of throwing it. */
export async function tryHandshake<T>(handshake: () => Promise<T>, connection: PeerConnection): Promise<T | FloeError> {
  try {
    return await handshake()
  } catch (error) {
    connection.close(errorMessage(error))
    return error instanceof FloeError
      ? error
      : new FloeError('unavailable', 'peer-lost', `${connection.remote}: ${errorMessage(error)}`, {}, error)
  }
}
