/**
 * Strategy  any bytes, and honest Avro and Protobuf records that were bent, into decoders of every type; records follow each
 *           other in one buffer and one set of columns.
 * Holds     a decoder accepts or rejects, it does not throw or hang; a rejected record leaves no trace; columns agree with
 *           themselves; what avsc or protobufjs read from the same bytes is what stands in the columns.
 */
import avro from 'avsc'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { ColumnSet } from '../../ingest/columns/column-set.ts'
import { AvroDecoder } from '../../ingest/decode/avro-decoder.ts'
import { formatAvroSchema } from '../../ingest/decode/avro-schema.ts'
import type { ValueDecoder } from '../../ingest/decode/decoder.ts'
import { deriveSchema } from '../../ingest/decode/input-schema.ts'
import { JsonDecoder } from '../../ingest/decode/json-decoder.ts'
import { ProtoDecoder } from '../../ingest/decode/proto-decoder.ts'
import { reject } from '../../ingest/decode/reject.ts'
import type { Field } from '../../table/types.ts'
import { checkColumn, type Plain, readRows } from '../unit/ingest/read-columns.ts'
import { sampleFields } from '../unit/table/parquet/sample-columns.ts'

/** FLOE_FUZZ_RUNS makes it a long run. */
const runCount = Number(process.env.FLOE_FUZZ_RUNS ?? 200)

const proto = `syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
message M {
  int32 a = 1; sint64 b = 2; string c = 3; repeated sint32 d = 4; map<string, M2> e = 5; M2 f = 6;
  oneof g { string h = 7; M2 i = 8; bool j = 9; } google.protobuf.Timestamp k = 10; google.protobuf.StringValue l = 11;
  repeated M2 m = 12; fixed64 n = 13; map<int32, string> o = 14; double p = 15;
}
message M2 { string x = 1; repeated string y = 2; int32 z = 3; }`
const protoFields = deriveSchema('protobuf', proto, undefined)
const root = protobuf.parse(proto, new protobuf.Root(), { keepCase: true }).root
for (const name of ['timestamp', 'wrappers'])
  root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)!.nested!)
const M = root.lookupType('M')
const avroType = avro.Type.forSchema(JSON.parse(formatAvroSchema(sampleFields)) as avro.Schema, { wrapUnions: true })

type MakeDecoder = (set: ColumnSet) => ValueDecoder

/** Rows in order, undefined for the rejected. */
function decodeAll(
  fields: readonly Field[],
  makeDecoder: MakeDecoder,
  records: readonly Uint8Array[],
): (Plain | undefined)[] {
  const set = new ColumnSet(fields)
  const decoder = makeDecoder(set)
  const buffer = Buffer.concat(records)
  const accepted: boolean[] = []
  let at = 0
  for (const record of records) {
    const result = decoder.decode(buffer, at, at + record.length)
    at += record.length
    accepted.push(result === reject.ok)
    if (result === reject.ok) set.rowCount++
    else set.rollback()
    for (const column of set.columns) checkColumn(column, set.rowCount)
  }
  const rows = readRows(fields, set)
  return accepted.map(isAccepted => (isAccepted ? rows.shift() : undefined))
}

const makeJson: MakeDecoder = set => new JsonDecoder(sampleFields, set.columns)
const makeAvro: MakeDecoder = set => new AvroDecoder(sampleFields, set.columns, undefined, 'raw')
const makeFramedAvro: MakeDecoder = set => new AvroDecoder(sampleFields, set.columns, undefined, 'confluent')
const makeProto: MakeDecoder = set => new ProtoDecoder(protoFields, set.columns, proto, undefined, 'raw')
const makeFramedProto: MakeDecoder = set => new ProtoDecoder(protoFields, set.columns, proto, undefined, 'confluent')

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  // Small numbers are tags, lengths and branches more often.
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 0, max: 255 })), { maxLength: 64 })
    .map(values => Uint8Array.from(values)),
)

test.each<[string, readonly Field[], MakeDecoder]>([
  ['JSON', sampleFields, makeJson],
  ['Avro', sampleFields, makeAvro],
  ['framed Avro', sampleFields, makeFramedAvro],
  ['Protobuf', protoFields, makeProto],
  ['framed Protobuf', protoFields, makeFramedProto],
])('any bytes are accepted or rejected as %s', (_, fields, makeDecoder) => {
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1, maxLength: 8 }), records => {
      decodeAll(fields, makeDecoder, records)
    }),
    { numRuns: runCount },
  )
})

const bend = (record: Uint8Array, changes: readonly (readonly [number, number, string])[]): Uint8Array => {
  let bent = [...record]
  for (const [position, byte, change] of changes) {
    const at = position % Math.max(1, bent.length)
    if (change === 'flip') bent[at] = byte
    else if (change === 'insert') bent.splice(at, 0, byte)
    else bent = bent.slice(0, at)
  }
  return Uint8Array.from(bent)
}
const changes = fc.array(
  fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('flip', 'cut', 'insert')),
  { maxLength: 2 },
)

const int32 = fc.integer()
const text = fc
  .string({ unit: 'binary', maxLength: 8 })
  .map(value => new TextDecoder().decode(new TextEncoder().encode(value)))
const m2 = fc.record({ x: text, y: fc.array(text, { maxLength: 3 }), z: int32 }, { requiredKeys: [] })
const message = fc.record(
  {
    a: int32,
    b: int32,
    c: text,
    d: fc.array(int32, { maxLength: 4 }),
    e: fc.dictionary(text, m2, { maxKeys: 3 }),
    f: m2,
    k: fc.record({ seconds: int32, nanos: fc.nat(999_999_999) }),
    l: fc.record({ value: text }),
    m: fc.array(m2, { maxLength: 3 }),
    o: fc.dictionary(int32.map(String), text, { maxKeys: 3 }),
    p: fc.double({ noNaN: true }),
  },
  { requiredKeys: [] },
)
const how = fc.oneof(fc.record({ h: text }), fc.record({ i: m2 }), fc.record({ j: fc.boolean() }), fc.constant({}))

function isReadByProtobufjs(record: Uint8Array): boolean {
  try {
    M.decode(record)
    return true
  } catch {
    return false
  }
}

test('Protobuf records, also concatenated, hold what protobufjs reads from them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(message, how, message, how), { minLength: 1, maxLength: 5 }), values => {
      const records = values.map(([first, firstHow, second, secondHow]) =>
        Buffer.concat([
          M.encode(M.fromObject({ ...first, ...firstHow })).finish(),
          M.encode(M.fromObject({ ...second, ...secondHow })).finish(),
        ]),
      )
      const rows = decodeAll(protoFields, makeProto, records) as { [name: string]: Plain }[]
      for (const [index, record] of records.entries()) {
        const row = rows[index]!
        const expected = M.toObject(M.decode(record), { defaults: true, longs: String, oneofs: true })
        for (const name of ['a', 'c', 'd', 'p']) expect(row[name]).toEqual(expected[name])
        expect(String(row.b)).toBe(expected.b)
        const plain = (value: Record<string, unknown> | null): unknown =>
          value === null ? null : { x: value.x, y: value.y, z: value.z }
        expect(row.f).toEqual(plain(expected.f))
        expect(row.m).toEqual(expected.m.map(plain))
        const entries = (value: Record<string, unknown>): [string, unknown][] =>
          Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
        expect(row.o).toEqual(entries(expected.o))
        expect(row.e).toEqual(entries(expected.e).map(([key, value]) => [key, plain(value as Record<string, unknown>)]))
        const member: string | undefined = expected.g
        for (const name of ['h', 'i', 'j']) {
          if (name !== member) expect(row[name]).toBeNull()
          else expect(row[name]).toEqual(name === 'i' ? plain(expected.i) : expected[name])
        }
      }
    }),
    { numRuns: runCount },
  )
})

test('bent Protobuf records are never accepted where protobufjs finds no message', () => {
  let accepted = 0
  fc.assert(
    fc.property(fc.array(fc.tuple(message, how, changes), { minLength: 1, maxLength: 5 }), values => {
      const records = values.map(([value, member, bends]) =>
        bend(M.encode(M.fromObject({ ...value, ...member })).finish(), bends),
      )
      const rows = decodeAll(protoFields, makeProto, records)
      for (const [index, row] of rows.entries()) {
        if (row === undefined) continue
        accepted++
        expect(isReadByProtobufjs(records[index]!)).toBe(true)
      }
    }),
    { numRuns: runCount },
  )
  expect(accepted).toBeGreaterThan(runCount / 10)
})

test('bent Avro records are accepted only where avsc reads the same', () => {
  let accepted = 0
  const value = fc.record({
    name: text,
    count: int32,
    total: fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n }),
    score: fc.double({ noNaN: true }),
    marks: fc.array(int32, { maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(value, changes), { minLength: 1, maxLength: 5 }), values => {
      const records = values.map(([{ name, count, total, score, marks }, bends]) => {
        const record: Record<string, unknown> = Object.fromEntries(sampleFields.map(field => [field.name, null]))
        record.name = { string: name }
        record.count = count
        record.total = { long: Number(total) }
        record.score = { double: score }
        record.marks = { array: marks.map(mark => ({ long: mark })) }
        return bend(avroType.toBuffer(record), bends)
      })
      const rows = decodeAll(sampleFields, makeAvro, records)
      for (const [index, row] of rows.entries()) {
        if (row === undefined) continue
        accepted++
        const { count, score } = row as { [name: string]: Plain }
        // avsc is strict about longs beyond 2^53 and lenient about UTF-8: compared is what both can read.
        const read = readWithAvsc(records[index]!)
        if (read === undefined) continue
        expect(count).toBe(read.count)
        expect(score).toBe(read.score === null ? null : (read.score as { double: number }).double)
      }
    }),
    { numRuns: runCount },
  )
  expect(accepted).toBeGreaterThan(runCount / 10)
})

function readWithAvsc(record: Uint8Array): Record<string, unknown> | undefined {
  try {
    return avroType.fromBuffer(Buffer.from(record)) as Record<string, unknown>
  } catch {
    return undefined
  }
}
