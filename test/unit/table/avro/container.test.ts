import { deflateRawSync } from 'node:zlib'
import avsc from 'avsc'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../../../core/byte-writer.ts'
import { type AvroRecordValue, compileEncoder, compileRecordDecoder, writeLong } from '../../../../table/avro/codec.ts'
import { readContainer, writeContainer } from '../../../../table/avro/container.ts'
import { type AvroRecord, parseAvroSchema, printAvroSchema } from '../../../../table/avro/schema.ts'

const schema: AvroRecord = {
  type: 'record',
  name: 'everything',
  fields: [
    { name: 'i', type: 'int', 'field-id': 1 },
    { name: 'l', type: 'long', 'field-id': 2 },
    { name: 's', type: ['null', 'string'], default: null, 'field-id': 3 },
    { name: 'b', type: 'bytes' },
    { name: 'f', type: { type: 'fixed', name: 'f4', size: 4, logicalType: 'decimal', precision: 9, scale: 2 } },
    { name: 'd', type: ['null', { type: 'int', logicalType: 'date' }], default: null },
    { name: 'a', type: ['null', { type: 'array', items: 'long', 'element-id': 9 }], default: null },
    { name: 'x', type: 'double' },
    { name: 'y', type: 'float' },
    { name: 't', type: 'boolean' },
  ],
}
const encode = compileEncoder(schema)
const decode = compileRecordDecoder(schema)
const sync = new Uint8Array(16).fill(7)

const record = (index: number): AvroRecordValue => ({
  i: 5 - index,
  l: index % 2 === 0 ? 9223372036854775807n - BigInt(index) : -9223372036854775808n + BigInt(index),
  s: index % 3 === 0 ? null : `grüße ${index}`,
  b: new Uint8Array(index % 100).fill(index),
  f: Uint8Array.of(1, 2, 3, index % 256),
  d: index % 4 === 0 ? null : index,
  a: index % 5 === 0 ? null : [BigInt(index), -1n, 1n << 62n],
  x: index / 3,
  y: Math.fround(index / 3),
  t: index % 2 === 0,
})

const writeFile = (count: number): Uint8Array =>
  writeContainer(
    { 'avro.schema': printAvroSchema(schema), 'avro.codec': 'null', note: 'ü' },
    sync,
    count,
    (writer, index) => encode(writer, record(index)),
  )

function readAll(bytes: Uint8Array): AvroRecordValue[] {
  return readContainer(bytes, 'test').blocks.flatMap(({ count, reader }) =>
    Array.from({ length: count }, () => decode(reader)),
  )
}

describe('Avro container', () => {
  test('records over several blocks come back as they were', () => {
    const bytes = writeFile(3_000)
    const container = readContainer(bytes, 'test')
    expect(container.blocks.length).toBeGreaterThan(3)
    expect(container.metadata.get('note')).toBe('ü')
    expect(container.schemaText).toBe(printAvroSchema(schema))
    expect(readAll(bytes)).toEqual(Array.from({ length: 3_000 }, (_, index) => record(index)))
  })

  test('an empty file has a header and no block', () => {
    expect(readContainer(writeFile(0), 'test').blocks).toEqual([])
  })

  test('avsc, with its own 64-bit type, reads the same records', async () => {
    const long = avsc.types.LongType.__with({
      fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
      toBuffer: (value: bigint) => {
        const bytes = Buffer.alloc(8)
        bytes.writeBigInt64LE(value)
        return bytes
      },
      fromJSON: BigInt,
      toJSON: Number,
      isValid: (value: unknown) => typeof value === 'bigint',
      compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
    })
    const decoder = new avsc.streams.BlockDecoder({
      parseHook: text => avsc.Type.forSchema(text, { registry: { long }, wrapUnions: false }),
    })
    const seen: unknown[] = []
    await new Promise((resolve, reject) => {
      decoder
        .on('data', value => seen.push(value))
        .on('end', resolve)
        .on('error', reject)
      decoder.end(Buffer.from(writeFile(50)))
    })
    const expected = Array.from({ length: 50 }, (_, index) => record(index))
    const plain = (value: unknown): unknown =>
      JSON.parse(
        JSON.stringify(value, (_, member: unknown) => {
          if (typeof member === 'bigint') return String(member)
          return member
        }),
      )
    const buffers = expected.map(value => ({
      ...value,
      b: Buffer.from(value.b as Uint8Array),
      f: Buffer.from(value.f as Uint8Array),
    }))
    expect(plain(seen)).toEqual(plain(buffers))
  })

  test('deflated blocks are read', () => {
    const writer = new ByteWriter()
    writer.raw(Uint8Array.of(0x4f, 0x62, 0x6a, 1))
    writeLong(writer, 2)
    for (const text of ['avro.schema', printAvroSchema(schema), 'avro.codec', 'deflate']) {
      const bytes = Buffer.from(text)
      writeLong(writer, bytes.length)
      writer.raw(bytes)
    }
    writer.uint8(0)
    writer.raw(sync)
    const block = new ByteWriter()
    encode(block, record(5))
    const deflated = deflateRawSync(block.take())
    writeLong(writer, 1)
    writeLong(writer, deflated.length)
    writer.raw(deflated)
    writer.raw(sync)
    expect(readAll(writer.take())).toEqual([record(5)])
  })

  const damage: [string, (bytes: Uint8Array) => Uint8Array, string][] = [
    ['another magic', bytes => bytes.fill(0, 0, 1), 'test: not an Avro container file at offset 4'],
    ['a cut file', bytes => bytes.subarray(0, bytes.length - 5), 'test: needs 16 bytes, 11 are left'],
    ['another sync marker', bytes => bytes.fill(1, bytes.length - 1), 'test: Avro sync marker differs'],
  ]
  test.each(damage)('%s is corrupt', (_, change, message) => {
    expect(() => readContainer(change(writeFile(3).slice()), 'test')).toThrow(message)
  })
})

describe('Avro schemas', () => {
  test('keep ids and logical types through parsing', () => {
    expect(printAvroSchema(parseAvroSchema(printAvroSchema(schema), 'test'))).toBe(
      printAvroSchema({ ...schema, fields: schema.fields.map(({ default: _, ...field }) => field) }),
    )
  })

  test.each([
    ['"uuid"', 'has the unknown type "uuid"'],
    ['["int","null"]', 'has a union other than ["null", T]'],
    ['{"type":"fixed","name":"f","size":100000}', 'has a fixed type of 100000 bytes'],
    [
      '{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}',
      'has the field "a" twice',
    ],
    [`${'{"type":"array","items":'.repeat(40)}"int"${'}'.repeat(40)}`, 'is nested more than 32 levels deep'],
  ])('%s is refused', (text, message) => {
    expect(() => parseAvroSchema(text, 'test')).toThrow(message)
  })
})
