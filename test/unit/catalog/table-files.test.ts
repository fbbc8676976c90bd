import { readFile } from 'node:fs/promises'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { tableFiles } from '../../../catalog/queries/table-queries.ts'
import { FilePacker } from '../../../catalog/replica/pack-files.ts'
import { SnapshotReader } from '../../../catalog/snapshot/snapshot-reader.ts'
import { SnapshotWriter } from '../../../catalog/snapshot/snapshot-writer.ts'
import { CatalogState } from '../../../catalog/state/catalog-state.ts'
import { blockDetailBytesMax, blockRowsMax, FileBlock } from '../../../catalog/state/file-block.ts'
import { FileColumns } from '../../../catalog/state/file-columns.ts'
import { isFloeError } from '../../../core/errors.ts'
import { seededRandom } from '../../../core/random.ts'
import { dataFile, type Fixture, makeFixture, range, tableDefinition } from './catalog-fixture.ts'

const commitFiles = 100

/** Commits of a hundred files each; returns the id of the table. */
async function fillTable(client: Awaited<ReturnType<Fixture['open']>>['client'], commits: number): Promise<number> {
  const { table } = await client.createTable(tableDefinition())
  await client.claimSourcePartitions(table.tableId, [0])
  const { grantId } = await client.grantNames('data-file', 60_000, 3600_000)
  for (let commit = 0; commit < commits; commit++) {
    await client.commitTableFiles({
      tableId: table.tableId,
      files: Array.from({ length: commitFiles }, (_, index) => dataFile(grantId, commit * commitFiles + index, 1)),
      deadLetterFiles: [],
      coverage: [range(0, BigInt(commit * commitFiles), commitFiles, 1)],
    })
  }
  return table.tableId
}

function throughSnapshot(state: CatalogState): CatalogState {
  const writer = SnapshotWriter.forSnapshot()
  state.encode(writer)
  return CatalogState.decode(new SnapshotReader(writer.finish().pieces, 'test'))
}

it('packed or not, read back from a snapshot or not, the files of any commits are the same', async () => {
  const fixture = makeFixture()
  const { client, leader } = await fixture.open()
  const commits = 25
  const tableId = await fillTable(client, commits)
  await leader.replica.settlePacking()
  const packed = leader.replica.state
  expect(packed.tables.unpackedBlocks).toEqual([])
  const { leader: replayed } = await fixture.open()
  const states = [packed, throughSnapshot(packed), replayed.replica.state, throughSnapshot(replayed.replica.state)]
  expect(new Set(states.map(state => state.hash())).size).toBe(1)

  const all = tableFiles(packed, tableId, 0, commits, 0, commits * commitFiles)
  expect(all.map(file => file.path)).toEqual([...new Set(all.map(file => file.path))])
  expect(all.map(file => file.fileSequence)).toEqual(all.map((_, index) => 1 + Math.floor(index / commitFiles)))
  expect(all[commits * commitFiles - 1]).toMatchObject({
    partition: dataFile(1, 0, 1).partition,
    splitOffsets: [4, 500],
  })
  const bounds = [0, 10, 11, commits + 5]
  const paths = (files: readonly { path: string }[]) => files.map(file => file.path).join()
  for (const state of states) {
    expect(tableFiles(state, tableId, 0, commits, 0, 10_000)).toEqual(all)
    for (const after of bounds) {
      for (const upTo of bounds) {
        const expected = all.filter(file => file.fileSequence > after && file.fileSequence <= upTo)
        expect(paths(tableFiles(state, tableId, after, upTo, 0, 10_000))).toBe(paths(expected))
        expect(paths(tableFiles(state, tableId, after, upTo, 37, 1_000))).toBe(paths(expected.slice(37, 1_037)))
      }
    }
  }
})

it('a block takes a fraction of its bytes once it is packed, and its columns are the same', async () => {
  const columns = new FileColumns()
  const random = seededRandom(1)
  for (let row = 0; row < blockRowsMax; row++) {
    const details = Buffer.from(`details of file ${row} are ${random.fraction()}, much like those of the others`)
    columns.add(7, row, 1_000 + row, 98_765 + row, 1 + row, details, 0, details.length)
  }
  const before = columns.toBytes()
  const { block, encodedBytes } = await pack(columns)
  expect(block.isPacked).toBe(true)
  expect(encodedBytes).toBeLessThan(before.length / 2)
  expect(Buffer.compare(block.columns().toBytes(), before)).toBe(0)
})

async function pack(columns: FileColumns): Promise<{ block: FileBlock; encodedBytes: number }> {
  const block = FileBlock.of(0, columns)
  const state = new CatalogState(new Uint8Array(16), 0)
  state.tables.unpackedBlocks.push(block)
  const packer = new FilePacker()
  packer.notice(state)
  await packer.settle()
  const writer = SnapshotWriter.forSnapshot()
  block.encode(writer)
  return { block, encodedBytes: writer.finish().bytes }
}

it('rows with large details fill a block early, and one may be larger than a block', async () => {
  const { client, leader } = await makeFixture().open()
  const { table } = await client.createTable(tableDefinition())
  await client.claimSourcePartitions(table.tableId, [0])
  const { grantId } = await client.grantNames('data-file', 100, 3600_000)
  const sizes = [10, 600_000, 10, 100_000, 300_000, 250_000, 5]
  for (const [index, splits] of sizes.entries()) {
    const splitOffsets = Array.from({ length: splits }, (_, at) => at * 1_000)
    await client.commitTableFiles({
      tableId: table.tableId,
      files: [{ ...dataFile(grantId, index, 1), splitOffsets }],
      deadLetterFiles: [],
      coverage: [range(0, BigInt(index), 1, 1)],
    })
  }
  await leader.replica.settlePacking()
  for (const state of [leader.replica.state, throughSnapshot(leader.replica.state)]) {
    const files = tableFiles(state, table.tableId, 0, 100, 0, 100)
    expect(files.map(file => file.splitOffsets.length)).toEqual(sizes)
    expect(files.every(file => file.splitOffsets.at(-1) === (file.splitOffsets.length - 1) * 1_000)).toBe(true)
  }
  expect(sizes[1]! * 2).toBeGreaterThan(blockDetailBytesMax)
})

it('a snapshot from before there were blocks is read', async () => {
  const text = await readFile(new URL('fixtures/snapshot-without-blocks.json', import.meta.url), 'utf8')
  const bytes = gunzipSync(Buffer.from(JSON.parse(text).gzip, 'base64'))
  const state = CatalogState.decode(new SnapshotReader([new Uint8Array(bytes)], 'test'))
  const filesEach = 1_100
  for (const tableId of [1, 2]) {
    const files = tableFiles(state, tableId, 0, 100, 0, 10_000)
    expect(files).toHaveLength(filesEach)
    for (const [index, { path, columns, splitOffsets, fileSequence, ...numbers }] of files.entries()) {
      const n = index + (tableId - 1) * filesEach
      expect(path.endsWith(`-${n}.parquet`)).toBe(true)
      expect(fileSequence).toBe(1 + Math.floor(index / commitFiles))
      expect(splitOffsets).toHaveLength(n === 1_150 ? 600_000 : 2)
      const { partition, recordCount, fileBytes, columns: expected } = dataFile(1, n, 1)
      expect(numbers).toEqual({ partition, recordCount, fileBytes })
      expect(columns).toEqual(expected)
    }
  }
  expect(throughSnapshot(state).hash()).toBe(state.hash())
})

it('damage of a packed block is noticed when it is read', async () => {
  const columns = new FileColumns()
  for (let row = 0; row < 50; row++) columns.add(1, row, 10, 1_000 + row, 1 + row, Buffer.from(`${row}`), 0, 2)
  const expected = columns.toBytes()
  const { block } = await pack(columns)
  const writer = SnapshotWriter.forSnapshot()
  block.encode(writer)
  const valid = Buffer.concat(writer.finish().pieces)
  const read = (bytes: Uint8Array): Uint8Array | undefined => {
    try {
      return FileBlock.decode(new SnapshotReader([bytes], 'test'), 0)
        .columns()
        .toBytes()
    } catch (error) {
      if (!isFloeError(error, 'corrupt')) throw error
      return undefined
    }
  }
  expect(read(valid)).toEqual(expected)
  const frameAt = valid.indexOf(Buffer.from('28b52ffd', 'hex'))
  const change = fc.record({ at: fc.nat(valid.length - 1), bits: fc.integer({ min: 1, max: 255 }) })
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
      const bytes = new Uint8Array(valid)
      for (const { at, bits } of changes) bytes[at]! ^= bits
      const found = read(bytes)
      // Lengths before the frame have no checksum of their own: that of the snapshot's chunk covers them.
      const isInFrame = changes.every(({ at }) => at >= frameAt)
      if (isInFrame && found !== undefined) expect(Buffer.compare(found, expected)).toBe(0)
    }),
    { numRuns: 2_000 },
  )
})
