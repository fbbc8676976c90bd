import { describe, expect, test } from 'vitest'
import { buildManifestFormat } from '../../../../table/iceberg/manifest.ts'
import { manifestListSchemaText } from '../../../../table/iceberg/manifest-list.ts'
import { sanitizeAvroName } from '../../../../table/iceberg/manifest-schema.ts'
import type { PartitionSpec } from '../../../../table/types.ts'
import { sampleSchema } from '../sample-table.ts'

// Golden texts: readers match on record names, field names, ids and bare types, so any difference here is a change of format.
const goldenList = [
  '{"type":"record","name":"manifest_file","fields":[',
  '{"name":"manifest_path","type":"string","field-id":500},',
  '{"name":"manifest_length","type":"long","field-id":501},',
  '{"name":"partition_spec_id","type":"int","field-id":502},{"name":"content","type":"int","field-id":517},',
  '{"name":"sequence_number","type":"long","field-id":515},',
  '{"name":"min_sequence_number","type":"long","field-id":516},',
  '{"name":"added_snapshot_id","type":"long","field-id":503},',
  '{"name":"added_files_count","type":"int","field-id":504},',
  '{"name":"existing_files_count","type":"int","field-id":505},',
  '{"name":"deleted_files_count","type":"int","field-id":506},',
  '{"name":"added_rows_count","type":"long","field-id":512},',
  '{"name":"existing_rows_count","type":"long","field-id":513},',
  '{"name":"deleted_rows_count","type":"long","field-id":514},',
  '{"name":"partitions","type":["null",{"type":"array","items":{"type":"record","name":"r508","fields":[',
  '{"name":"contains_null","type":"boolean","field-id":509},',
  '{"name":"contains_nan","type":["null","boolean"],"default":null,"field-id":518},',
  '{"name":"lower_bound","type":["null","bytes"],"default":null,"field-id":510},',
  '{"name":"upper_bound","type":["null","bytes"],"default":null,"field-id":511}]},"element-id":508}],"default":null,"field-id":507},',
  '{"name":"key_metadata","type":["null","bytes"],"default":null,"field-id":519}]}',
].join('')

const goldenManifest = [
  '{"type":"record","name":"manifest_entry","fields":[{"name":"status","type":"int","field-id":0},',
  '{"name":"snapshot_id","type":["null","long"],"default":null,"field-id":1},',
  '{"name":"sequence_number","type":["null","long"],"default":null,"field-id":3},',
  '{"name":"file_sequence_number","type":["null","long"],"default":null,"field-id":4},',
  '{"name":"data_file","type":{"type":"record","name":"r2","fields":[',
  '{"name":"content","type":"int","field-id":134},{"name":"file_path","type":"string","field-id":100},',
  '{"name":"file_format","type":"string","field-id":101},',
  '{"name":"partition","type":{"type":"record","name":"r102","fields":[',
  '{"name":"price","type":["null",{"type":"fixed","name":"decimal_9_2_1000","size":4,"logicalType":"decimal","precision":9,"scale":2}],"default":null,"field-id":1000},',
  '{"name":"at_x20hour","type":["null","int"],"default":null,"iceberg-field-name":"at hour","field-id":1001},',
  '{"name":"_1day","type":["null",{"type":"int","logicalType":"date"}],"default":null,"iceberg-field-name":"1day","field-id":1002},',
  '{"name":"at","type":["null",{"type":"long","logicalType":"timestamp-micros","adjust-to-utc":true}],"default":null,"field-id":1003},',
  '{"name":"region","type":["null","string"],"default":null,"field-id":1004}]},"field-id":102},',
  '{"name":"record_count","type":"long","field-id":103},',
  '{"name":"file_size_in_bytes","type":"long","field-id":104},',
  '{"name":"column_sizes","type":["null",{"type":"array","items":{"type":"record","name":"k117_v118","fields":[',
  '{"name":"key","type":"int","field-id":117},',
  '{"name":"value","type":"long","field-id":118}]},"logicalType":"map"}],"default":null,"field-id":108},',
  '{"name":"value_counts","type":["null",{"type":"array","items":{"type":"record","name":"k119_v120","fields":[',
  '{"name":"key","type":"int","field-id":119},',
  '{"name":"value","type":"long","field-id":120}]},"logicalType":"map"}],"default":null,"field-id":109},',
  '{"name":"null_value_counts","type":["null",{"type":"array","items":{"type":"record","name":"k121_v122","fields":[',
  '{"name":"key","type":"int","field-id":121},',
  '{"name":"value","type":"long","field-id":122}]},"logicalType":"map"}],"default":null,"field-id":110},',
  '{"name":"nan_value_counts","type":["null",{"type":"array","items":{"type":"record","name":"k138_v139","fields":[',
  '{"name":"key","type":"int","field-id":138},',
  '{"name":"value","type":"long","field-id":139}]},"logicalType":"map"}],"default":null,"field-id":137},',
  '{"name":"lower_bounds","type":["null",{"type":"array","items":{"type":"record","name":"k126_v127","fields":[',
  '{"name":"key","type":"int","field-id":126},',
  '{"name":"value","type":"bytes","field-id":127}]},"logicalType":"map"}],"default":null,"field-id":125},',
  '{"name":"upper_bounds","type":["null",{"type":"array","items":{"type":"record","name":"k129_v130","fields":[',
  '{"name":"key","type":"int","field-id":129},',
  '{"name":"value","type":"bytes","field-id":130}]},"logicalType":"map"}],"default":null,"field-id":128},',
  '{"name":"key_metadata","type":["null","bytes"],"default":null,"field-id":131},',
  '{"name":"split_offsets","type":["null",{"type":"array","items":"long","element-id":133}],"default":null,"field-id":132},',
  '{"name":"equality_ids","type":["null",{"type":"array","items":"int","element-id":136}],"default":null,"field-id":135},',
  '{"name":"sort_order_id","type":["null","int"],"default":null,"field-id":140}]},"field-id":2}]}',
].join('')

const spec: PartitionSpec = {
  specId: 0,
  fields: [
    { sourceId: 6, fieldId: 1000, name: 'price', transform: 'identity' },
    { sourceId: 9, fieldId: 1001, name: 'at hour', transform: 'hour' },
    { sourceId: 9, fieldId: 1002, name: '1day', transform: 'day' },
    { sourceId: 9, fieldId: 1003, name: 'at', transform: 'identity' },
    { sourceId: 27, fieldId: 1004, name: 'region', transform: 'identity' },
  ],
}

describe('Avro schemas of Iceberg metadata', () => {
  test('of manifest lists are the golden text', () => {
    expect(manifestListSchemaText).toBe(goldenList)
  })

  test('of manifests are the golden text, with decimal partitions as fixed and dates annotated', () => {
    expect(buildManifestFormat(sampleSchema, spec).schemaText).toBe(goldenManifest)
  })

  test('of an unpartitioned table have an empty partition record', () => {
    const { schemaText } = buildManifestFormat(sampleSchema, { specId: 0, fields: [] })
    expect(schemaText).toContain(
      '{"name":"partition","type":{"type":"record","name":"r102","fields":[]},"field-id":102}',
    )
  })

  test('have no union but with null, no wrapped primitive, and an id on every field', () => {
    for (const text of [goldenList, goldenManifest]) {
      expect(text).not.toMatch(/\{"type":"(int|long|string|bytes|boolean|double|float)"\}/)
      const fields = text.match(/\{"name":"[a-z0-9_]+","type"/gi) ?? []
      expect((text.match(/"field-id":\d+/g) ?? []).length).toBe(fields.length)
      expect((text.match(/"element-id":\d+/g) ?? []).length).toBe(
        (text.match(/"type":"array"/g) ?? []).length - (text.match(/"logicalType":"map"/g) ?? []).length,
      )
    }
  })

  test('carry names that Avro does not allow in an escaped form', () => {
    expect(['region', '9a', 'a-b', 'ü'].map(sanitizeAvroName)).toEqual(['region', '_9a', 'a_x2Db', '_xFC'])
  })
})
