/** A leader that learns from a barrier that it leads no more, while its entry is still on its way. */
import { expect, test } from 'vitest'
import { openSession } from '../../../catalog/commands/name-commands.ts'
import { interceptStore } from '../../contract/journal-harness.ts'
import { makeFixture } from './catalog-fixture.ts'

test('what was being written when the lead was lost is given back at once, before what waited behind it', async () => {
  const { store, open } = makeFixture()
  const arrived = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  let isHeld = false
  const { leader } = await open(
    {},
    interceptStore(store, async (method, _key, call) => {
      if (isHeld && method === 'putIfAbsent') {
        arrived.resolve()
        await held.promise
      }
      return call()
    }),
  )
  isHeld = true
  const losses: string[] = []
  const submit = (requestNumber: number): Promise<void> =>
    leader.submit(new Uint8Array(16), requestNumber, openSession, undefined).then(
      () => {},
      error => void losses.push(`${requestNumber} ${error.code}`),
    )
  void submit(1)
  await arrived.promise
  void submit(2)
  await open()
  await expect(leader.readBarrier()).rejects.toMatchObject({ code: 'catalog-fenced' })
  expect(losses).toEqual(['1 catalog-outcome-unknown', '2 catalog-not-written'])
  held.resolve()
  await leader.drain()
  expect(losses).toHaveLength(2)
})
