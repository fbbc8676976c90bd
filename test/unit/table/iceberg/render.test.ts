import { describe, expect, test } from 'vitest'
import { ByteReader } from '../../../../core/byte-reader.ts'
import { compileRecordDecoder } from '../../../../table/avro/codec.ts'
import { readContainer } from '../../../../table/avro/container.ts'
import { buildManifestFormat, entryStatus, readManifest } from '../../../../table/iceberg/manifest.ts'
import { buildDataFileSchema } from '../../../../table/iceberg/manifest-schema.ts'
import { buildVersionUuid, relativePath } from '../../../../table/iceberg/names.ts'
import { metadataLogCountMax, renderIceberg } from '../../../../table/iceberg/render.ts'
import {
  chooseManifestsToMerge,
  loadManifestsToRewrite,
  manifestMergeCountMin,
} from '../../../../table/iceberg/rewrite.ts'
import type { PublishPlan } from '../../../../table/rendering.ts'
import { primitive, type Schema } from '../../../../table/types.ts'
import { LakeTable, tableOf } from '../lake-table.ts'
import { makeRows, sampleFields, sampleSchema } from '../sample-table.ts'

const location = 's3://bucket/p/tables/sample'
const newTable = (): LakeTable => new LakeTable(tableOf('sample', sampleSchema, location))
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)

describe('an empty table', () => {
  test('has version 0 without a snapshot, written as -1', async () => {
    const lake = newTable()
    await lake.create()
    expect([...lake.objects.keys()]).toEqual([
      lake.iceberg!.metadataPath,
      'metadata/version-hint.text',
      '_delta_log/00000000000000000000.json',
    ])
    const metadata = text(lake.objects.get(lake.iceberg!.metadataPath))
    expect(metadata).toContain('"current-snapshot-id":-1,"refs":{},"snapshots":[]')
    expect(metadata).toContain('"last-partition-id":999')
    expect(metadata).toContain('"gc.enabled":"false"')
    expect(await lake.disagreements()).toEqual([])
  })
})

describe('an append', () => {
  test('writes one manifest, one list, one metadata file, and the hint last', async () => {
    const lake = newTable()
    await lake.create()
    const before = new Set(lake.objects.keys())
    await lake.append(lake.writeFile(makeRows(0, 4)), lake.writeFile(makeRows(4, 8)))
    const uuid = buildVersionUuid(lake.table.uuid, 1)
    expect([...lake.objects.keys()].filter(path => path.startsWith('metadata/') && !before.has(path))).toEqual([
      `metadata/${uuid}-m0.avro`,
      `metadata/snap-9007199261740993007-1-${uuid}.avro`,
      `metadata/00001-${uuid}.metadata.json`,
    ])
    expect(text(lake.objects.get('metadata/version-hint.text'))).toBe(`00001-${uuid}`)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(lake.iceberg!.manifests).toHaveLength(1)
  })

  test('prints 64-bit snapshot ids exactly and keeps totals over versions', async () => {
    const lake = newTable()
    await lake.create()
    for (let index = 0; index < 3; index++) await lake.append(lake.writeFile(makeRows(index * 4, index * 4 + 4)))
    const { metadata } = lake.iceberg!
    expect(metadata.currentSnapshotId).toBe(9007199275740993021n)
    expect(text(lake.objects.get(lake.iceberg!.metadataPath))).toContain('"current-snapshot-id":9007199275740993021,')
    const summaries = metadata.snapshots.map(({ summary }) => [summary['total-records'], summary['total-data-files']])
    expect(summaries).toEqual([
      ['4', '1'],
      ['8', '2'],
      ['12', '3'],
    ])
    expect(metadata.snapshots.map(({ parentSnapshotId }) => parentSnapshotId)).toEqual([
      undefined,
      9007199261740993007n,
      9007199268740993014n,
    ])
    expect(metadata.snapshots.at(-1)!.summary['floe.progress']).toBe('0:0-12')
  })

  test('rendered twice gives the same bytes under the same names', async () => {
    const lake = newTable()
    await lake.create()
    const plan: PublishPlan = {
      version: 1,
      timestampMs: lake.timestampMs + 5,
      snapshotId: 2n ** 63n - 1n,
      operation: 'append',
      added: [lake.writeFile(makeRows(0, 8))],
      removed: [],
      progress: [{ partition: 3, start: 5n, end: 13n }],
    }
    const first = renderIceberg(lake.table, plan, lake.iceberg)
    expect(renderIceberg(lake.table, plan, lake.iceberg).objects).toEqual(first.objects)
    expect(text(first.objects.at(-2)!.bytes)).toContain('"snapshot-id":9223372036854775807,')
  })

  test('after a schema change writes the new schema and keeps old manifests', async () => {
    const lake = newTable()
    await lake.create()
    await lake.append(lake.writeFile(makeRows(0, 4)))
    const wider: Schema = {
      schemaId: 1,
      fields: [
        ...sampleFields,
        { id: 28, name: 'added', required: false, type: primitive('int') },
        sampleSchema.fields.at(-1)!,
      ],
    }
    lake.table = { ...lake.table, schemas: [sampleSchema, wider], currentSchemaId: 1 }
    await lake.append(lake.writeFile(makeRows(4, 8, index => ({ added: index }))))
    const { metadata, manifests } = lake.iceberg!
    expect(metadata.snapshots.map(({ schemaId }) => schemaId)).toEqual([0, 1])
    expect(metadata.schemas.map(({ schemaId }) => schemaId)).toEqual([0, 1])
    expect(manifests).toHaveLength(2)
    const schemaIds = manifests.map(({ manifestPath }) => {
      const path = relativePath(location, manifestPath)
      return readContainer(lake.objects.get(path)!, path).metadata.get('schema-id')
    })
    expect(schemaIds).toEqual(['0', '1'])
    expect(text(lake.objects.get('_delta_log/00000000000000000002.json'))).toContain('"metaData"')
    expect(text(lake.objects.get('_delta_log/00000000000000000001.json'))).not.toContain('"metaData"')
  })

  const wrong: [string, Partial<PublishPlan>, string][] = [
    ['skips a version', { version: 3 }, 'a plan for version 3 (append) cannot follow version 0'],
    ['has no snapshot id', { snapshotId: undefined }, 'a plan for version 1 (append) cannot follow version 0'],
    ['is older', { timestampMs: 5 }, 'a version cannot be older than the one before it'],
  ]
  test.each(wrong)('whose plan %s is refused', async (_, change, message) => {
    const lake = newTable()
    await lake.create()
    const plan: PublishPlan = {
      version: 1,
      timestampMs: lake.timestampMs,
      snapshotId: 1n,
      operation: 'append',
      added: [],
      removed: [],
      progress: [],
      ...change,
    }
    expect(() => renderIceberg(lake.table, plan, lake.iceberg)).toThrow(message)
  })
})

describe('retention in metadata.json', () => {
  test('keeps long progress text on the newest snapshot only', async () => {
    const lake = newTable()
    await lake.create()
    const plan = (version: number): PublishPlan => ({
      version,
      timestampMs: lake.timestampMs + version,
      snapshotId: BigInt(version),
      operation: 'append',
      added: [],
      removed: [],
      progress: Array.from({ length: 1_000 }, (_, partition) => ({ partition, start: 0n, end: 1_000_000n })),
    })
    const first = renderIceberg(lake.table, plan(1), lake.iceberg)
    const second = renderIceberg(lake.table, plan(2), first.rendering)
    const lengths = second.rendering.metadata.snapshots.map(({ summary }) => summary['floe.progress']?.length)
    expect(lengths[0]).toBeUndefined()
    expect(lengths[1]).toBeGreaterThan(10_000)
  })
})

describe('merging and replacing', () => {
  test('many small manifests become one, whose entries keep their snapshots and sequence numbers; logs stay bounded', async () => {
    const lake = new LakeTable(tableOf('sample', sampleSchema, location), { snapshotsRetainedCount: 3 })
    await lake.create()
    const file = lake.writeFile(makeRows(0, 3))
    const appendOne = (): Promise<void> => lake.append({ ...file, path: `data/x/${lake.version}.parquet` })
    for (let index = 0; index < manifestMergeCountMin; index++) await appendOne()
    expect(lake.iceberg!.manifests).toHaveLength(manifestMergeCountMin)
    expect(chooseManifestsToMerge(lake.iceberg!)).toHaveLength(manifestMergeCountMin)
    await appendOne()
    const [merged, fresh] = lake.iceberg!.manifests
    expect(lake.iceberg!.manifests).toHaveLength(2)
    expect(merged).toMatchObject({
      existingFilesCount: 100,
      addedFilesCount: 0,
      sequenceNumber: 101,
      minSequenceNumber: 1,
    })
    expect(fresh).toMatchObject({ existingFilesCount: 0, addedFilesCount: 1, minSequenceNumber: 101 })
    const path = relativePath(location, merged!.manifestPath)
    const entries = readManifest(buildManifestFormat(sampleSchema, lake.table.spec), lake.objects.get(path)!, path)
    expect(entries[41]).toMatchObject({
      status: entryStatus.existing,
      snapshotId: 9_007_199_254_740_993_000n + 42n * 7_000_000_007n,
      sequenceNumber: 42,
      fileSequenceNumber: 42,
    })
    expect(await lake.disagreements()).toEqual([])
    const { metadata } = lake.iceberg!
    expect(metadata.snapshots.map(({ sequenceNumber }) => sequenceNumber)).toEqual([99, 100, 101])
    expect(metadata.snapshotLog).toHaveLength(3)
    expect(metadata.metadataLog).toHaveLength(metadataLogCountMax)
    expect(metadata.snapshots.at(-1)!.summary['total-records']).toBe('303')
  })

  test('a replace marks removed files deleted, and their manifest leaves the list one version later', async () => {
    const lake = newTable()
    await lake.create()
    for (let index = 0; index < 4; index++) await lake.append(lake.writeFile(makeRows(index, index + 1)))
    const files = [...lake.live.values()].map(({ file }) => file)
    await lake.publish('replace', [lake.writeFile(makeRows(1, 3))], files.slice(1, 3))
    const counts = (): number[][] =>
      lake.iceberg!.manifests.map(entry => [entry.addedFilesCount, entry.existingFilesCount, entry.deletedFilesCount])
    expect(counts()).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [0, 0, 2],
      [1, 0, 0],
    ])
    expect(lake.iceberg!.metadata.snapshots.at(-1)!.summary).toMatchObject({
      operation: 'replace',
      'added-records': '2',
      'deleted-records': '2',
      'total-records': '4',
      'total-data-files': '3',
    })
    expect(await lake.disagreements()).toEqual([])
    await lake.append(lake.writeFile(makeRows(9, 10)))
    expect(counts()).toEqual([
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ])
    expect(await lake.disagreements()).toEqual([])
  })

  test('a replace reads the newest manifests first, only those whose partitions can hold the files, and stops when all are found', async () => {
    const spec = {
      specId: 0,
      fields: [{ sourceId: 27, fieldId: 1000, name: 'region', transform: 'identity' as const }],
    }
    const lake = new LakeTable(tableOf('sample', sampleSchema, location, spec))
    await lake.create()
    for (let index = 0; index < 9; index++) {
      await lake.append(lake.writeFile(makeRows(index, index + 1, () => ({ region: `r${index % 3}` }))))
    }
    const files = [...lake.live.values()].map(({ file }) => file)
    const plan: PublishPlan = {
      version: 10,
      timestampMs: lake.timestampMs,
      snapshotId: 5n,
      operation: 'replace',
      added: [],
      removed: [files[4]!],
      progress: [],
    }
    const read: string[] = []
    const loaded = await loadManifestsToRewrite(lake.table, plan, lake.iceberg, async path => {
      read.push(path)
      return lake.readObject(path)
    })
    const uuids = [8, 5].map(version => `metadata/${buildVersionUuid(lake.table.uuid, version)}-m0.avro`)
    expect(read).toEqual(uuids)
    expect(loaded.map(({ listEntry }) => relativePath(location, listEntry.manifestPath))).toEqual([uuids[1]])
    const unknown = { ...plan, removed: [{ ...files[4]!, path: 'data/none.parquet' }] }
    await expect(loadManifestsToRewrite(lake.table, unknown, lake.iceberg, lake.readObject)).rejects.toThrow(
      'data/none.parquet is to be removed but is in no manifest',
    )
    expect(() => renderIceberg(lake.table, plan, lake.iceberg, [])).toThrow(
      'is to be removed but is in no loaded manifest',
    )
  })

  test('a manifest from before an identity column was widened is encoded anew', async () => {
    const narrow: Schema = { schemaId: 0, fields: [{ id: 1, name: 'n', required: false, type: primitive('int') }] }
    const wide: Schema = { schemaId: 1, fields: [{ id: 1, name: 'n', required: false, type: primitive('long') }] }
    const spec = { specId: 0, fields: [{ sourceId: 1, fieldId: 1000, name: 'n', transform: 'identity' as const }] }
    const lake = new LakeTable(tableOf('sample', narrow, location, spec))
    await lake.create()
    await lake.append(lake.writeFile([{ n: 7 }]), lake.writeFile([{ n: -3 }]))
    lake.table = { ...lake.table, schemas: [narrow, wide], currentSchemaId: 1 }
    const [first] = [...lake.live.values()].map(({ file }) => file)
    await lake.publish(
      'replace',
      [lake.writeFile([{ n: 7n }])],
      [{ ...first!, partition: [new Uint8Array([7, 0, 0, 0, 0, 0, 0, 0])] }],
    )
    const rewritten = lake.iceberg!.manifests[0]!
    expect(rewritten).toMatchObject({ existingFilesCount: 1, deletedFilesCount: 1 })
    expect(await lake.disagreements()).toEqual([])
  })
})

describe('statistics in manifests', () => {
  test('are rounded outward, kept off lists and maps, and left out where they cannot be right', async () => {
    const lake = newTable()
    await lake.create()
    const file = lake.writeFile(makeRows(0, 12))
    await lake.append(file)
    const format = buildManifestFormat(sampleSchema, lake.table.spec)
    const path = relativePath(location, lake.iceberg!.manifests[0]!.manifestPath)
    const [entry] = readManifest(format, lake.objects.get(path)!, path)
    const decode = compileRecordDecoder(buildDataFileSchema(lake.table.spec, sampleSchema))
    const value = decode(new ByteReader(entry!.dataFile, path))
    const mapOf = (name: string): Map<number, unknown> =>
      new Map((value[name] as { key: number; value: unknown }[]).map(item => [item.key, item.value]))
    const lower = mapOf('lower_bounds')
    const upper = mapOf('upper_bounds')
    expect(text(lower.get(10) as Uint8Array)).toBe('grüße grüße grüß')
    // 40 times U+10FFFF cannot be rounded up at 16 code points.
    expect(upper.has(10)).toBe(false)
    expect(Buffer.from(lower.get(4) as Uint8Array).toString('hex')).toBe('00000080')
    expect(mapOf('nan_value_counts').get(4)).toBe(2n)
    // bytes: 40 times ff cannot be rounded up either.
    expect(upper.has(11)).toBe(false)
    for (const id of [18, 21, 22, 24, 25, 26]) expect([id, lower.has(id), upper.has(id)]).toEqual([id, false, false])
    expect(mapOf('null_value_counts').get(26)).toBe(12n)
    expect(mapOf('value_counts').get(18)).toBe(30n)
    expect(value.split_offsets).toEqual([4n])
  })
})
