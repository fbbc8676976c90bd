/** Readers of others on what is rendered: icebird over HTTP, and DuckDB on the checkpoint. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { icebergManifests, icebergMetadata, icebergRead } from 'icebird'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LakeTable, tableOf } from './lake-table.ts'
import { makeRows, sampleSchema } from './sample-table.ts'

let server: Server
let origin: string
const tables = new Map<string, LakeTable>()

beforeAll(async () => {
  server = createServer((request, response) => {
    const [, name = '', ...path] = (request.url ?? '').split('/')
    const bytes = tables.get(name)?.objects.get(path.join('/'))
    if (bytes === undefined) {
      response.writeHead(404).end()
      return
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    const start = range === null ? 0 : Number(range[1])
    const end = range === null || range[2] === '' ? bytes.length : Number(range[2]) + 1
    const part = bytes.subarray(start, end)
    response.writeHead(range === null ? 200 : 206, { 'content-length': part.length, 'accept-ranges': 'bytes' })
    response.end(request.method === 'HEAD' ? undefined : part)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

async function newTable(name: string): Promise<LakeTable> {
  const lake = new LakeTable(tableOf(name, sampleSchema, `${origin}/${name}`))
  tables.set(name, lake)
  await lake.create()
  for (let index = 0; index < 5; index++) await lake.append(lake.writeFile(makeRows(index * 4, index * 4 + 4)))
  const files = [...lake.live.values()].map(({ file }) => file)
  await lake.publish('replace', [lake.writeFile(makeRows(4, 12))], files.slice(1, 3))
  return lake
}

test('icebird reads every row of the current snapshot, with nested values', async () => {
  const lake = await newTable('current')
  const tableUrl = `${origin}/current`
  const metadata = await icebergMetadata({
    tableUrl,
    metadataFileName: lake.iceberg!.metadataPath.slice('metadata/'.length),
  })
  const rows = await icebergRead({ tableUrl, metadata })
  expect(rows.map(row => row.id as bigint).toSorted((a, b) => Number(a - b))).toHaveLength(20)
  const row = rows.find(({ id }) => id === 7n)!
  expect(row).toMatchObject({
    flag: false,
    small: 7,
    price: 7.07,
    profile: { country: 'c3', score: 7 },
    tags: ['a', null, 'tag 7'],
    items: [{ sku: 'sku-7', count: 7 }, { sku: 'x' }],
    attributes: { weight: 3.5 },
    region: 'us',
    floe: { partition: 0, offset: 7n },
  })
  const manifests = await icebergManifests(metadata)
  expect(manifests.flatMap(({ entries }) => entries.map(entry => entry.status)).toSorted()).toEqual([1, 1, 1, 1, 2, 2])
})

test('DuckDB reads the checkpoint with its maps and nested structs', async () => {
  const lake = await newTable('checkpoint')
  const [checkpoint] = await lake.checkpoint()
  const directory = mkdtempSync(join(tmpdir(), 'floe-checkpoint-'))
  try {
    const path = join(directory, 'checkpoint.parquet')
    writeFileSync(path, checkpoint!.bytes)
    const connection = await (await DuckDBInstance.create()).connect()
    const reader = await connection.runAndReadAll(
      `select count(protocol), count(metaData), count(txn), count("add"), count(remove), sum("add".size),
              any_value(metaData.configuration['delta.deletedFileRetentionDuration']), count("add".deletionVector)
       from read_parquet('${path}')`,
    )
    const bytes = [...lake.live.values()].reduce((total, { file }) => total + file.fileBytes, 0)
    expect(reader.getRows()).toEqual([[1n, 1n, 1n, 4n, 2n, BigInt(bytes), 'interval 36500 days', 0n]])
    connection.closeSync()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
