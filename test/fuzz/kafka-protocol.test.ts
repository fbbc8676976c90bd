import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFloeError } from '../../core/errors.ts'
import type { ApiName } from '../../kafka/api-keys.ts'
import type { RequestInput, ResponseBody } from '../../kafka/protocol/codec.ts'
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../kafka/protocol/codec.ts'
import { FrameSplitter } from '../../kafka/protocol/framing.ts'
import type { MessageCase } from '../unit/kafka/support/message-arbitrary.ts'
import { messageCases, sampleMessage } from '../unit/kafka/support/message-arbitrary.ts'

/**
 * Any bytes into every decoder of the Kafka protocol. Strategy: pure noise finds little, so most inputs are valid messages that
 * were damaged: bytes flipped, replaced by lengths at the edges, cut, or repeated. Invariant: a decoder returns or throws a
 * FloeError of kind `invalid`, nothing else, and soon.
 */
function expectDecodesOrRefuses(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    if (!isFloeError(error, 'invalid')) throw error
  }
}

function decode({ api, version, direction }: MessageCase, frame: Uint8Array): void {
  expectDecodesOrRefuses(() => {
    if (direction === 'response') return decodeResponse(api, version, frame)
    return decodeRequest(api, version, frame, Math.min(frame.length, decodeRequestHeader(frame).bodyOffset))
  })
}

const edges = [0x00, 0x01, 0x7f, 0x80, 0xff]

/** One change to a frame, position relative to its length. */
const damage = fc.record({
  kind: fc.constantFrom('set', 'edge', 'run', 'cut', 'repeat'),
  where: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  byte: fc.integer({ min: 0, max: 255 }),
})

type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never

function apply(frame: Buffer, { kind, where, byte }: Damage): Buffer {
  const at = Math.floor(where * frame.length)
  if (frame.length === 0) return frame
  switch (kind) {
    case 'cut':
      return frame.subarray(0, at)
    case 'repeat':
      return Buffer.concat([frame.subarray(0, at), frame.subarray(Math.max(0, at - (byte % 16)))])
    case 'run':
      return Buffer.from(frame.fill(edges[byte % edges.length]!, at, Math.min(frame.length, at + (byte % 9))))
    default:
      frame[at] = kind === 'edge' ? edges[byte % edges.length]! : byte
      return frame
  }
}

function encodeSample(scope: MessageCase): Buffer {
  const value: unknown = sampleMessage(scope)
  const { api, version } = scope
  const parts =
    scope.direction === 'request'
      ? encodeRequest(api, version, { correlationId: 1, clientId: 'fuzz' }, value as RequestInput<ApiName>)
      : encodeResponse(api, version, 1, value as ResponseBody<ApiName>)
  return Buffer.concat(parts).subarray(4)
}

describe('damaged messages decode or are refused', () => {
  test.each((['request', 'response'] as const).map(each => [each]))('every %s in every version', direction => {
    for (const scope of messageCases.filter(each => each.direction === direction)) {
      const sample = encodeSample(scope)
      fc.assert(
        fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), changes => {
          decode(scope, changes.reduce(apply, Buffer.from(sample)))
        }),
        { numRuns: 60 },
      )
    }
  })

  test('every prefix of every message', () => {
    for (const scope of messageCases) {
      const sample = encodeSample(scope)
      for (let length = 0; length < Math.min(sample.length, 200); length++) decode(scope, sample.subarray(0, length))
    }
  })
})

describe('noise decodes or is refused', () => {
  test('as any message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat(messageCases.length - 1), (bytes, index) => {
        const { api, version, direction } = messageCases[index]!
        expectDecodesOrRefuses(() =>
          direction === 'request' ? decodeRequest(api, version, bytes, 0) : decodeResponse(api, version, bytes),
        )
      }),
      { numRuns: 4_000 },
    )
  })

  test('as a request header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
        expectDecodesOrRefuses(() => decodeRequestHeader(bytes))
      }),
      { numRuns: 2_000 },
    )
  })

  test('as a stream of frames, holding no more than was pushed', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 10 }), chunks => {
        const splitter = new FrameSplitter({ frameBytesMax: 1_000 })
        let pushed = 0
        expectDecodesOrRefuses(() => {
          for (const chunk of chunks) {
            splitter.push(chunk)
            pushed += chunk.length
            while (splitter.next() !== undefined);
            expect(splitter.bufferedBytes).toBeLessThanOrEqual(pushed)
          }
        })
      }),
      { numRuns: 1_000 },
    )
  })
})
