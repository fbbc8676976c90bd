/**
 * Thrift's compact protocol, as far as Parquet footers and page headers use it: structs as trees of plain values.
 *
 *   field   [delta of the id:4 | type:4], or [0:4 | type:4] [id: zigzag varint]      end of struct: 00
 *   list    [size:4 | type:4], or [15:4 | type:4] [size: varint]
 *   types   1 true  2 false  3 i8  4 i16  5 i32  6 i64  7 double  8 binary  9 list  12 struct
 *
 * source  thrift-compact-protocol.md of Apache Thrift
 */
import { FloeError } from '../../core/errors.ts'

export const thriftType = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  struct: 12,
}

export interface ThriftList {
  readonly elementType: number
  readonly items: ThriftValue[]
}
/** bool: boolean; i8, i16, i32: number; i64: bigint; double: number; binary: bytes. */
export type ThriftValue = boolean | number | bigint | Uint8Array | ThriftList | ThriftStruct

export interface ThriftField {
  readonly type: number
  readonly value: ThriftValue
}
/** By field id, ascending when written. */
export class ThriftStruct {
  readonly fields = new Map<number, ThriftField>()

  set(id: number, type: number, value: ThriftValue): this {
    this.fields.set(id, { type, value })
    return this
  }
  setBool(id: number, value: boolean): this {
    return this.set(id, value ? thriftType.true : thriftType.false, value)
  }
  setInt32(id: number, value: number): this {
    return this.set(id, thriftType.i32, value)
  }
  setInt64(id: number, value: number | bigint): this {
    return this.set(id, thriftType.i64, BigInt(value))
  }
  setBytes(id: number, value: Uint8Array): this {
    return this.set(id, thriftType.binary, value)
  }
  setText(id: number, value: string): this {
    return this.set(id, thriftType.binary, new TextEncoder().encode(value))
  }
  setStruct(id: number, value: ThriftStruct): this {
    return this.set(id, thriftType.struct, value)
  }
  setList(id: number, elementType: number, items: ThriftValue[]): this {
    return this.set(id, thriftType.list, { elementType, items })
  }

  /** An i16 or i32, or an i64 within ±2^53. Undefined: absent. */
  number(id: number): number | undefined {
    const value = this.fields.get(id)?.value
    if (typeof value === 'bigint') return Number(value)
    return typeof value === 'number' ? value : undefined
  }
  struct(id: number): ThriftStruct | undefined {
    const value = this.fields.get(id)?.value
    return value instanceof ThriftStruct ? value : undefined
  }
  structs(id: number): ThriftStruct[] {
    const value = this.fields.get(id)?.value
    if (typeof value !== 'object' || !('items' in value)) return []
    return value.items.filter(item => item instanceof ThriftStruct)
  }
}

const depthMax = 32

/**
 * errors  corrupt: not a struct of the compact protocol within the bytes
 */
export function readThriftStruct(bytes: Uint8Array): ThriftStruct {
  return new ThriftReader(bytes).struct(0)
}

class ThriftReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  struct(depth: number): ThriftStruct {
    if (depth > depthMax) throw this.#corrupt('nested too deeply')
    const struct = new ThriftStruct()
    let id = 0
    for (;;) {
      const head = this.#byte()
      if (head === 0) return struct
      const type = head & 0x0f
      id = head >> 4 === 0 ? Number(this.#zigzag()) : id + (head >> 4)
      struct.fields.set(id, { type, value: this.#value(type, depth) })
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case thriftType.true:
        return true
      case thriftType.false:
        return false
      case thriftType.i8:
        return (this.#byte() << 24) >> 24
      case thriftType.i16:
      case thriftType.i32:
        return Number(this.#zigzag())
      case thriftType.i64:
        return this.#zigzag()
      case thriftType.double: {
        const raw = this.#raw(8)
        return new DataView(raw.buffer, raw.byteOffset, 8).getFloat64(0, true)
      }
      case thriftType.binary:
        return this.#raw(Number(this.#varint()))
      case thriftType.list: {
        const head = this.#byte()
        const elementType = head & 0x0f
        const size = head >> 4 === 15 ? Number(this.#varint()) : head >> 4
        if (size > this.#bytes.length - this.#at) throw this.#corrupt('a list longer than the bytes')
        const items: ThriftValue[] = []
        // In lists a boolean is a byte of its own.
        const isBool = elementType === thriftType.true || elementType === thriftType.false
        for (let index = 0; index < size; index++) {
          items.push(isBool ? this.#byte() === thriftType.true : this.#value(elementType, depth + 1))
        }
        return { elementType, items }
      }
      case thriftType.struct:
        return this.struct(depth + 1)
      default:
        throw this.#corrupt(`unknown type ${type}`)
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw this.#corrupt('ends too early')
    return byte
  }
  #raw(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw this.#corrupt('ends too early')
    const raw = this.#bytes.subarray(this.#at, this.#at + count)
    this.#at += count
    return raw
  }
  #varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw this.#corrupt('a varint too long')
  }
  #zigzag(): bigint {
    const value = this.#varint()
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
  }
  #corrupt(problem: string): FloeError {
    return new FloeError('corrupt', 'malformed-thrift', `Parquet metadata: ${problem} at byte ${this.#at}`, {
      offset: this.#at,
    })
  }
}

export function writeThriftStruct(struct: ThriftStruct): Uint8Array<ArrayBuffer> {
  const out: number[] = []
  writeStruct(out, struct)
  return Uint8Array.from(out)
}

function writeStruct(out: number[], struct: ThriftStruct): void {
  let last = 0
  for (const [id, { type, value }] of [...struct.fields].sort((a, b) => a[0] - b[0])) {
    if (id - last <= 15) {
      out.push(((id - last) << 4) | type)
    } else {
      out.push(type)
      writeVarint(out, zigzag(BigInt(id)))
    }
    last = id
    if (typeof value !== 'boolean') writeValue(out, type, value)
  }
  out.push(0)
}

function writeValue(out: number[], type: number, value: ThriftValue): void {
  if (value instanceof ThriftStruct) {
    writeStruct(out, value)
  } else if (value instanceof Uint8Array) {
    writeVarint(out, BigInt(value.length))
    for (const byte of value) out.push(byte)
  } else if (typeof value === 'object') {
    const { elementType, items } = value
    if (items.length < 15) {
      out.push((items.length << 4) | elementType)
    } else {
      out.push(0xf0 | elementType)
      writeVarint(out, BigInt(items.length))
    }
    for (const item of items) writeValue(out, elementType, item)
  } else if (typeof value === 'boolean') {
    out.push(value ? thriftType.true : thriftType.false)
  } else if (type === thriftType.double) {
    out.push(...new Uint8Array(Float64Array.of(Number(value)).buffer))
  } else if (type === thriftType.i8) {
    out.push(Number(value) & 0xff)
  } else {
    writeVarint(out, zigzag(BigInt(value)))
  }
}

const zigzag = (value: bigint): bigint => BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))

function writeVarint(out: number[], value: bigint): void {
  let rest = value
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  out.push(Number(rest))
}
