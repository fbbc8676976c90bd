/**
 * Avro binary encoding, compiled once per schema into functions.
 *
 *   int, long     zigzag varint; long is exact over 64 bits
 *   bytes, string long length, bytes          fixed    the bytes
 *   array         blocks of long count (negative: then a long byte size) and items, ended by count 0
 *   ["null", T]   long 0, or long 1 and T      record   its fields in order
 *
 * In memory: long is bigint when decoded, number or bigint when encoded; a record is an object, an optional field may be left
 * out when encoded.
 *
 * source  Avro specification 1.11, "Binary Encoding"
 */
import { assert } from '../../core/assert.ts'
import type { ByteReader } from '../../core/byte-reader.ts'
import type { ByteWriter } from '../../core/byte-writer.ts'
import type { AvroRecord, AvroSchema } from './schema.ts'

export type AvroValue = null | boolean | number | bigint | string | Uint8Array | AvroValue[] | AvroRecordValue
export interface AvroRecordValue {
  [name: string]: AvroValue
}
export type AvroEncoder = (writer: ByteWriter, value: AvroValue | undefined) => void
export type AvroDecoder = (reader: ByteReader) => AvroValue

const numberVarintMax = 2 ** 51

export function writeLong(writer: ByteWriter, value: number | bigint): void {
  if (typeof value === 'number' && Math.abs(value) < numberVarintMax) {
    assert(Number.isInteger(value), 'an Avro long is whole')
    writer.varint(value)
    return
  }
  const whole = BigInt(value)
  assert(BigInt.asIntN(64, whole) === whole, 'an Avro long has 64 bits')
  let rest = BigInt.asUintN(64, (whole << 1n) ^ (whole >> 63n))
  while (rest >= 0x80n) {
    writer.uint8(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  writer.uint8(Number(rest))
}

export function readLong(reader: ByteReader): bigint {
  let low = 0
  let scale = 1
  // Seven bytes hold 49 bits, which a number adds up exactly.
  for (let count = 0; count < 7; count++) {
    const byte = reader.uint8()
    low += (byte & 0x7f) * scale
    if (byte < 0x80) return BigInt(low % 2 === 0 ? low / 2 : -(low + 1) / 2)
    scale *= 0x80
  }
  let zigzag = BigInt(low)
  for (let shift = 49n; shift < 70n; shift += 7n) {
    const byte = reader.uint8()
    zigzag |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) {
      if (zigzag >= 1n << 64n) break
      return (zigzag >> 1n) ^ -(zigzag & 1n)
    }
  }
  throw reader.corrupt('Avro long beyond 64 bits')
}

/** A long that counts or measures what is in memory. */
export function readCount(reader: ByteReader): number {
  const count = readLong(reader)
  if (count < 0n || count > BigInt(reader.remaining)) {
    throw reader.corrupt(`Avro length ${count} cannot fit in ${reader.remaining} bytes`)
  }
  return Number(count)
}

export function readInt(reader: ByteReader): number {
  const value = readLong(reader)
  if (BigInt.asIntN(32, value) !== value) throw reader.corrupt('Avro int beyond 32 bits')
  return Number(value)
}

export function compileEncoder(schema: AvroSchema): AvroEncoder {
  if (typeof schema === 'string') {
    switch (schema) {
      case 'null':
        return () => {}
      case 'boolean':
        return (writer, value) => {
          assert(typeof value === 'boolean', 'Avro boolean')
          writer.bool(value)
        }
      case 'int':
      case 'long':
        return (writer, value) => {
          assert(typeof value === 'number' || typeof value === 'bigint', `Avro ${schema}`)
          writeLong(writer, value)
        }
      case 'float':
      case 'double':
        return (writer, value) => {
          assert(typeof value === 'number', `Avro ${schema}`)
          const bytes = new Uint8Array(schema === 'float' ? 4 : 8)
          const view = new DataView(bytes.buffer)
          if (schema === 'float') view.setFloat32(0, value, true)
          else view.setFloat64(0, value, true)
          writer.raw(bytes)
        }
      case 'bytes':
        return (writer, value) => {
          assert(value instanceof Uint8Array, 'Avro bytes')
          writeLong(writer, value.length)
          writer.raw(value)
        }
      case 'string':
        return (writer, value) => {
          assert(typeof value === 'string', 'Avro string')
          const bytes = utf8Encoder.encode(value)
          writeLong(writer, bytes.length)
          writer.raw(bytes)
        }
    }
  }
  if (isOptional(schema)) {
    const encode = compileEncoder(schema[1])
    return (writer, value) => {
      if (value === null || value === undefined) {
        writer.uint8(0)
      } else {
        writer.uint8(2)
        encode(writer, value)
      }
    }
  }
  switch (schema.type) {
    case 'int':
    case 'long':
      return compileEncoder(schema.type)
    case 'fixed':
      return (writer, value) => {
        assert(value instanceof Uint8Array && value.length === schema.size, `Avro fixed of ${schema.size} bytes`)
        writer.raw(value)
      }
    case 'array': {
      const encode = compileEncoder(schema.items)
      return (writer, value) => {
        assert(Array.isArray(value), 'Avro array')
        if (value.length > 0) writeLong(writer, value.length)
        for (const item of value) encode(writer, item)
        writer.uint8(0)
      }
    }
    case 'record': {
      const fields = schema.fields.map(field => ({ name: field.name, encode: compileEncoder(field.type) }))
      return (writer, value) => {
        assert(isRecordValue(value), `Avro record ${schema.name}`)
        for (const { name, encode } of fields) encode(writer, value[name])
      }
    }
  }
}

export function compileDecoder(schema: AvroSchema): AvroDecoder {
  if (typeof schema === 'string') {
    switch (schema) {
      case 'null':
        return () => null
      case 'boolean':
        return reader => reader.bool()
      case 'int':
        return readInt
      case 'long':
        return readLong
      case 'float':
        return reader => viewOf(reader.raw(4)).getFloat32(0, true)
      case 'double':
        return reader => viewOf(reader.raw(8)).getFloat64(0, true)
      case 'bytes':
        return reader => reader.raw(readCount(reader))
      case 'string':
        return reader => decodeUtf8(reader, readCount(reader))
    }
  }
  if (isOptional(schema)) {
    const decode = compileDecoder(schema[1])
    return reader => {
      const branch = reader.uint8()
      if (branch !== 0 && branch !== 2) throw reader.corrupt('Avro union branch that does not exist')
      return branch === 0 ? null : decode(reader)
    }
  }
  switch (schema.type) {
    case 'int':
    case 'long':
      return compileDecoder(schema.type)
    case 'fixed':
      return reader => reader.raw(schema.size)
    case 'array': {
      const decode = compileDecoder(schema.items)
      return reader => {
        const items: AvroValue[] = []
        for (;;) {
          let count = readLong(reader)
          if (count === 0n) return items
          if (count < 0n) {
            count = -count
            readCount(reader)
          }
          // Every item of the schemas in use takes a byte or more.
          if (count > BigInt(reader.remaining)) throw reader.corrupt(`Avro array of ${count} items cannot fit`)
          for (let rest = Number(count); rest > 0; rest--) items.push(decode(reader))
        }
      }
    }
    case 'record':
      return compileRecordDecoder(schema)
  }
}

export function compileRecordDecoder(schema: AvroRecord): (reader: ByteReader) => AvroRecordValue {
  const fields = schema.fields.map(field => ({ name: field.name, decode: compileDecoder(field.type) }))
  return reader => {
    const value: AvroRecordValue = {}
    for (const { name, decode } of fields) value[name] = decode(reader)
    return value
  }
}

const isOptional = (schema: AvroSchema): schema is readonly ['null', AvroSchema] => Array.isArray(schema)

function isRecordValue(value: AvroValue | undefined): value is AvroRecordValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeUtf8(reader: ByteReader, count: number): string {
  try {
    return utf8Decoder.decode(reader.raw(count))
  } catch {
    throw reader.corrupt('Avro string that is not UTF-8')
  }
}
