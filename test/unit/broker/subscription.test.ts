/** Which topics a consumer's metadata names; what cannot be read is told from what names none. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSubscribedTopics } from '../../../broker/groups/subscription.ts'

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

test('topics are read in every version, known or not', () => {
  expect(readSubscribedTopics(bytesOf('0000 00000000 ffffffff'))).toEqual([])
  expect(readSubscribedTopics(bytesOf('0000 00000001 0001 74 ffffffff'))).toEqual(['t'])
  const newer = bytesOf(
    '0009 00000002 0001 74 0002 c3bc 00000000 00000001 0001 74 00000001 00000002 00000007 ffff aabbcc',
  )
  expect(readSubscribedTopics(newer)).toEqual(['t', 'ü'])
})

test.each(['', '0000 000000', '0000 ffffffff', '0000 00000001', '0000 00000001 0002 74', '0000 00000001 ffff'])(
  'metadata %j cannot be read',
  hex => {
    expect(readSubscribedTopics(bytesOf(hex))).toBeUndefined()
  },
)

test('no bytes make it throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), bytes => void readSubscribedTopics(bytes)))
})
