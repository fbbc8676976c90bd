import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../core/random.ts'
import { FaultyStore } from '../../../storage/faulty-store.ts'
import { MemoryStore } from '../../../storage/memory-store.ts'
import { getClassRequestUsd, MeteredStore, putClassRequestUsd } from '../../../storage/metered-store.ts'
import { multipartBytesMin } from '../../../storage/object-store.ts'
import { utf8 } from '../../contract/object-store.ts'
import { makeInstantClock } from './instant-clock.ts'

describe('metered store', () => {
  it('counts requests, bytes and failures by purpose and kind, with their price', async () => {
    const clock = makeInstantClock()
    const faulty = new FaultyStore(new MemoryStore(clock), { clock, random: seededRandom(1) })
    const store = new MeteredStore(faulty, [
      { prefix: 'journal/', purpose: 'journal' },
      { prefix: 'tables/', purpose: 'table' },
    ])
    await store.putIfAbsent('journal/1', utf8('12345'))
    await store.putIfAbsent('journal/1', utf8('678'))
    await store.get('journal/1', { start: 0, end: 2 })
    await store.get('journal/none')
    await store.put('tables/a', [utf8('ab'), utf8('c')])
    await store.head('tables/a')
    await store.list('tables/')
    await store.list('')
    await store.delete(Array.from({ length: 1001 }, (_, index) => `tables/${index}`))
    await store.delete([])
    const upload = await store.startMultipart('x')
    await upload.writePart(new Uint8Array(multipartBytesMin))
    await upload.complete()
    faulty.script(
      { fault: 'lostAnswer', operation: 'putIfAbsent', key: /./ },
      { fault: 'failBefore', operation: 'get', key: /./ },
    )
    expect(await store.putIfAbsent('journal/2', utf8('12'))).toBe('unknown')
    await expect(store.get('tables/a')).rejects.toThrow('injected')

    const none = { failures: 0, bytesWritten: 0, bytesRead: 0 }
    expect(store.snapshot()).toEqual([
      {
        ...none,
        purpose: 'journal',
        kind: 'putIfAbsent',
        requests: 3,
        failures: 1,
        bytesWritten: 10,
        usd: 3 * putClassRequestUsd,
      },
      { ...none, purpose: 'journal', kind: 'get', requests: 2, bytesRead: 2, usd: 2 * getClassRequestUsd },
      {
        ...none,
        purpose: 'other',
        kind: 'multipart',
        requests: 3,
        bytesWritten: multipartBytesMin,
        usd: 3 * putClassRequestUsd,
      },
      { ...none, purpose: 'other', kind: 'list', requests: 1, usd: putClassRequestUsd },
      { ...none, purpose: 'table', kind: 'put', requests: 1, bytesWritten: 3, usd: putClassRequestUsd },
      { ...none, purpose: 'table', kind: 'get', requests: 1, failures: 1, usd: getClassRequestUsd },
      { ...none, purpose: 'table', kind: 'head', requests: 1, usd: getClassRequestUsd },
      { ...none, purpose: 'table', kind: 'list', requests: 1, usd: putClassRequestUsd },
      { ...none, purpose: 'table', kind: 'delete', requests: 2, usd: 0 },
    ])
  })
})
