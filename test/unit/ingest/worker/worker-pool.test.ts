/** Builders on real threads give the same files as on the main one, keep errors, and survive the death of a thread. */
import { afterEach, describe, expect, test } from 'vitest'
import { isFloeError } from '../../../../core/errors.ts'
import { nodeThreads, type Thread, type ThreadFactory } from '../../../../core/threads.ts'
import { type BuilderPool, createInlinePool } from '../../../../ingest/worker/builder-pool.ts'
import { createWorkerPool } from '../../../../ingest/worker/worker-pool.ts'
import { queryWithDuckdb } from '../../table/parquet/read-parquet.ts'
import { batch, events, makeConfig, record } from './fixtures.ts'

const pools: BuilderPool[] = []
const open = (pool: BuilderPool): BuilderPool => {
  pools.push(pool)
  return pool
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map(pool => pool.close()))
})

const batches = (): Uint8Array => batch(0, [...events(0, 300), record('x')], { codec: 'zstd' })
const input = (bytes: Uint8Array) => ({ partition: 0, batches: bytes, start: 0n, end: 301n, aborted: [] })

describe('worker pool', () => {
  test('a thread builds what the main thread builds', async () => {
    const results = []
    for (const pool of [open(createInlinePool()), open(createWorkerPool(nodeThreads, 2))]) {
      const builder = pool.createBuilder(makeConfig())
      const appended = await builder.append(input(batches()))
      const { files, deadLetters, ...rest } = await builder.finish()
      const [file] = files
      results.push({
        appended,
        rest,
        file: { ...file, chunks: Buffer.concat(file!.chunks).toString('hex') },
        deadLetters: Buffer.concat(deadLetters!.chunks).toString('hex'),
      })
      await builder.discard()
    }
    expect(results[1]).toEqual(results[0])
  })

  test('the memory of the batches is handed over, unless it is a part of something larger', async () => {
    const builder = open(createWorkerPool(nodeThreads, 1)).createBuilder(makeConfig())
    const whole = batches()
    await builder.append(input(whole))
    expect(whole.byteLength).toBe(0)
    await builder.finish()
    const part = Buffer.concat([Buffer.from('before'), batches(), Buffer.from('after')]).subarray(6, -5)
    await builder.append(input(part))
    expect(part.byteLength).toBeGreaterThan(0)
    const { files } = await builder.finish()
    expect(await queryWithDuckdb(files[0]!.chunks, 'select count(*)::int n from $file')).toEqual([{ n: 300 }])
  })

  test('builders are spread over the threads and do not mix', async () => {
    const pool = open(createWorkerPool(nodeThreads, 2))
    const builders = Array.from({ length: 5 }, () => pool.createBuilder(makeConfig()))
    const counts = await Promise.all(
      builders.map(async (builder, index) => {
        await builder.append({ ...input(batch(0, events(0, index + 1))), end: BigInt(index + 1) })
        return (await builder.finish()).files[0]!.recordCount
      }),
    )
    expect(counts).toEqual([1, 2, 3, 4, 5])
  })

  test('errors keep kind, code and message, and the builder can go on', async () => {
    const builder = open(createWorkerPool(nodeThreads, 1)).createBuilder(makeConfig())
    await builder.append({ ...input(batch(0, events(0, 2))), end: 2n })
    const error = await builder.append(input(batches())).catch((caught: unknown) => caught)
    expect(isFloeError(error, 'invalid')).toBe(true)
    expect(error).toMatchObject({ code: 'append-not-continuous', context: { expected: 2n } })
    expect((await builder.finish()).coverage[0]).toMatchObject({ written: 2 })
  })

  test('a builder that cannot be made says why at its first call', async () => {
    const config = makeConfig({}, { specId: 0, fields: [{ sourceId: 99, fieldId: 1000, name: 'x', transform: 'day' }] })
    const builder = open(createWorkerPool(nodeThreads, 1)).createBuilder(config)
    await expect(builder.append(input(batches()))).rejects.toThrow(/99/)
    await builder.discard()
  })

  test('a dead thread fails its builders, and new builders get a new thread', async () => {
    const started: Thread[] = []
    const threads: ThreadFactory = {
      start(entry, name) {
        started.push(nodeThreads.start(entry, name))
        return started.at(-1)!
      },
    }
    const pool = open(createWorkerPool(threads, 1))
    const doomed = pool.createBuilder(makeConfig())
    await doomed.append(input(batches()))
    const pending = doomed.finish()
    await started[0]!.end()
    await pending.catch(() => {})
    await expect(doomed.finish()).rejects.toMatchObject({ code: 'builder-thread-ended' })
    await doomed.discard()
    const next = pool.createBuilder(makeConfig())
    await next.append(input(batches()))
    expect((await next.finish()).files).toHaveLength(1)
    expect(started).toHaveLength(2)
  })

  test('a closed pool makes no builders', async () => {
    const pool = createWorkerPool(nodeThreads, 1)
    await pool.close()
    expect(() => pool.createBuilder(makeConfig())).toThrow('closed')
  })
})
