import fc from 'fast-check'
import type { ApiName } from '../../../../kafka/api-keys.ts'
import { apis, isFlexible } from '../../../../kafka/api-keys.ts'
import { messages } from '../../../../kafka/protocol/messages.ts'
import type { Field, Fields, Node } from '../../../../kafka/protocol/schema.ts'

/** Values for any described message in any version: only fields the version has, nullable ones sometimes null. */
export type Direction = 'request' | 'response'

export interface MessageCase {
  readonly api: ApiName
  readonly version: number
  readonly direction: Direction
}

/** Every message in every served version. */
export const messageCases: readonly MessageCase[] = (Object.keys(apis) as ApiName[]).flatMap(api =>
  (['request', 'response'] as const).flatMap(direction =>
    Array.from({ length: apis[api].max - apis[api].min + 1 }, (_, index) => ({
      api,
      version: apis[api].min + index,
      direction,
    })),
  ),
)

export function fieldsOf({ api, direction }: MessageCase): Fields {
  return messages[api][direction].node.fields
}

export function isPresent(field: Field<unknown, unknown, boolean>, { api, version }: MessageCase): boolean {
  return version >= field.from && version <= field.to && (field.tag === undefined || isFlexible(api, version))
}

export function messageArbitrary(scope: MessageCase): fc.Arbitrary<Record<string, unknown>> {
  return structArbitrary(fieldsOf(scope), scope)
}

function structArbitrary(fields: Fields, scope: MessageCase): fc.Arbitrary<Record<string, unknown>> {
  const present = Object.entries(fields).filter(([, field]) => isPresent(field, scope))
  return fc.record(
    Object.fromEntries(
      present.map(([name, field]) => {
        const value = nodeArbitrary(field.node, scope)
        return [name, scope.version >= field.nullableFrom ? fc.option(value, { nil: null, freq: 4 }) : value]
      }),
    ),
    { noNullPrototype: true },
  )
}

function nodeArbitrary(node: Node, scope: MessageCase): fc.Arbitrary<unknown> {
  switch (node.kind) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -128, max: 127 })
    case 'int16':
      return fc.integer({ min: -32_768, max: 32_767 })
    case 'int32':
      return fc.integer()
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'uuid':
      return fc.uuid()
    case 'string':
      return fc.string({ maxLength: 20, unit: 'grapheme' })
    case 'bytes':
      return fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes))
    case 'records':
      // Long ones are spliced into the output instead of copied.
      return fc
        .oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(new Uint8Array(3_000).fill(7)))
        .map(bytes => Buffer.from(bytes))
    case 'array':
      return fc.array(nodeArbitrary(node.element, scope), { maxLength: 3 })
    case 'struct':
      return structArbitrary(node.fields, scope)
  }
}

/** What decoding must yield for a generated value: the value plus the default of every field it lacks. */
export function withDefaults(
  fields: Fields,
  value: Readonly<Record<string, unknown>>,
  scope: MessageCase,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      isPresent(field, scope) ? expectedNode(field.node, value[name], scope) : defaultOf(field),
    ]),
  )
}

function expectedNode(node: Node, value: unknown, scope: MessageCase): unknown {
  if (value === null) return null
  if (node.kind === 'array') return (value as unknown[]).map(each => expectedNode(node.element, each, scope))
  if (node.kind === 'struct') return withDefaults(node.fields, value as Record<string, unknown>, scope)
  return value
}

const zeros = {
  bool: false,
  int8: 0,
  int16: 0,
  int32: 0,
  int64: 0n,
  uuid: '00000000-0000-0000-0000-000000000000',
  string: '',
  bytes: Buffer.alloc(0),
  records: Buffer.alloc(0),
}

function defaultOf(field: Field<unknown, unknown, boolean>): unknown {
  if (field.default !== undefined) return field.default
  if (field.nullableFrom !== Number.POSITIVE_INFINITY) return null
  if (field.node.kind === 'array') return []
  // Only tagged structs are ever absent, and those decode to undefined.
  return field.node.kind === 'struct' ? undefined : zeros[field.node.kind]
}

/** The last message of fast-check's deterministic sample: not empty in most places, the same in every run. */
export function sampleMessage(scope: MessageCase, seed = 7): Record<string, unknown> {
  return fc.sample(messageArbitrary(scope), { seed, numRuns: 8 }).at(-1)!
}
