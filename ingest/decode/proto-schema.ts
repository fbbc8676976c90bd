/**
 * .proto text to message descriptors, through the parser of protobufjs; only parsed, never run.
 *
 * Imports of Google's well-known types are served from protobufjs; other imports cannot be resolved and are refused.
 *
 * source  Protocol Buffers language specifications proto2 and proto3
 */
import protobuf from 'protobufjs'
import { errorMessage, FloeError } from '../../core/errors.ts'

export interface ProtoMessage {
  readonly type: protobuf.Type
  /** Where the message stands in its file: index among the messages of each level (Confluent's message indexes). */
  readonly indexPath: readonly number[]
}

/**
 * `messageName` full or short; undefined: the first message of the text.
 *
 * errors  invalid, with the line where there is one: not a .proto file, an import that is not known, no such message
 */
export function parseProtoSchema(text: string, messageName: string | undefined): ProtoMessage {
  const root = new protobuf.Root()
  let packageName: string | undefined
  try {
    const parsed = protobuf.parse(text, root, { keepCase: true })
    packageName = parsed.package
    for (const name of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])]) addWellKnown(root, name)
    root.resolveAll()
  } catch (error) {
    if (error instanceof FloeError) throw error
    throw invalid(errorMessage(error))
  }
  const top = packageName === undefined ? root : root.lookup(packageName)
  if (!(top instanceof protobuf.Namespace)) throw invalid(`package ${String(packageName)} is empty`)
  const messages = listMessages(top, [])
  const wanted = messageName?.replace(/^\./, '')
  const found = messages.find(
    ({ type }) => wanted === undefined || type.name === wanted || type.fullName.slice(1) === wanted,
  )
  if (found === undefined) {
    if (wanted === undefined) throw invalid('there is no message')
    const names = messages.map(({ type }) => type.fullName.slice(1)).join(', ')
    throw invalid(`there is no message ${JSON.stringify(wanted)}; there are: ${names}`)
  }
  return found
}

function addWellKnown(root: protobuf.Root, name: string): void {
  const known = protobuf.common.get(name)
  if (known?.nested === undefined || known.nested === null) {
    throw invalid(`import ${JSON.stringify(name)} cannot be resolved; put the imported messages into the same text`)
  }
  root.addJSON(known.nested)
}

/** Messages at any level, parents first. */
function listMessages(parent: protobuf.NamespaceBase, path: readonly number[]): ProtoMessage[] {
  const messages: ProtoMessage[] = []
  const types = parent.nestedArray.filter(nested => nested instanceof protobuf.Type)
  for (const [index, type] of types.entries()) messages.push({ type, indexPath: [...path, index] })
  for (const [index, type] of types.entries()) messages.push(...listMessages(type, [...path, index]))
  return messages
}

export type ProtoScalar =
  | 'double'
  | 'float'
  | 'int32'
  | 'uint32'
  | 'sint32'
  | 'fixed32'
  | 'sfixed32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  | 'fixed64'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'

const scalars = new Set<string>([
  'double',
  'float',
  'int32',
  'uint32',
  'sint32',
  'fixed32',
  'sfixed32',
  'int64',
  'uint64',
  'sint64',
  'fixed64',
  'sfixed64',
  'bool',
  'string',
  'bytes',
])
const isScalar = (name: string): name is ProtoScalar => scalars.has(name)

/** What a field holds, wrappers and timestamps seen through. */
export type ProtoValue =
  | { readonly kind: 'scalar'; readonly scalar: ProtoScalar }
  | { readonly kind: 'enum'; readonly symbols: Readonly<Record<string, string>> }
  | { readonly kind: 'message'; readonly type: protobuf.Type }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'wrapper'; readonly scalar: ProtoScalar }

const wrappers: Readonly<Record<string, ProtoScalar>> = {
  '.google.protobuf.DoubleValue': 'double',
  '.google.protobuf.FloatValue': 'float',
  '.google.protobuf.Int64Value': 'int64',
  '.google.protobuf.UInt64Value': 'uint64',
  '.google.protobuf.Int32Value': 'int32',
  '.google.protobuf.UInt32Value': 'uint32',
  '.google.protobuf.BoolValue': 'bool',
  '.google.protobuf.StringValue': 'string',
  '.google.protobuf.BytesValue': 'bytes',
}

/** The value of a field, or of each element or map entry. */
export function readProtoValue(field: protobuf.Field): ProtoValue {
  const { resolvedType } = field
  if (resolvedType instanceof protobuf.Enum) return { kind: 'enum', symbols: resolvedType.valuesById }
  if (resolvedType instanceof protobuf.Type) {
    if (resolvedType.fullName === '.google.protobuf.Timestamp') return { kind: 'timestamp' }
    const wrapped = wrappers[resolvedType.fullName]
    if (wrapped !== undefined) return { kind: 'wrapper', scalar: wrapped }
    return { kind: 'message', type: resolvedType }
  }
  if (!isScalar(field.type)) throw invalid(`field ${field.fullName.slice(1)} has the unknown type ${field.type}`)
  return { kind: 'scalar', scalar: field.type }
}

/** Whether an absent field is null rather than its type's default. */
export function tracksPresence(field: protobuf.Field): boolean {
  if (field.repeated || field.map) return false
  return field.hasPresence || field.resolvedType instanceof protobuf.Type
}

function invalid(problem: string): FloeError {
  return new FloeError('invalid', 'proto-schema-invalid', `Protobuf schema: ${problem}`)
}
