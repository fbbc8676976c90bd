import { FloeError } from '../../core/errors.ts'
import type { ProtocolReader } from './reader.ts'
import type { Field, Fields, Node, Struct } from './schema.ts'
import { noUuid } from './schema.ts'
import { ProtocolWriter } from './writer.ts'

/**
 * Turns a message description (schema.ts) into a reader and a writer for one version: closures that were specialised once, so
 * that no version or flexibility test is left on the hot path.
 *
 * Wire grammar of a struct in one version
 *
 *   struct   := field* tagged?          fields in the order of the description; absent versions take no bytes
 *   tagged   := uvarint count (uvarint tag, uvarint size, value)*     flexible versions only, tags ascending
 *   nullable struct := int8 -1 | int8 1, struct                       (KIP-893)
 */
export interface Codec<In, Out> {
  read(reader: ProtocolReader): Out
  write(writer: ProtocolWriter, value: In): void
}

type Read = (reader: ProtocolReader) => unknown
type Write = (writer: ProtocolWriter, value: unknown) => void

interface Compiled {
  readonly read: Read
  readonly write: Write
  /** Fewest bytes a value takes: what bounds array counts. */
  readonly bytesMin: number
}

/** `name` is for errors, for example `Produce request`. */
export function compileStruct<In, Out>(
  description: Struct<In, Out>,
  version: number,
  flexible: boolean,
  name: string,
): Codec<In, Out> {
  const { read, write } = compileFields(description.node.fields, { version, flexible, path: `${name} v${version}` })
  return { read: reader => read(reader) as Out, write }
}

interface Scope {
  readonly version: number
  readonly flexible: boolean
  /** Where we are in the message, for errors. */
  readonly path: string
}

function compileNode(node: Node, nullable: boolean, scope: Scope): Compiled {
  switch (node.kind) {
    case 'array':
      return compileArray(node.element, nullable, scope)
    case 'struct':
      return nullable ? compileNullableStruct(node.fields, scope) : compileFields(node.fields, scope)
    case 'string':
    case 'bytes':
    case 'records':
      return compileSized(node.kind, nullable, scope)
    default:
      return fixed[node.kind]
  }
}

const fixed: Record<'bool' | 'int8' | 'int16' | 'int32' | 'int64' | 'uuid', Compiled> = {
  bool: { read: r => r.bool(), write: (w, v) => w.bool(v as boolean), bytesMin: 1 },
  int8: { read: r => r.int8(), write: (w, v) => w.int8(v as number), bytesMin: 1 },
  int16: { read: r => r.int16(), write: (w, v) => w.int16(v as number), bytesMin: 2 },
  int32: { read: r => r.int32(), write: (w, v) => w.int32(v as number), bytesMin: 4 },
  int64: { read: r => r.int64(), write: (w, v) => w.int64(v as bigint), bytesMin: 8 },
  uuid: { read: r => r.uuid(), write: (w, v) => w.uuid(v as string), bytesMin: 16 },
}

function compileSized(kind: 'string' | 'bytes' | 'records', nullable: boolean, scope: Scope): Compiled {
  const { flexible, path } = scope
  const [read, write, bytesMin] = sizedCodecs[kind][flexible ? 'compact' : 'plain']
  if (nullable) return { read, write, bytesMin }
  return {
    read: reader => refuseNull(read(reader), reader, path),
    write: (writer, value) => {
      if (value === null) throw nullNotAllowed(path)
      write(writer, value)
    },
    bytesMin,
  }
}

const sizedCodecs: Record<
  'string' | 'bytes' | 'records',
  Record<'plain' | 'compact', readonly [Read, Write, number]>
> = {
  string: {
    plain: [r => r.string(), (w, v) => w.string(v as string | null), 2],
    compact: [r => r.compactString(), (w, v) => w.compactString(v as string | null), 1],
  },
  bytes: {
    plain: [r => r.sizedBytes(), (w, v) => w.sizedBytes(v as Uint8Array | null), 4],
    compact: [r => r.compactBytes(), (w, v) => w.compactBytes(v as Uint8Array | null), 1],
  },
  records: {
    plain: [r => r.sizedBytes(), (w, v) => writeRecords(w, v as RecordsValue, false), 4],
    compact: [r => r.compactBytes(), (w, v) => writeRecords(w, v as RecordsValue, true), 1],
  },
}

type RecordsValue = Uint8Array | readonly Uint8Array[] | null

function writeRecords(writer: ProtocolWriter, value: RecordsValue, compact: boolean): void {
  if (value === null) {
    if (compact) writer.uvarint(0)
    else writer.int32(-1)
    return
  }
  const parts = value instanceof Uint8Array ? [value] : value
  let length = 0
  for (const part of parts) length += part.length
  if (compact) writer.uvarint(length + 1)
  else writer.int32(length)
  for (const part of parts) writer.splice(part)
}

function compileArray(elementNode: Node, nullable: boolean, scope: Scope): Compiled {
  const { flexible, path } = scope
  const element = compileNode(elementNode, false, scope)
  // A struct without fields takes no bytes in old versions: count it as one so that the count stays bounded.
  const elementBytesMin = Math.max(1, element.bytesMin)
  const readElement = element.read
  const writeElement = element.write
  return {
    read: reader => {
      const count = flexible ? reader.compactArrayCount(elementBytesMin) : reader.arrayCount(elementBytesMin)
      if (count < 0) return nullable ? null : refuseNull(null, reader, path)
      const values: unknown[] = []
      for (let index = 0; index < count; index++) values.push(readElement(reader))
      return values
    },
    write: (writer, value) => {
      if (value === null) {
        if (!nullable) throw nullNotAllowed(path)
        if (flexible) writer.uvarint(0)
        else writer.int32(-1)
        return
      }
      const values = value as readonly unknown[]
      if (flexible) writer.uvarint(values.length + 1)
      else writer.int32(values.length)
      for (const each of values) writeElement(writer, each)
    },
    bytesMin: flexible ? 1 : 4,
  }
}

function compileNullableStruct(fields: Fields, scope: Scope): Compiled {
  const inner = compileFields(fields, scope)
  return {
    read: reader => (reader.int8() < 0 ? null : inner.read(reader)),
    write: (writer, value) => {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) inner.write(writer, value)
    },
    bytesMin: 1,
  }
}

interface CompiledField extends Compiled {
  readonly name: string
  /** What decoding yields where the version or the sender lacks the field, and what encoding takes for undefined. */
  readonly absent: unknown
  readonly required: boolean
  readonly tag: number
}

function compileFields(fields: Fields, scope: Scope): Compiled {
  const { version, flexible, path } = scope
  // Every field of the description, in order, so that all decoded objects of a message have one shape.
  const plan: { name: string; read: Read | undefined; absent: unknown }[] = []
  const positional: CompiledField[] = []
  const tagged: CompiledField[] = []
  for (const [name, field] of Object.entries(fields)) {
    const nullable = version >= field.nullableFrom
    const absent = absentValue(field)
    const present = version >= field.from && version <= field.to
    if (!present || (field.tag !== undefined && !flexible)) {
      plan.push({ name, read: undefined, absent })
      continue
    }
    const compiled = compileNode(field.node, nullable, { ...scope, path: `${path} ${name}` })
    const required = field.default === undefined && field.from === 0 && field.to === Number.POSITIVE_INFINITY
    const entry = { ...compiled, name, absent, required, tag: field.tag ?? -1 }
    if (field.tag === undefined) positional.push(entry)
    else tagged.push(entry)
    plan.push({ name, read: field.tag === undefined ? compiled.read : undefined, absent })
  }
  tagged.sort((a, b) => a.tag - b.tag)
  const readTagged = tagged.length === 0 ? undefined : compileTaggedReader(tagged)

  return {
    read: reader => {
      const value: Record<string, unknown> = {}
      for (const { name, read, absent } of plan) value[name] = read === undefined ? absent : read(reader)
      if (readTagged !== undefined) readTagged(reader, value)
      else if (flexible) reader.skipTaggedFields()
      return value
    },
    write: (writer, value) => {
      const values = value as Readonly<Record<string, unknown>>
      for (const { name, write, absent, required } of positional) {
        let each = values[name]
        if (each === undefined) {
          if (required) throw new FloeError('internal', 'kafka-field-missing', `${path} ${name}: no value given`)
          each = absent
        }
        write(writer, each)
      }
      if (flexible) writeTagged(writer, values, tagged)
    },
    bytesMin: positional.reduce((sum, each) => sum + each.bytesMin, flexible ? 1 : 0),
  }
}

function compileTaggedReader(tagged: readonly CompiledField[]) {
  const byTag = new Map(tagged.map(each => [each.tag, each]))
  return (reader: ProtocolReader, value: Record<string, unknown>): void => {
    for (let left = reader.taggedFieldCount(); left > 0; left--) {
      const known = byTag.get(reader.uvarint())
      const bytes = reader.uvarint()
      if (known === undefined) {
        reader.view(bytes)
        continue
      }
      const end = reader.offset + bytes
      if (bytes > reader.remaining) throw reader.malformed(`tagged field ${known.name} of ${bytes} bytes`)
      value[known.name] = known.read(reader)
      if (reader.offset !== end) throw reader.malformed(`tagged field ${known.name} does not end where its size says`)
    }
  }
}

/** Fields equal to their default are left out, as every Kafka implementation does. */
function writeTagged(
  writer: ProtocolWriter,
  values: Readonly<Record<string, unknown>>,
  tagged: readonly CompiledField[],
): void {
  let count = 0
  for (const { name, absent } of tagged) if (!isDefault(values[name], absent)) count++
  writer.uvarint(count)
  if (count === 0) return
  for (const { name, write, tag, absent } of tagged) {
    if (isDefault(values[name], absent)) continue
    // The size comes first as a varint, so the value is written aside; tagged values are small and never records.
    const aside = new ProtocolWriter(64)
    write(aside, values[name])
    writer.uvarint(tag)
    writer.uvarint(aside.length)
    for (const part of aside.finish()) writer.raw(part)
  }
}

function isDefault(value: unknown, absent: unknown): boolean {
  if (value === undefined || value === absent) return true
  return Array.isArray(value) && value.length === 0 && Array.isArray(absent)
}

function absentValue(field: Field<unknown, unknown, boolean>): unknown {
  if (field.default !== undefined) return field.default
  if (field.nullableFrom !== Number.POSITIVE_INFINITY) return null
  return zeroValue(field.node, field.tag !== undefined)
}

function zeroValue(node: Node, tagged: boolean): unknown {
  switch (node.kind) {
    case 'array':
      return noValues
    case 'struct':
      if (tagged) return undefined
      return Object.fromEntries(Object.entries(node.fields).map(([name, field]) => [name, absentValue(field)]))
    case 'string':
      return ''
    case 'bytes':
    case 'records':
      return noBytes
    case 'bool':
      return false
    case 'int64':
      return 0n
    case 'uuid':
      return noUuid
    default:
      return 0
  }
}

const noValues: readonly unknown[] = Object.freeze([])
const noBytes = new Uint8Array(0)

function refuseNull(value: unknown, reader: ProtocolReader, path: string): unknown {
  if (value === null) throw reader.malformed(`null is not allowed for ${path}`)
  return value
}

function nullNotAllowed(path: string): FloeError {
  return new FloeError('internal', 'kafka-null-not-allowed', `${path}: null cannot be encoded in this version`)
}
