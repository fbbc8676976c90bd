/** Protobuf messages written by protobufjs, decoded by the .proto text. */
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { ColumnSet } from '../../../../ingest/columns/column-set.ts'
import { deriveSchema } from '../../../../ingest/decode/input-schema.ts'
import { ProtoDecoder } from '../../../../ingest/decode/proto-decoder.ts'
import { reject, rejectCodeOf } from '../../../../ingest/decode/reject.ts'
import { type Field, primitive } from '../../../../table/types.ts'
import { checkColumn, type Plain, readRows } from '../read-columns.ts'

const text = `
syntax = "proto3";
package shop.v1;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

message Header { string unused = 1; }

// One payment.
message Payment {
  enum State { UNKNOWN = 0; PAID = 1; }
  message Line { string sku = 1; repeated string notes = 2; int32 count = 3; }

  int32 i32 = 1; sint32 s32 = 2; uint32 u32 = 3; fixed32 f32 = 4; sfixed32 sf32 = 5;
  int64 i64 = 6; sint64 s64 = 7; uint64 u64 = 8; fixed64 f64 = 9; sfixed64 sf64 = 10;
  float f = 11; double d = 12; bool b = 13; string s = 14; bytes raw = 15;
  State state = 16;
  optional int32 maybe = 17;
  Line line = 18;
  repeated sint64 packed = 19;
  repeated int32 unpacked = 20 [packed = false];
  repeated Line lines = 21;
  map<string, double> rates = 22;
  map<int64, Line> by_id = 23;
  oneof how { string card = 24; int32 cash = 25; Line barter = 26; }
  google.protobuf.Timestamp at = 27;
  google.protobuf.StringValue note = 28;
  google.protobuf.Int64Value points = 29;
  repeated State states = 30;
  string far = 1000;
}
`
const messageName = 'Payment'
const fields = deriveSchema('protobuf', text, messageName)
const root = protobuf.parse(text, new protobuf.Root(), { keepCase: true }).root
for (const name of ['timestamp', 'wrappers'])
  root.addJSON(protobuf.common.get(`google/protobuf/${name}.proto`)!.nested!)
const Payment = root.lookupType('shop.v1.Payment')
const encode = (value: Record<string, unknown>): Uint8Array => Payment.encode(Payment.fromObject(value)).finish()

const defaults: { [name: string]: Plain } = {
  i32: 0,
  s32: 0,
  u32: 0n,
  f32: 0n,
  sf32: 0,
  i64: 0n,
  s64: 0n,
  u64: 0n,
  f64: 0n,
  sf64: 0n,
  f: 0,
  d: 0,
  b: false,
  s: '',
  raw: '',
  state: 'UNKNOWN',
  maybe: null,
  line: null,
  packed: [],
  unpacked: [],
  lines: [],
  rates: [],
  by_id: [],
  card: null,
  cash: null,
  barter: null,
  at: null,
  note: null,
  points: null,
  states: [],
  far: '',
}

function decode(
  columns: readonly Field[],
  records: readonly Uint8Array[],
  framing: 'raw' | 'confluent' = 'raw',
): (Plain | string)[] {
  const set = new ColumnSet(columns)
  const decoder = new ProtoDecoder(columns, set.columns, text, messageName, framing)
  const buffer = Buffer.concat(records)
  const outcomes: string[] = []
  let at = 0
  for (const record of records) {
    const result = decoder.decode(buffer, at, at + record.length)
    at += record.length
    if (result === reject.ok) set.rowCount++
    else {
      set.rollback()
      outcomes.push(`${rejectCodeOf(result)} ${decoder.rejectPath}`.trim())
    }
    for (const column of set.columns) checkColumn(column, set.rowCount)
  }
  return [...readRows(columns, set), ...outcomes]
}

const full = {
  i32: -1,
  s32: -2147483648,
  u32: 4294967295,
  f32: 4294967295,
  sf32: -5,
  i64: '-9223372036854775808',
  s64: '9223372036854775807',
  u64: '18446744073709551615',
  f64: '18446744073709551615',
  sf64: '-2',
  f: 0.5,
  d: -1e300,
  b: true,
  s: 'Ünï 😀',
  raw: Buffer.from([0, 255]),
  state: 1,
  maybe: 0,
  line: { sku: 'a', notes: ['x', 'y'] },
  packed: [1, -1],
  unpacked: [3, 4],
  lines: [{ count: 2 }, {}],
  rates: { b: 1.5, a: 0 },
  by_id: { '-7': { sku: 'z' } },
  cash: 0,
  at: { seconds: 1704067200, nanos: 123456789 },
  note: { value: '' },
  points: { value: '9223372036854775807' },
  states: [1, 0, 9],
  far: 'away',
}
const line = (sku: string, notes: string[], count: number): Plain => ({ sku, notes, count })

describe('Protobuf', () => {
  test('absent fields have their default, or are null where presence is tracked', () => {
    expect(decode(fields, [new Uint8Array(0)])).toEqual([defaults])
  })

  test('every kind of field arrives', () => {
    expect(decode(fields, [encode(full)])).toEqual([
      {
        ...defaults,
        i32: -1,
        s32: -2147483648,
        u32: 4294967295n,
        f32: 4294967295n,
        sf32: -5,
        i64: -(2n ** 63n),
        s64: 2n ** 63n - 1n,
        u64: 2n ** 64n - 1n,
        f64: 2n ** 64n - 1n,
        sf64: -2n,
        f: 0.5,
        d: -1e300,
        b: true,
        s: 'Ünï 😀',
        raw: '00ff',
        state: 'PAID',
        maybe: 0,
        line: line('a', ['x', 'y'], 0),
        packed: [1n, -1n],
        unpacked: [3, 4],
        lines: [line('', [], 2), line('', [], 0)],
        rates: [
          ['a', 0],
          ['b', 1.5],
        ],
        by_id: [['-7', line('z', [], 0)]],
        cash: 0,
        at: 1704067200123456n,
        note: '',
        points: 2n ** 63n - 1n,
        states: ['PAID', 'UNKNOWN', '9'],
        far: 'away',
      },
    ])
  })

  test('concatenated messages are merged: last scalar, merged message, joined lists, last of a oneof', () => {
    const first = encode({
      s: 'one',
      line: { sku: 'a', notes: ['1'] },
      packed: [1],
      unpacked: [1],
      cash: 5,
      rates: { k: 1 },
    })
    const second = encode({
      s: 'two',
      line: { notes: ['2'], count: 3 },
      packed: [2],
      unpacked: [2],
      card: 'c',
      rates: { k: 2 },
    })
    expect(decode(fields, [Buffer.concat([first, second])])).toEqual([
      {
        ...defaults,
        s: 'two',
        line: line('a', ['1', '2'], 3),
        packed: [1n, 2n],
        unpacked: [1, 2],
        card: 'c',
        rates: [['k', 2]],
      },
    ])
  })

  test('a oneof message set after another member leaves only the message', () => {
    const record = Buffer.concat([
      encode({ card: 'c' }),
      encode({ barter: { sku: 'x' } }),
      encode({ barter: { count: 1 } }),
    ])
    expect(decode(fields, [record])).toEqual([{ ...defaults, barter: line('x', [], 1) }])
  })

  test('repeated scalars may come packed or not, whatever the schema says', () => {
    // packed = 19 unpacked (tag 152 1), unpacked = 20 packed (tag 162 1).
    const record = Buffer.from([0x98, 0x01, 0x02, 0xa2, 0x01, 0x02, 0x05, 0x06])
    expect(decode(fields, [record])).toEqual([{ ...defaults, packed: [1n], unpacked: [5, 6] }])
  })

  test('unknown fields, groups and other wire types are skipped', () => {
    const unknown = Buffer.from([
      0xba, 0x3e, 1, 65, 0xb8, 0x3e, 1, 0xb9, 0x3e, 0, 0, 0, 0, 0, 0, 0, 0, 0xbb, 0x3e, 0x08, 1, 0xbc, 0x3e,
    ])
    const wrongWire = Buffer.from([0x0d, 1, 2, 3, 4])
    expect(decode(fields, [Buffer.concat([unknown, wrongWire, encode({ i32: 3 })])])).toEqual([{ ...defaults, i32: 3 }])
  })

  test('Confluent framing names the message by its index path', () => {
    const message = encode({ i32: 3 })
    const framed = (...path: number[]): Uint8Array => Buffer.concat([Buffer.from([0, 0, 0, 0, 9, ...path]), message])
    // Payment is the second message: one index, 1 (zigzag 2); a bare 0 would mean the first.
    expect(decode(fields, [framed(2, 2), framed(0), framed(2, 4), message], 'confluent')).toEqual([
      { ...defaults, i32: 3 },
      'schema-id-mismatch',
      'schema-id-mismatch',
      'schema-id-mismatch',
    ])
  })

  test('cut messages are rejected or whole, never more than they were', () => {
    const whole = encode(full)
    for (let length = 0; length < whole.length; length++) {
      const outcomes = decode(fields, [whole.subarray(0, length), Buffer.alloc(0)])
      expect(outcomes.length).toBe(2)
    }
  })

  test.each([
    ['invalid UTF-8', [0x72, 1, 0xff], 'invalid-utf8 s'],
    ['a length beyond the end', [0x72, 9, 65], 'truncated s'],
    ['field number 0', [0x00, 0x00], 'malformed-protobuf'],
    ['an endless varint', [0x08, ...Array<number>(11).fill(0xff)], 'malformed-protobuf i32'],
    ['a stray end of group', [0x0c], 'malformed-protobuf i32'],
    ['nanoseconds beyond a second', [0xda, 0x01, 6, 0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03], 'out-of-range at'],
  ])('%s is rejected', (_, bytes, expected) => {
    expect(decode(fields, [Buffer.from(bytes)])).toEqual([expected])
  })

  test('an unsigned value beyond int64 is rejected by a long column', () => {
    const columns: Field[] = [{ id: 1, name: 'u64', required: false, type: primitive('long') }]
    expect(decode(columns, [encode({ u64: full.u64 }), encode({ u64: 5 })])).toEqual([{ u64: 5n }, 'out-of-range u64'])
  })

  test('columns are derived with ids in declaration order', () => {
    const names = fields.map(field => `${field.id} ${field.name}`)
    expect(names.slice(16)).toEqual([
      '17 maybe',
      '18 line',
      '23 packed',
      '25 unpacked',
      '27 lines',
      '33 rates',
      '36 by_id',
      '43 card',
      '44 cash',
      '45 barter',
      '50 at',
      '51 note',
      '52 points',
      '53 states',
      '55 far',
    ])
  })

  test.each([
    ['a syntax error with its line', 'syntax = "proto3";\nmessage A {\n int32 = 1;\n}', undefined, /line 3/],
    ['an unknown message', text, 'Paiment', /there is no message "Paiment"; there are: shop\.v1\.Header/],
    ['an import', 'syntax = "proto3"; import "other.proto"; message A { int32 a = 1; }', undefined, /other\.proto/],
    ['recursion', 'syntax = "proto3"; message A { A a = 1; }', undefined, /recursive/],
  ])('%s is refused', (_, schema, name, message) => {
    expect(() => deriveSchema('protobuf', schema, name)).toThrow(message)
  })
})
