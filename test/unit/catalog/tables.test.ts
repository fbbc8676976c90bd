import { describe, expect, test } from 'vitest'
import type { CommitTableFiles, CoverageRange } from '../../../catalog/client.ts'
import { grantGraceMs } from '../../../catalog/limits.ts'
import { dataFilePath, deadLetterFilePath, tableFolder } from '../../../catalog/object-names.ts'
import { primitive } from '../../../table/types.ts'
import { dataFile, makeFixture, range, tableDefinition } from './catalog-fixture.ts'

async function openWithTable() {
  const fixture = makeFixture()
  const catalog = await fixture.open()
  const { client } = catalog
  const { table } = await client.createTable(tableDefinition())
  const { grantId } = await client.grantNames('data-file', 1000, 3600_000, table.tableId)
  const claimed = await client.claimSourcePartitions(table.tableId, [0, 1])
  if (claimed === 'unknown-table') throw new Error(claimed)
  let name = 0
  /** A commit of one range with a file for its written rows and dead letters for its rejected ones. */
  const make = (part: CoverageRange, deadLetters = part.rejected): CommitTableFiles => ({
    tableId: table.tableId,
    files: part.written > 0 ? [dataFile(grantId, name++, part.written)] : [],
    deadLetterFiles: deadLetters > 0 ? [{ grantId, nameIndex: name++, recordCount: deadLetters, fileBytes: 77 }] : [],
    coverage: [part],
  })
  return { ...fixture, catalog, client, table, tableId: table.tableId, grantId, make }
}

describe('definitions', () => {
  test('a table is created once and keeps its id; settings and properties change, schema and name do not', async () => {
    const { client, table, tableId } = await openWithTable()
    expect(table).toMatchObject({ tableId: 1, state: 'running', fileCount: 0, rowCount: 0n, published: undefined })
    expect(table.definition).toEqual(tableDefinition())
    const again = await client.createTable({ ...tableDefinition(), settings: 'other' })
    expect(again).toEqual({ outcome: 'exists', table })
    const altered = { ...tableDefinition(), properties: { owner: 'ops' }, settings: '{}' }
    expect(await client.alterTable(tableId, altered)).toBe('altered')
    expect((await client.tableById(tableId))?.definition).toEqual(altered)
    const field = { id: 2, name: 'more', required: false, type: primitive('string') }
    const schema = { schemaId: 1, fields: [...tableDefinition().schema.fields, field] }
    expect(await client.alterTable(tableId, { ...altered, schema })).toBe('schema-change-refused')
    expect(await client.alterTable(99, altered)).toBe('unknown-table')
    await expect(client.alterTable(tableId, tableDefinition('renamed'))).rejects.toMatchObject({ code: 'table-rename' })
    await expect(client.createTable(tableDefinition('bad-name'))).rejects.toMatchObject({ kind: 'invalid' })
    expect(await client.tableByName('bad-name')).toBeUndefined()
  })

  test('a table is stopped with a reason and started again', async () => {
    const { client, tableId } = await openWithTable()
    expect(await client.setTableState(tableId, 'stopped', 'topic was recreated')).toBe('set')
    expect(await client.tableById(tableId)).toMatchObject({ state: 'stopped', stoppedReason: 'topic was recreated' })
    expect(await client.setTableState(tableId, 'running', undefined)).toBe('set')
    expect(await client.tableById(tableId)).toMatchObject({ state: 'running', stoppedReason: undefined })
    expect(await client.setTableState(7, 'running', undefined)).toBe('unknown-table')
  })
})

describe('commits', () => {
  test('files, dead letters and coverage are added together and shown as they were given', async () => {
    const { client, tableId, grantId, make, clock } = await openWithTable()
    const part = { ...range(0, 500n, 10, 1), end: 520n, filtered: 3, rejected: 2, control: 1, gap: 4n }
    const topicId = '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a11'
    expect(await client.commitTableFiles(make({ ...part, topicId }))).toEqual({ outcome: 'committed', fileSequence: 1 })
    expect(await client.commitTableFiles(make(range(0, 520n, 5, 1)))).toEqual({ outcome: 'committed', fileSequence: 2 })
    expect(await client.sourceCoverage(tableId)).toEqual([
      { ...part, topicId, end: 525n, written: 15n, filtered: 3n, rejected: 2n, control: 1n, ownerEpoch: 1 },
    ])
    const { grantId: _grant, nameIndex: _index, ...file } = dataFile(grantId, 0, 10)
    const files = await client.tableFiles(tableId, 0, 2, 0, 10)
    expect(files).toEqual([
      { ...file, path: dataFilePath(grantId, 0), fileSequence: 1 },
      { ...dataFileOf(5), path: dataFilePath(grantId, 2), fileSequence: 2 },
    ])
    expect(await client.tableFiles(tableId, 1, 2, 0, 10)).toEqual(files.slice(1))
    expect(await client.tableFiles(tableId, 0, 1, 0, 10)).toEqual(files.slice(0, 1))
    expect(await client.tableFiles(tableId, 0, 9, 1, 1)).toEqual(files.slice(1))
    expect(await client.tableFiles(9, 0, 9, 0, 1)).toEqual([])
    expect(await client.deadLetterFiles(tableId, 0, 10)).toEqual([
      { path: deadLetterFilePath(grantId, 1), recordCount: 2, fileBytes: 77, committedMs: clock.time },
    ])
    expect(await client.tableById(tableId)).toMatchObject({
      fileCount: 2,
      rowCount: 15n,
      fileBytes: 2015n,
      deadLetterCount: 2n,
      fileSequence: 2,
    })
  })

  function dataFileOf(recordCount: number) {
    const { grantId: _grant, nameIndex: _index, ...file } = dataFile(0, 0, recordCount)
    return file
  }

  test('a range that does not start where the account ends is refused with where it ends', async () => {
    const { client, make } = await openWithTable()
    await client.commitTableFiles(make(range(0, 100n, 10, 1)))
    for (const start of [100n, 109n, 111n]) {
      expect(await client.commitTableFiles(make(range(0, start, 10, 1)))).toEqual({
        outcome: 'coverage-gap',
        partition: 0,
        expected: 110n,
      })
    }
  })

  test('a stale owner is fenced; an unclaimed partition too', async () => {
    const { client, tableId, make } = await openWithTable()
    await client.commitTableFiles(make(range(0, 0n, 10, 1)))
    const claimed = await client.claimSourcePartitions(tableId, [0, 5])
    expect(claimed).toMatchObject([
      { partition: 0, start: 0n, end: 10n, ownerEpoch: 2 },
      { partition: 5, start: -1n, end: -1n, ownerEpoch: 1 },
    ])
    expect(await client.sourceCoverage(tableId)).toHaveLength(1)
    const fenced = { outcome: 'fenced', partition: 0, ownerEpoch: 2 }
    expect(await client.commitTableFiles(make(range(0, 10n, 10, 1)))).toEqual(fenced)
    expect(await client.commitTableFiles(make(range(4, 10n, 10, 0)))).toMatchObject({ outcome: 'fenced', partition: 4 })
    expect(await client.commitTableFiles(make(range(0, 10n, 10, 2)))).toMatchObject({ outcome: 'committed' })
    expect(await client.claimSourcePartitions(9, [0])).toBe('unknown-table')
  })

  test('a generation closes the account as it stands and begins a fresh one elsewhere', async () => {
    const { client, tableId, make, clock, catalog } = await openWithTable()
    const [topicId, nextTopicId] = ['8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a11', '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a12']
    const part = { ...range(0, 0n, 10, 1), end: 16n, filtered: 3, rejected: 2, control: 1, topicId }
    await client.commitTableFiles(make(part))
    await client.commitTableFiles(make(range(1, 0n, 5, 1)))
    clock.advance(5)
    const begin = { tableId, partition: 0, ownerEpoch: 1, topicId: nextTopicId, start: 4n, expectedEnd: 16n }
    expect(await client.closedGenerations(tableId)).toEqual([])
    expect(await client.beginSourceGeneration(begin)).toEqual({ outcome: 'begun', generation: 2 })
    expect(await client.closedGenerations(tableId)).toEqual([
      {
        partition: 0,
        generation: 1,
        topicId,
        start: 0n,
        end: 16n,
        written: 10n,
        filtered: 3n,
        rejected: 2n,
        control: 1n,
        gap: 0n,
        maxTimestampMs: 1000,
        fileSequence: 2,
        deadLetterFileCount: 1,
        closedMs: clock.nowMs(),
      },
    ])
    const fresh = { start: 4n, end: 4n, written: 0n, rejected: 0n, maxTimestampMs: -1, ownerEpoch: 1 }
    expect(await client.sourceCoverage(tableId)).toMatchObject([
      { partition: 0, topicId: nextTopicId, ...fresh },
      { partition: 1, end: 5n },
    ])

    // The account of the new generation is as strict as any.
    expect(await client.commitTableFiles(make({ ...range(0, 16n, 2, 1), topicId: nextTopicId }))).toEqual({
      outcome: 'coverage-gap',
      partition: 0,
      expected: 4n,
    })
    expect(await client.commitTableFiles(make({ ...range(0, 4n, 2, 1), topicId }))).toMatchObject({
      outcome: 'invalid',
    })
    expect(await client.commitTableFiles(make({ ...range(0, 4n, 2, 1), topicId: nextTopicId }))).toMatchObject({
      outcome: 'committed',
      fileSequence: 3,
    })

    // A published version tells of every generation.
    await client.beginPublish(tableId)
    await client.completePublish(tableId, 0, 'm0')
    expect(await client.beginPublish(tableId)).toMatchObject({
      progress: [
        { partition: 0, start: 0n, end: 16n },
        { partition: 0, start: 4n, end: 6n },
        { partition: 1, start: 0n, end: 5n },
      ],
    })
    expect(await client.tableById(tableId)).toMatchObject({ rowCount: 17n })
    await catalog.close()
  })

  test('a generation is refused to whoever does not own the partition or does not know where it ends', async () => {
    const { client, tableId, make } = await openWithTable()
    const begin = { tableId, partition: 0, ownerEpoch: 1, topicId: undefined, start: 0n, expectedEnd: 10n }
    expect(await client.beginSourceGeneration(begin)).toEqual({ outcome: 'end-differs', expected: -1n })
    await client.commitTableFiles(make(range(0, 0n, 12, 1)))
    expect(await client.beginSourceGeneration(begin)).toEqual({ outcome: 'end-differs', expected: 12n })
    const right = { ...begin, expectedEnd: 12n }
    expect(await client.beginSourceGeneration({ ...right, partition: 7 })).toEqual({ outcome: 'fenced', ownerEpoch: 0 })
    expect(await client.beginSourceGeneration({ ...right, ownerEpoch: 0 })).toMatchObject({ outcome: 'fenced' })
    await client.claimSourcePartitions(tableId, [0])
    expect(await client.beginSourceGeneration(right)).toEqual({ outcome: 'fenced', ownerEpoch: 2 })
    expect(await client.beginSourceGeneration({ ...right, tableId: 9 })).toEqual({ outcome: 'unknown-table' })
    for (const wrong of [{ start: -1n }, { expectedEnd: 2n ** 60n }, { topicId: 'no uuid' }, { partition: -1 }]) {
      await expect(client.beginSourceGeneration({ ...right, ...wrong })).rejects.toMatchObject({ kind: 'invalid' })
    }
    expect(await client.closedGenerations(tableId)).toEqual([])
    expect(await client.sourceCoverage(tableId)).toMatchObject([{ start: 0n, end: 12n, written: 12n }])
  })

  test('parts that do not add up, rows that are not there and surplus dead letters are invalid', async () => {
    const { client, make, grantId, tableId } = await openWithTable()
    const invalid = async (command: CommitTableFiles, reason: RegExp) => {
      const result = await client.commitTableFiles(command)
      expect(result.outcome === 'invalid' ? result.reason : result.outcome).toMatch(reason)
    }
    await invalid(make({ ...range(0, 0n, 10, 1), end: 11n }), /is 10, the range has 11 offsets/)
    await invalid(make({ ...range(0, 0n, 10, 1), gap: 1n }), /is 11, the range has 10/)
    await invalid({ ...make(range(0, 0n, 10, 1)), files: [] }, /files have 0 rows, the ranges 10 written/)
    await invalid(make({ ...range(0, 0n, 8, 1), end: 10n, rejected: 2 }, 3), /3 dead letters, but only 2 rejected/)
    await invalid(
      { ...make(range(0, 0n, 10, 1)), coverage: [range(0, 0n, 5, 1), range(0, 5n, 5, 1)] },
      /partition 0 has two ranges/,
    )
    expect(await client.tableById(tableId)).toMatchObject({ fileCount: 0, fileSequence: 0 })
    expect(await client.sourceCoverage(tableId)).toEqual([])
    // Skipped dead letters are fine: fewer than were rejected.
    const skipped = make({ ...range(0, 0n, 8, 1), end: 10n, rejected: 2 }, 0)
    expect(await client.commitTableFiles(skipped)).toMatchObject({ outcome: 'committed' })
    expect(await client.commitTableFiles({ ...skipped, tableId: 9 })).toEqual({ outcome: 'unknown-table' })
    await expect(client.commitTableFiles({ ...skipped, coverage: [range(0, 10n, -1, 1)] })).rejects.toMatchObject({
      kind: 'invalid',
    })
    expect(grantId).toBeGreaterThan(0)
  })

  test('a refused commit uses up no name, and a name is used once', async () => {
    const { client, grantId, tableId, make } = await openWithTable()
    const command: CommitTableFiles = {
      tableId,
      files: [dataFile(grantId, 500, 5), dataFile(grantId, 501, 5), dataFile(grantId, 500, 5)],
      deadLetterFiles: [],
      coverage: [range(0, 0n, 15, 1)],
    }
    expect(await client.commitTableFiles(command)).toEqual({ outcome: 'grant-expired', grantId })
    const once = { ...command, files: command.files.slice(0, 2), coverage: [range(0, 0n, 10, 1)] }
    expect(await client.commitTableFiles(once)).toMatchObject({ outcome: 'committed' })
    const reused = { ...command, files: [dataFile(grantId, 501, 5)], coverage: [range(0, 10n, 5, 1)] }
    expect(await client.commitTableFiles(reused)).toEqual({ outcome: 'grant-expired', grantId })
    expect(await client.commitTableFiles(make(range(0, 10n, 5, 1)))).toMatchObject({ outcome: 'committed' })
  })

  test('a topic that was recreated is noticed', async () => {
    const { client, make } = await openWithTable()
    const first = '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a11'
    const other = '8c9c2b9e-7a57-4a2e-9d53-0c1f6d3b0a12'
    await client.commitTableFiles(make(range(0, 0n, 5, 1)))
    expect(await client.commitTableFiles(make({ ...range(0, 5n, 5, 1), topicId: first }))).toMatchObject({
      outcome: 'committed',
    })
    expect(await client.commitTableFiles(make({ ...range(0, 10n, 5, 1), topicId: other }))).toEqual({
      outcome: 'invalid',
      reason: 'topic was recreated: the topic id of partition 0 changed',
    })
  })

  test('an uncommitted data file name is looked for in its table, or in every table', async () => {
    const { client, clock, table } = await openWithTable()
    const { table: second } = await client.createTable(tableDefinition('second'))
    const narrow = await client.grantNames('data-file', 1, 1000, second.tableId)
    const wide = await client.grantNames('data-file', 1, 1000)
    await expect(client.grantNames('data-file', 1, 1000, 99)).rejects.toMatchObject({ code: 'unknown-table' })
    clock.advance(grantGraceMs + 1000 + 60_000)
    await client.allocateProducerIds(1)
    const places = (folder: string, id: number) => [
      `${folder}/${dataFilePath(id, 0)}`,
      `${folder}/${deadLetterFilePath(id, 0)}`,
    ]
    const folders = [table, second].map(({ definition, tableUuid }) => tableFolder(definition.name, tableUuid))
    expect((await client.garbageObjects(clock.time + 1, 10)).map(({ keys }) => keys)).toEqual([
      places(folders[1]!, narrow.grantId),
      folders.flatMap(folder => places(folder, wide.grantId)),
    ])
  })
})

describe('publishing', () => {
  test('version 0 comes first, then one for all files so far; a pending one is given again', async () => {
    const { client, clock, tableId, make } = await openWithTable()
    await client.commitTableFiles(make(range(0, 7n, 10, 1)))
    const zero = {
      version: 0,
      timestampMs: clock.time,
      snapshotId: undefined,
      operation: 'none',
      fileSequenceAfter: 0,
      fileSequenceUpTo: 0,
      progress: [],
    }
    expect(await client.beginPublish(tableId)).toEqual(zero)
    clock.advance(5)
    expect(await client.beginPublish(tableId)).toEqual(zero)
    expect(await client.completePublish(tableId, 1, 'm1')).toBe('not-pending')
    const published = await client.completePublish(tableId, 0, 'metadata/0')
    expect(published).toEqual({
      version: 0,
      timestampMs: zero.timestampMs,
      snapshotId: undefined,
      fileSequence: 0,
      icebergMetadataPath: 'metadata/0',
      deltaVersion: 0,
      rowCount: 0n,
      completedMs: clock.time,
    })
    expect(await client.completePublish(tableId, 0, 'other')).toEqual(published)

    await client.commitTableFiles(make(range(1, 0n, 3, 1)))
    const one = await client.beginPublish(tableId)
    expect(one).toMatchObject({
      version: 1,
      timestampMs: clock.time,
      operation: 'append',
      fileSequenceAfter: 0,
      fileSequenceUpTo: 2,
      progress: [
        { partition: 0, start: 7n, end: 17n },
        { partition: 1, start: 0n, end: 3n },
      ],
    })
    await client.commitTableFiles(make(range(1, 3n, 4, 1)))
    expect(await client.beginPublish(tableId)).toEqual(one)
    expect(await client.completePublish(tableId, 1, 'm1')).toMatchObject({ rowCount: 13n, fileSequence: 2 })
    const two = await client.beginPublish(tableId)
    expect(two).toMatchObject({ version: 2, timestampMs: clock.time + 1, fileSequenceAfter: 2, fileSequenceUpTo: 3 })
    if (typeof one !== 'object' || typeof two !== 'object') throw new Error('no version')
    expect(two.snapshotId).not.toBe(one.snapshotId)
    expect(one.snapshotId! > 0n && one.snapshotId! < 2n ** 63n).toBe(true)
    await client.completePublish(tableId, 2, 'm2')
    expect(await client.beginPublish(tableId)).toBeUndefined()
    expect((await client.publishedVersions(tableId)).map(({ version }) => version)).toEqual([0, 1, 2])
    expect((await client.tableById(tableId))?.published).toMatchObject({ version: 2, snapshotId: two.snapshotId })
    expect(await client.beginPublish(5)).toBe('unknown-table')
    expect(await client.completePublish(5, 0, 'm')).toBe('unknown-table')
  })

  test('coverage without files needs no version', async () => {
    const { client, tableId, make } = await openWithTable()
    await client.beginPublish(tableId)
    await client.completePublish(tableId, 0, 'm')
    const filtered = { ...range(0, 0n, 0, 1), end: 9n, filtered: 9 }
    expect(await client.commitTableFiles(make(filtered))).toEqual({ outcome: 'committed', fileSequence: 0 })
    expect(await client.beginPublish(tableId)).toBeUndefined()
    expect(await client.sourceCoverage(tableId)).toMatchObject([{ end: 9n, filtered: 9n }])
  })

  test('a pending version outlives a restart unchanged', async () => {
    const { client, tableId, make, open } = await openWithTable()
    await client.beginPublish(tableId)
    await client.completePublish(tableId, 0, 'm')
    await client.commitTableFiles(make(range(0, 0n, 10, 1)))
    const pending = await client.beginPublish(tableId)
    const next = await open()
    expect(await next.client.beginPublish(tableId)).toEqual(pending)
  })
})
