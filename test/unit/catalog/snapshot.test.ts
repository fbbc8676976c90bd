import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  clientSessionsMax,
  largeReceiptBytesPerClientMax,
  publishedVersionsKept,
  receiptsPerClientMax,
} from '../../../catalog/limits.ts'
import { closedGenerations, sourceCoverage } from '../../../catalog/queries/table-queries.ts'
import { SnapshotReader } from '../../../catalog/snapshot/snapshot-reader.ts'
import { captureSnapshot } from '../../../catalog/snapshot/snapshot-store.ts'
import { referencedColumnBytesMin, SnapshotWriter } from '../../../catalog/snapshot/snapshot-writer.ts'
import { CatalogState } from '../../../catalog/state/catalog-state.ts'
import { ClientSession, ClientSessions } from '../../../catalog/state/client-sessions.ts'
import { FileColumns } from '../../../catalog/state/file-columns.ts'
import { TableVersions } from '../../../catalog/state/table-versions.ts'
import { ByteWriter } from '../../../core/byte-writer.ts'
import { dataFile, makeFixture, range, tableDefinition } from './catalog-fixture.ts'

function hashPieces(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

test('a captured snapshot stays as it was while the state goes on, though its long columns are only referenced', async () => {
  const { client, leader } = await makeFixture().open()
  const { topic } = await client.createTopic('orders', 1, {})
  const { table } = await client.createTable(tableDefinition())
  await client.claimSourcePartitions(table.tableId, [0])
  const files = await client.grantNames('data-file', 60_000, 3600_000)
  const segments = await client.grantNames('segment', 60_000, 3600_000)
  let next = 0
  let produced = 0
  const commitFiles = (count: number) => {
    const from = next
    next += count
    return client.commitTableFiles({
      tableId: table.tableId,
      files: Array.from({ length: count }, (_, index) => dataFile(files.grantId, from + index, 1)),
      deadLetterFiles: [],
      coverage: [range(0, BigInt(from), count, 1)],
    })
  }
  const produce = (count: number) =>
    Promise.all(
      Array.from({ length: count }, () =>
        client.commitSegment({
          grantId: segments.grantId,
          nameIndex: produced++,
          segmentBytes: 100,
          batches: [
            {
              topicId: topic.topicId,
              partition: 0,
              byteOffset: 0,
              byteLength: 100,
              offsetCount: 1,
              maxTimestampMs: produced,
              producerId: -1n,
              producerEpoch: -1,
              baseSequence: -1,
            },
          ],
        }),
      ),
    )
  const rows = referencedColumnBytesMin / 4 + 100
  await commitFiles(rows)
  await produce(rows)
  const stateHash = leader.replica.state.hash()
  const captured = captureSnapshot(leader.replica.state, leader.replica.position)
  const before = hashPieces(captured.pieces)
  const copied = captured.pieces.filter(piece => piece.length < referencedColumnBytesMin)
  expect(captured.pieces.length - copied.length).toBeGreaterThan(10)
  await commitFiles(rows)
  await produce(rows)
  await client.advanceLogStart(topic.topicId, 0, BigInt(rows + 50))
  await produce(500)
  await leader.replica.settlePacking()
  expect(leader.replica.state.hash()).not.toBe(stateHash)
  expect(hashPieces(captured.pieces)).toBe(before)
  expect(CatalogState.decode(new SnapshotReader(captured.pieces, 'test')).hash()).toBe(stateHash)
})

describe('generations of source partitions', () => {
  const decode = (pieces: readonly Uint8Array[]) => CatalogState.decode(new SnapshotReader(pieces, 'test'))

  test('a snapshot from before there were any is read, and nothing of it is lost', async () => {
    const text = await readFile(new URL('fixtures/snapshot-without-generations.json', import.meta.url), 'utf8')
    const { base64 } = JSON.parse(text)
    const state = decode([new Uint8Array(Buffer.from(base64, 'base64'))])
    expect(sourceCoverage(state, 1)).toMatchObject([{ partition: 0, start: 500n, end: 520n, written: 10n, gap: 4n }])
    expect(closedGenerations(state, 1)).toEqual([])
    const writer = SnapshotWriter.forSnapshot()
    state.encode(writer)
    const again = decode(writer.finish().pieces)
    expect(again.hash()).toBe(state.hash())
    expect(sourceCoverage(again, 1)).toEqual(sourceCoverage(state, 1))
    expect(again.tables.byId(1)?.definition).toEqual(state.tables.byId(1)?.definition)
  })

  test('are in a snapshot once there are any, thousands of them too', async () => {
    const { client, leader } = await makeFixture().open()
    const { table } = await client.createTable(tableDefinition())
    const { tableId } = table
    await client.claimSourcePartitions(tableId, [0, 1])
    for (const partition of [0, 1]) {
      await client.commitTableFiles({
        tableId,
        files: [],
        deadLetterFiles: [],
        coverage: [{ ...range(partition, 0n, 0, 1), end: 3n, gap: 3n }],
      })
    }
    const generations = referencedColumnBytesMin / 8 + 20
    for (let count = 0; count < generations; count++) {
      const partition = count % 3 === 0 ? 1 : 0
      const expectedEnd = count < 2 ? 3n : BigInt((await client.sourceCoverage(tableId))[partition]!.end)
      const topicId = count % 2 === 0 ? undefined : '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a11'
      const begin = { tableId, partition, ownerEpoch: 1, topicId, start: BigInt(count), expectedEnd }
      expect(await client.beginSourceGeneration(begin)).toMatchObject({ outcome: 'begun' })
    }
    const captured = captureSnapshot(leader.replica.state, leader.replica.position)
    const read = decode(captured.pieces)
    expect(read.hash()).toBe(leader.replica.state.hash())
    expect(closedGenerations(read, tableId)).toEqual(await client.closedGenerations(tableId))
    expect(closedGenerations(read, tableId)).toHaveLength(generations)
    expect(read.tables.byId(tableId)!.generations.countOf(1)).toBe(Math.ceil(generations / 3))
  })
})

describe('parts of the state', () => {
  function roundTrip<T>(part: { encode(writer: SnapshotWriter): void }, decode: (reader: SnapshotReader) => T): T {
    const writer = SnapshotWriter.forSnapshot()
    part.encode(writer)
    return decode(new SnapshotReader(writer.finish().pieces, 'test'))
  }

  test('receipts of every size come back; the largest are dropped oldest first and then refused', () => {
    const session = new ClientSession(new Uint8Array(16), 5)
    const out = new ByteWriter()
    const keep = (requestNumber: number, length: number) => {
      const start = out.length
      out.raw(new Uint8Array(length).fill(requestNumber))
      session.record(requestNumber, out, start, out.length)
    }
    const read = (from: ClientSession, requestNumber: number) => {
      if (from.look(requestNumber) !== 'known') return from.look(requestNumber)
      const receipt = new ByteWriter()
      from.writeReceipt(requestNumber, receipt)
      return `${receipt.length} of ${receipt.view()[0]}`
    }
    keep(1, 3)
    keep(2, 1000)
    keep(3, largeReceiptBytesPerClientMax - 1500)
    const decoded = roundTrip(session, ClientSession.decode)
    for (const from of [session, decoded]) {
      expect([1, 2, 3, 4].map(number => read(from, number))).toEqual([
        '3 of 1',
        '1000 of 2',
        `${largeReceiptBytesPerClientMax - 1500} of 3`,
        'new',
      ])
    }
    keep(4, 900)
    expect([2, 3, 4].map(number => read(session, number))).toEqual([
      'expired',
      `${largeReceiptBytesPerClientMax - 1500} of 3`,
      '900 of 4',
    ])
    keep(5, largeReceiptBytesPerClientMax + 1)
    expect(read(session, 5)).toBe('expired')
    keep(3 + receiptsPerClientMax, 2)
    expect([read(session, 3), read(session, 3 + receiptsPerClientMax)]).toEqual(['expired', '2 of 131'])
  })

  test('beyond the limit the client that was silent longest is forgotten', () => {
    const sessions = new ClientSessions()
    const id = (index: number) => new Uint8Array(16).fill(index & 255, 0, 1).fill(index >> 8, 1, 2)
    for (let index = 0; index < clientSessionsMax; index++) sessions.open(id(index), 100 + index)
    sessions.open(id(0), 5000)
    sessions.open(id(clientSessionsMax), 5001)
    expect(sessions.count).toBe(clientSessionsMax)
    expect([0, 1, 2].map(index => sessions.find(id(index)) !== undefined)).toEqual([true, false, true])
  })

  test('the last ten thousand published versions are kept', () => {
    const versions = new TableVersions()
    const total = publishedVersionsKept * 2 + 10
    for (let version = 0; version < total; version++) {
      versions.add({
        version,
        timestampMs: version,
        fileSequence: version,
        rowCount: 1,
        icebergMetadataPath: `m${version}`,
        completedMs: 1,
      })
    }
    for (const from of [versions, roundTrip(versions, TableVersions.decode)]) {
      expect(from.published().length).toBe(publishedVersionsKept)
      expect(from.published()[0]?.version).toBe(total - publishedVersionsKept)
      expect(from.find(total - publishedVersionsKept - 1)).toBeUndefined()
      expect(from.find(total - 1)?.icebergMetadataPath).toBe(`m${total - 1}`)
      expect(from.find(total)).toBeUndefined()
    }
  })
})

test('the state keeps nothing of the bytes it was given, also when they are a Buffer, whose slices share memory', () => {
  const bytes = Buffer.alloc((1 << 20) + 50, 7)
  const files = new FileColumns()
  files.add(1, 0, 1, 1, 1, bytes, 0, 10)
  files.add(1, 1, 1, 1, 1, bytes, 0, bytes.length)
  const clientId = Buffer.alloc(16, 3)
  const sessions = new ClientSessions()
  const session = sessions.open(clientId, 1)
  bytes.fill(0)
  clientId.fill(0)
  expect([0, 1].map(row => files.detailsOf(row)[0])).toEqual([7, 7])
  expect(session.clientId[0]).toBe(3)
})
