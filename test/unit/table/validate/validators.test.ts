import { describe, expect, test } from 'vitest'
import { renderDelta } from '../../../../table/delta/render.ts'
import { renderIceberg } from '../../../../table/iceberg/render.ts'
import type { PublishPlan, RenderedObject, TableIdentity } from '../../../../table/rendering.ts'
import { encodeSingleValue } from '../../../../table/single-value.ts'
import { type DataFile, primitive } from '../../../../table/types.ts'
import { validateDelta } from '../../../../table/validate/delta.ts'
import { validateIceberg } from '../../../../table/validate/iceberg.ts'
import { LakeTable, tableOf } from '../lake-table.ts'
import { makeRows, sampleSchema } from '../sample-table.ts'

interface Case {
  readonly table: TableIdentity
  readonly plan: PublishPlan
  readonly lake: LakeTable
}

async function prepare(change: (file: DataFile) => DataFile = file => file): Promise<Case> {
  const lake = new LakeTable(tableOf('sample', sampleSchema, 's3://bucket/t'))
  await lake.create()
  await lake.append(lake.writeFile(makeRows(0, 3)))
  const plan: PublishPlan = {
    version: 2,
    timestampMs: lake.timestampMs + 1_000,
    snapshotId: 9_007_199_254_740_993n,
    operation: 'append',
    added: [change(lake.writeFile(makeRows(3, 6)))],
    removed: [],
    progress: [{ partition: 0, start: 0n, end: 6n }],
  }
  return { table: lake.table, plan, lake }
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const edit = (object: RenderedObject, from: string, to: string): RenderedObject => {
  const text = decode(object.bytes)
  if (!text.includes(from)) throw new Error(`${object.path} does not contain ${from}`)
  return { ...object, bytes: new TextEncoder().encode(text.replace(from, to)) }
}
/** Replaces equal-length ASCII inside a binary object. */
const patch = (object: RenderedObject, from: string, to: string): RenderedObject => {
  const bytes = Buffer.from(object.bytes)
  const at = bytes.indexOf(from)
  if (at < 0 || from.length !== to.length) throw new Error(`cannot patch ${from}`)
  bytes.write(to, at, 'latin1')
  return { ...object, bytes: new Uint8Array(bytes) }
}
const changed = (
  objects: readonly RenderedObject[],
  at: number,
  change: (object: RenderedObject) => RenderedObject,
): RenderedObject[] => objects.map((object, index) => (index === at ? change(object) : object))

describe('the Iceberg validator', () => {
  const [manifest, list, metadata, hint] = [0, 1, 2, 3]
  const editMetadata = (from: string, to: string) => (objects: readonly RenderedObject[]) =>
    changed(objects, metadata, object => edit(object, from, to))
  const damages: [string, (objects: readonly RenderedObject[]) => readonly RenderedObject[], string][] = [
    ['a missing hint', objects => objects.slice(0, hint), 'order: the version hint must come last'],
    [
      'a list before its manifest',
      ([a, b, ...rest]) => [b!, a!, ...rest],
      'order: the manifest list must come after the manifests',
    ],
    ['a missing manifest', objects => objects.slice(1), 'is neither rendered nor in the version before'],
    [
      'a missing list',
      objects => objects.filter((_, at) => at !== list),
      'manifest-list: metadata/snap-9007199254740993-1-',
    ],
    ['an object twice', objects => [objects[manifest]!, ...objects], 'path: is rendered twice'],
    [
      'an overwriting metadata file',
      objects => changed(objects, metadata, object => ({ ...object, mode: 'replace' })),
      'mode: is replace and must be create',
    ],
    [
      'an unsafe path',
      objects => changed(objects, manifest, object => ({ ...object, path: 'metadata/a b=c.avro' })),
      'path: "metadata/a b=c.avro" is not a safe relative path',
    ],
    [
      'a path that climbs',
      objects => changed(objects, manifest, object => ({ ...object, path: 'metadata/../x.avro' })),
      'is not a safe relative path',
    ],
    [
      'a rounded snapshot id',
      editMetadata('"current-snapshot-id":9007199254740993', '"current-snapshot-id":9007199254740992'),
      'refs.main: is 9007199254740993 and must be 9007199254740992',
    ],
    [
      'another ref',
      editMetadata('"main":{"snapshot-id":9007199254740993', '"main":{"snapshot-id":7'),
      'refs.main: is 7 and must be 9007199254740993',
    ],
    ['a missing member', editMetadata('"statistics":[],', ''), 'statistics: is missing'],
    ['a wrong total', editMetadata('"total-records":"6"', '"total-records":"7"'), 'total-records: is 7 and must be 6'],
    [
      'a total that is no text',
      editMetadata('"total-records":"6"', '"total-records":6'),
      'total-records is not a string',
    ],
    [
      'a missing total',
      editMetadata('"total-position-deletes":"0",', ''),
      'total-position-deletes: is undefined and not a count',
    ],
    [
      'a file size that does not add up',
      objects =>
        changed(objects, metadata, object => {
          const text = decode(object.bytes)
          const at = text.lastIndexOf('"total-files-size":"') + '"total-files-size":"'.length
          return { ...object, bytes: new TextEncoder().encode(`${text.slice(0, at)}1${text.slice(at)}`) }
        }),
      'total-files-size against the version before',
    ],
    [
      'a location with a slash',
      editMetadata('"location":"s3://bucket/t"', '"location":"s3://bucket/t/"'),
      'location: is s3://bucket/t/ and must be s3://bucket/t',
    ],
    [
      'a last column id that is too low',
      editMetadata('"last-column-id":1000000004', '"last-column-id":27'),
      'last-column-id: is below an id of a schema',
    ],
    [
      'an unknown current schema',
      editMetadata('"current-schema-id":0', '"current-schema-id":5'),
      'current-schema-id: is not among the schemas',
    ],
    [
      'a snapshot with another schema',
      editMetadata('"schema-id":0}],"statistics"', '"schema-id":3}],"statistics"'),
      'schema-id: is not among the schemas',
    ],
    [
      'files that others may collect',
      editMetadata('"gc.enabled":"false"', '"gc.enabled":"true"'),
      'properties.gc.enabled: is true and must be false',
    ],
    [
      'other offsets',
      editMetadata('"floe.progress":"0:0-6"', '"floe.progress":"0:0-7"'),
      'floe.progress of the current snapshot',
    ],
    [
      'a version 1 member',
      editMetadata('"refs"', '"partition-spec":[],"refs"'),
      'version 1 members must not be written',
    ],
    [
      'a hint to another version',
      objects => changed(objects, hint, object => edit(object, '00002-', '00001-')),
      'version hint',
    ],
    [
      'a manifest header with other content',
      objects =>
        changed(objects, manifest, object => patch(object, '\u000econtent\u0008data', '\u000econtent\u0008dela')),
      'header content: is dela and must be data',
    ],
    [
      'a manifest for another schema',
      objects => changed(objects, manifest, object => patch(object, '"name":"flag"', '"name":"flog"')),
      'header schema',
    ],
    [
      'a data file elsewhere',
      objects => changed(objects, manifest, object => patch(object, 's3://bucket/t/data', 's3://bucket/x/data')),
      "is not below the table's location",
    ],
    [
      'a data file with an odd name',
      objects => changed(objects, manifest, object => patch(object, 's3://bucket/t/data', 's3://bucket/t/d%ta')),
      'is not a safe relative path',
    ],
    [
      'a manifest with other bytes',
      objects =>
        changed(objects, manifest, object => ({ ...object, bytes: Buffer.concat([object.bytes, new Uint8Array(3)]) })),
      'manifest_length: is',
    ],
    [
      'a list for another snapshot',
      objects =>
        changed(objects, list, object =>
          patch(object, '\u0016snapshot-id\u0020900719', '\u0016snapshot-id\u0020800719'),
        ),
      'header snapshot-id',
    ],
  ]
  test.each(damages)('finds %s', async (_, damage, message) => {
    const { table, plan, lake } = await prepare()
    const { objects } = renderIceberg(table, plan, lake.iceberg)
    expect(() => validateIceberg(table, plan, objects, lake.iceberg)).not.toThrow()
    expect(() => validateIceberg(table, plan, damage(objects), lake.iceberg)).toThrow(message)
  })

  const long = primitive('long')
  const withId = (file: DataFile, change: object): DataFile => ({
    ...file,
    columns: file.columns.map(column => (column.fieldId === 1 ? { ...column, ...change } : column)),
  })
  const files: [string, (file: DataFile) => DataFile, string][] = [
    [
      'inverted bounds',
      file => withId(file, { lower: encodeSingleValue(long, 9n), upper: encodeSingleValue(long, 3n) }),
      'column 1: has a lower bound above its upper bound',
    ],
    ['more nulls than values', file => withId(file, { nullCount: 9 }), 'column 1: counts more than its values'],
    ['no rows', file => ({ ...file, recordCount: 0 }), 'record_count: is not positive'],
    [
      'row groups beyond the end',
      file => ({ ...file, splitOffsets: [4, file.fileBytes] }),
      'split_offsets: do not ascend within the file',
    ],
    ['a path that is live twice', file => ({ ...file, path: 'data/a.parquet' }), 'data/a.parquet is live twice'],
  ]
  test.each(files)('finds a file with %s', async (name, change, message) => {
    const { table, plan, lake } = await prepare(change)
    const twice = name.includes('twice') ? { ...plan, added: [plan.added[0]!, plan.added[0]!] } : plan
    const { objects } = renderIceberg(table, twice, lake.iceberg)
    expect(() => validateIceberg(table, twice, objects, lake.iceberg)).toThrow(message)
  })

  test('finds an inherited manifest that is listed otherwise than before', async () => {
    const { table, plan, lake } = await prepare()
    const { objects } = renderIceberg(table, plan, lake.iceberg)
    const [inherited] = lake.iceberg!.manifests
    const other = { ...lake.iceberg!, manifests: [{ ...inherited!, existingRowsCount: 1 }] }
    expect(() => validateIceberg(table, plan, objects, other)).toThrow('entry 0 as carried over')
  })
})

describe('the Delta validator', () => {
  const editCommit = (from: string, to: string) => (objects: readonly RenderedObject[]) =>
    objects.map(object => edit(object, from, to))
  const damages: [string, (objects: readonly RenderedObject[]) => readonly RenderedObject[], string][] = [
    ['no commit', () => [], 'objects: is  and must be _delta_log/00000000000000000002.json'],
    [
      'a commit of another version',
      objects => objects.map(object => ({ ...object, path: '_delta_log/00000000000000000003.json' })),
      'objects: is',
    ],
    [
      'a commit that may be overwritten',
      objects => objects.map(object => ({ ...object, mode: 'replace' })),
      'mode: is replace and must be create',
    ],
    ['a missing txn', editCommit('"txn"', '"tnx"'), 'has the unknown action tnx'],
    ['another txn version', editCommit('"version":2', '"version":3'), 'txn.version: is 3 and must be 2'],
    [
      'a file without add',
      objects =>
        objects.map(object => ({
          ...object,
          bytes: new TextEncoder().encode(`${decode(object.bytes).trimEnd().split('\n').slice(0, -1).join('\n')}\n`),
        })),
      'number of adds: is 0 and must be 1',
    ],
    [
      'a file twice',
      objects =>
        objects.map(object => ({
          ...object,
          bytes: new TextEncoder().encode(
            `${decode(object.bytes)}${decode(object.bytes).trimEnd().split('\n').at(-1)}\n`,
          ),
        })),
      'adds with distinct paths',
    ],
    ['another size', editCommit('"size":', '"size":1'), 'size: is'],
    [
      'rows that streaming readers would miss',
      editCommit('"dataChange":true', '"dataChange":false'),
      'dataChange: is false and must be true',
    ],
    [
      'other record counts',
      editCommit('\\"numRecords\\":3', '\\"numRecords\\":4'),
      'stats.numRecords: is 4 and must be 3',
    ],
    ['inverted bounds', editCommit('\\"small\\":3', '\\"small\\":99'), 'stats small: minimum 99 is above maximum 5'],
    [
      'a null count above the rows',
      editCommit('\\"nullCount\\":{\\"id\\":0', '\\"nullCount\\":{\\"id\\":4'),
      'stats.nullCount id: 4 is not from 0 to 3',
    ],
    ['other offsets', editCommit('"floe.progress":"0:0-6"', '"floe.progress":"0:0-5"'), 'commitInfo.floe.progress'],
    ['a file path outside', editCommit('"path":"data/', '"path":"../data/'), 'is missing'],
    [
      'partition values of an unpartitioned table',
      editCommit('"partitionValues":{}', '"partitionValues":{"a":"1"}'),
      'partitionValues: is a and must be',
    ],
    [
      'text that does not end',
      objects => objects.map(object => ({ ...object, bytes: object.bytes.subarray(0, -1) })),
      'text: does not end with a line end',
    ],
  ]
  test.each(damages)('finds %s', async (_, damage, message) => {
    const { table, plan, lake } = await prepare()
    const { objects } = renderDelta(table, plan, lake.delta)
    expect(() => validateDelta(table, plan, objects, lake.delta)).not.toThrow()
    expect(() => validateDelta(table, plan, damage(objects), lake.delta)).toThrow(message)
  })

  const definitions: [string, string, string, string][] = [
    [
      'empty feature lists below 3/7',
      '"minWriterVersion":2',
      '"minWriterVersion":2,"readerFeatures":[]',
      'protocol.readerFeatures present: is true and must be false',
    ],
    ['another table id', '"id":"6f1c', '"id":"6f1d', 'metaData.id: is 6f1d'],
    ['an unknown type', '\\"type\\":\\"long\\"', '\\"type\\":\\"uuid\\"', 'schemaString.id: has the unknown type uuid'],
    [
      'a type that needs a feature',
      '\\"type\\":\\"timestamp\\"',
      '\\"type\\":\\"timestamp_ntz\\"',
      'protocol with the feature timestampNtz',
    ],
    [
      'an unknown partition column',
      '"partitionColumns":[]',
      '"partitionColumns":["x"]',
      'metaData.partitionColumns: x is no column',
    ],
    ['settings that are no text', '"configuration":{', '"configuration":{"a":1,', 'configuration: a is not a string'],
    ['no protocol', '"protocol"', '"txn"', 'txn: stands there twice'],
  ]
  test.each(definitions)('finds %s in version 0', async (_, from, to, message) => {
    const table = tableOf('sample', sampleSchema, 's3://bucket/t')
    const plan: PublishPlan = {
      version: 0,
      timestampMs: 1_700_000_000_000,
      snapshotId: undefined,
      operation: 'none',
      added: [],
      removed: [],
      progress: [],
    }
    const { objects } = renderDelta(table, plan, undefined)
    expect(() => validateDelta(table, plan, objects, undefined)).not.toThrow()
    expect(() =>
      validateDelta(
        table,
        plan,
        objects.map(object => edit(object, from, to)),
        undefined,
      ),
    ).toThrow(message)
  })
})
