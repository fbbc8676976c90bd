import { describe, expect, it } from 'vitest'
import { releaseMemory } from '../../../core/release-memory.ts'

describe('releaseMemory', () => {
  it('empties every view of large memory', () => {
    const bytes = new Uint8Array(64 * 1024).fill(7)
    const view = bytes.subarray(10, 20)
    releaseMemory(bytes)
    expect([bytes.length, view.length, bytes.buffer.detached]).toEqual([0, 0, true])
  })

  it('leaves memory alone that is mostly not of the view: a pool, a message', () => {
    const message = new Uint8Array(64 * 1024).fill(7)
    releaseMemory(message.subarray(0, 20 * 1024))
    expect([message.length, message[0]]).toEqual([64 * 1024, 7])
  })

  it('leaves small memory to the collector', () => {
    const bytes = new Uint8Array(1024).fill(7)
    releaseMemory(bytes)
    expect(bytes.length).toBe(1024)
  })
})
