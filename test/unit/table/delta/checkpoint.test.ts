import { parquetMetadata, parquetReadObjects, parquetSchema, type SchemaTree } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { describe, expect, test } from 'vitest'
import {
  buildCheckpointPath,
  isCheckpointDue,
  lastCheckpointPath,
  renderDeltaCheckpoint,
  tombstoneRetentionMs,
} from '../../../../table/delta/checkpoint.ts'
import type { DataFile } from '../../../../table/types.ts'
import { LakeTable, tableOf } from '../lake-table.ts'
import { makeRows, sampleSchema } from '../sample-table.ts'

const arrayBufferOf = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer

// As Spark 3 and Delta 3 write it.
const sparkStructure = `
OPTIONAL txn
  OPTIONAL appId BYTE_ARRAY UTF8
  OPTIONAL version INT64
  OPTIONAL lastUpdated INT64
OPTIONAL add
  OPTIONAL path BYTE_ARRAY UTF8
  OPTIONAL partitionValues MAP
    REPEATED key_value
      REQUIRED key BYTE_ARRAY UTF8
      OPTIONAL value BYTE_ARRAY UTF8
  OPTIONAL size INT64
  OPTIONAL modificationTime INT64
  OPTIONAL dataChange BOOLEAN
  OPTIONAL tags MAP
    REPEATED key_value
      REQUIRED key BYTE_ARRAY UTF8
      OPTIONAL value BYTE_ARRAY UTF8
  OPTIONAL deletionVector
    OPTIONAL storageType BYTE_ARRAY UTF8
    OPTIONAL pathOrInlineDv BYTE_ARRAY UTF8
    OPTIONAL offset INT32
    OPTIONAL sizeInBytes INT32
    OPTIONAL cardinality INT64
    OPTIONAL maxRowIndex INT64
  OPTIONAL baseRowId INT64
  OPTIONAL defaultRowCommitVersion INT64
  OPTIONAL stats BYTE_ARRAY UTF8
OPTIONAL remove
  OPTIONAL path BYTE_ARRAY UTF8
  OPTIONAL deletionTimestamp INT64
  OPTIONAL dataChange BOOLEAN
  OPTIONAL extendedFileMetadata BOOLEAN
  OPTIONAL partitionValues MAP
    REPEATED key_value
      REQUIRED key BYTE_ARRAY UTF8
      OPTIONAL value BYTE_ARRAY UTF8
  OPTIONAL size INT64
  OPTIONAL deletionVector
    OPTIONAL storageType BYTE_ARRAY UTF8
    OPTIONAL pathOrInlineDv BYTE_ARRAY UTF8
    OPTIONAL offset INT32
    OPTIONAL sizeInBytes INT32
    OPTIONAL cardinality INT64
    OPTIONAL maxRowIndex INT64
  OPTIONAL baseRowId INT64
  OPTIONAL defaultRowCommitVersion INT64
OPTIONAL metaData
  OPTIONAL id BYTE_ARRAY UTF8
  OPTIONAL name BYTE_ARRAY UTF8
  OPTIONAL description BYTE_ARRAY UTF8
  OPTIONAL format
    OPTIONAL provider BYTE_ARRAY UTF8
    OPTIONAL options MAP
      REPEATED key_value
        REQUIRED key BYTE_ARRAY UTF8
        OPTIONAL value BYTE_ARRAY UTF8
  OPTIONAL schemaString BYTE_ARRAY UTF8
  OPTIONAL partitionColumns LIST
    REPEATED list
      OPTIONAL element BYTE_ARRAY UTF8
  OPTIONAL configuration MAP
    REPEATED key_value
      REQUIRED key BYTE_ARRAY UTF8
      OPTIONAL value BYTE_ARRAY UTF8
  OPTIONAL createdTime INT64
OPTIONAL protocol
  OPTIONAL minReaderVersion INT32
  OPTIONAL minWriterVersion INT32
  OPTIONAL readerFeatures LIST
    REPEATED list
      OPTIONAL element BYTE_ARRAY UTF8
  OPTIONAL writerFeatures LIST
    REPEATED list
      OPTIONAL element BYTE_ARRAY UTF8
OPTIONAL domainMetadata
  OPTIONAL domain BYTE_ARRAY UTF8
  OPTIONAL configuration BYTE_ARRAY UTF8
  OPTIONAL removed BOOLEAN
`

function printTree(node: SchemaTree, depth: number): string[] {
  const { repetition_type, name, type, converted_type } = node.element
  const line = [repetition_type, name, type, converted_type].filter(part => part !== undefined).join(' ')
  return [`${'  '.repeat(depth)}${line}`, ...node.children.flatMap(child => printTree(child, depth + 1))]
}

const newTable = async (): Promise<LakeTable> => {
  const spec = { specId: 0, fields: [{ sourceId: 3, fieldId: 1000, name: 'small', transform: 'identity' as const }] }
  const lake = new LakeTable(tableOf('sample', sampleSchema, 'file:///t', spec))
  await lake.create()
  for (let index = 0; index < 9; index++) await lake.append(lake.writeFile(makeRows(index, index + 1)))
  const files = [...lake.live.values()].map(({ file }) => file)
  await lake.publish('replace', [lake.writeFile(makeRows(4, 5))], files.slice(4, 5))
  return lake
}

describe('a Delta checkpoint', () => {
  test('has the structure of the checkpoints that Spark writes', async () => {
    const lake = await newTable()
    const bytes = lake.objects.get(buildCheckpointPath(10))!
    const tree = parquetSchema(parquetMetadata(arrayBufferOf(bytes)))
    expect(`\n${tree.children.flatMap(child => printTree(child, 0)).join('\n')}\n`).toBe(sparkStructure)
  })

  test('holds protocol, metaData, txn, the live files and the tombstones of its version', async () => {
    const lake = await newTable()
    const file = arrayBufferOf(lake.objects.get(buildCheckpointPath(10))!)
    const rows = await parquetReadObjects({ file, compressors })
    const of = (name: string): Record<string, unknown>[] => rows.map(row => row[name]).filter(value => value != null)
    expect(of('protocol')).toEqual([
      { minReaderVersion: 1, minWriterVersion: 2, readerFeatures: undefined, writerFeatures: undefined },
    ])
    expect(of('metaData')[0]).toMatchObject({
      id: lake.table.uuid,
      format: { provider: 'parquet' },
      partitionColumns: ['small'],
      configuration: { 'delta.deletedFileRetentionDuration': 'interval 36500 days' },
      createdTime: 1_700_000_000_000n,
    })
    expect(of('txn')).toEqual([
      { appId: `floe-${lake.table.uuid}`, version: 10n, lastUpdated: BigInt(lake.timestampMs) },
    ])
    expect(of('add').map(add => add.path)).toEqual([...lake.live.keys()])
    expect(of('add')[0]).toMatchObject({
      dataChange: false,
      partitionValues: { small: null },
      modificationTime: 1_700_000_002_000n,
    })
    expect(of('add')[3]).toMatchObject({ partitionValues: { small: '3' } })
    const commit = new TextDecoder().decode(lake.objects.get('_delta_log/00000000000000000001.json'))
    expect(of('add')[0]!.stats).toBe(JSON.parse(commit.trimEnd().split('\n').at(-1)!).add.stats)
    expect(of('remove')).toMatchObject([
      { path: lake.tombstones[0]!.file.path, dataChange: false, extendedFileMetadata: true },
    ])
    expect(JSON.parse(new TextDecoder().decode(lake.objects.get(lastCheckpointPath)))).toEqual({
      version: 10,
      size: 13,
      sizeInBytes: file.byteLength,
      numOfAddFiles: 9,
    })
  })

  test('leaves expired tombstones out', async () => {
    const lake = await newTable()
    const file = lake.tombstones[0]!.file
    const objects = await renderDeltaCheckpoint({
      table: lake.table,
      version: 10,
      timestampMs: lake.timestampMs,
      liveFiles: [],
      tombstones: [[{ file, removedMs: lake.timestampMs - tombstoneRetentionMs }]],
    })
    expect(JSON.parse(new TextDecoder().decode(objects[1]!.bytes))).toMatchObject({ size: 3, numOfAddFiles: 0 })
    expect(objects.map(({ mode }) => mode)).toEqual(['replace', 'replace'])
  })

  test('refuses a path that is live twice or live and removed', async () => {
    const lake = await newTable()
    const live = [...lake.live.values()]
    const input = { table: lake.table, version: 10, timestampMs: lake.timestampMs }
    await expect(
      renderDeltaCheckpoint({ ...input, liveFiles: [live, live.slice(0, 1)], tombstones: [] }),
    ).rejects.toThrow(`${live[0]!.file.path} is live twice`)
    const tombstones = [[{ file: live[0]!.file, removedMs: lake.timestampMs }]]
    await expect(renderDeltaCheckpoint({ ...input, liveFiles: [live], tombstones })).rejects.toThrow(
      `${live[0]!.file.path} is both live and removed`,
    )
  })

  test('of many files comes from pages and reads back whole', async () => {
    const lake = await newTable()
    const template: DataFile = [...lake.live.values()][2]!.file
    async function* pages(): AsyncGenerator<{ file: DataFile; addedMs: number }[]> {
      for (let page = 0; page < 5; page++) {
        yield Array.from({ length: 500 }, (_, index) => ({
          file: { ...template, path: `data/${page}/${index}.parquet` },
          addedMs: 1,
        }))
      }
    }
    const input = { table: lake.table, version: 20, timestampMs: lake.timestampMs, tombstones: [] }
    const objects = await renderDeltaCheckpoint({ ...input, liveFiles: pages() })
    const rows = await parquetReadObjects({ file: arrayBufferOf(objects[0]!.bytes), compressors, columns: ['add'] })
    const paths = rows.flatMap(row => (row.add == null ? [] : [row.add.path]))
    expect(paths).toHaveLength(2_500)
    expect(paths.at(-1)).toBe('data/4/499.parquet')
  })
})

test('checkpoints come every ten versions, less often for tables with many files', () => {
  const due = (files: number): number[] =>
    Array.from({ length: 201 }, (_, version) => version).filter(version => isCheckpointDue(version, files))
  expect(due(0).slice(0, 3)).toEqual([10, 20, 30])
  expect(due(10_000)[0]).toBe(10)
  expect(due(25_000).slice(0, 2)).toEqual([30, 60])
  expect(due(10_000_000)).toEqual([100, 200])
})
