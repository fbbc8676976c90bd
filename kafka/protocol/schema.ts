/**
 * The vocabulary in which every Kafka message is described once. From a description follow, by inference, the TypeScript types
 * handlers see, and, by compile.ts, the codecs of every version.
 *
 *   const heartbeatRequest = struct({
 *     groupId: string(),
 *     generationId: int32(),
 *     groupInstanceId: string({ from: 3, nullable: 3 }),
 *   })
 *   type HeartbeatRequest = Decoded<typeof heartbeatRequest>
 *
 * Invariants
 *   - The order of keys is the order on the wire. Names are Kafka's own (its message definitions) in camel case.
 *   - `from` and `to` are the first and last version that has the field, `nullable` the first that lets it be null. Bounds that
 *     every served version satisfies are left out.
 *   - Decoding always yields every field: one that its version lacks has its default (the given one, else null where nullable,
 *     else the type's zero: 0, false, '', empty). A tagged struct that was not sent is undefined.
 *   - Encoding may leave out exactly the fields that have a default because of `default`, `from`, `to` or `tag`; values of
 *     fields that the version lacks are ignored.
 */

export type PrimitiveKind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uuid'
  | 'string'
  | 'bytes'
  /** Record batches: bytes that decode to a view and encode without a copy, whole or in parts. */
  | 'records'

export type Node =
  | { readonly kind: PrimitiveKind }
  | { readonly kind: 'array'; readonly element: Node }
  | { readonly kind: 'struct'; readonly fields: Fields }

/** `In` is what encoding accepts, `Out` what decoding yields. Both exist in the type system only. */
export interface Field<In, Out, Optional extends boolean> {
  readonly node: Node
  /** First version that has the field. */
  readonly from: number
  /** Last version that has the field, inclusive. */
  readonly to: number
  /** First version in which null is allowed; Infinity: none. */
  readonly nullableFrom: number
  readonly tag: number | undefined
  /** Undefined: null where nullable, else the type's zero. */
  readonly default: unknown
  readonly types?: { readonly in: In; readonly out: Out; readonly optional: Optional }
}

export type Fields = Readonly<Record<string, Field<unknown, unknown, boolean>>>

export interface Struct<In, Out> {
  readonly node: Node & { readonly kind: 'struct' }
  readonly types?: { readonly in: In; readonly out: Out }
}

export interface FieldOptions<T> {
  readonly from?: number
  readonly to?: number
  readonly nullable?: number
  readonly default?: T | null
  readonly tag?: number
}

type NoOptions = Record<never, never>
type NullOf<O> = O extends { readonly nullable: number } ? null : never
type OptionalOf<O> = O extends
  | { readonly default: unknown }
  | { readonly from: number }
  | { readonly to: number }
  | { readonly tag: number }
  ? true
  : false
/** A tagged struct that was not sent decodes to undefined. */
type AbsentOf<O> = O extends { readonly tag: number } ? undefined : never

type InOf<F> = F extends Field<infer In, unknown, boolean> ? In : never
type OutOf<F> = F extends Field<unknown, infer Out, boolean> ? Out : never
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, unknown, true> ? K : never
}[keyof F]

type StructIn<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: InOf<F[K]>
} & {
  readonly [K in OptionalKeys<F>]?: InOf<F[K]> | undefined
}
type StructOut<F extends Fields> = { readonly [K in keyof F]: OutOf<F[K]> }

/** What decoding a struct yields. */
export type Decoded<S> = S extends Struct<unknown, infer Out> ? Out : never
/** What encoding a struct accepts. */
export type Encodable<S> = S extends Struct<infer In, unknown> ? In : never

function field(node: Node, options: FieldOptions<unknown> | undefined): Field<never, never, never> {
  return {
    node,
    from: options?.from ?? 0,
    to: options?.to ?? Number.POSITIVE_INFINITY,
    nullableFrom: options?.nullable ?? Number.POSITIVE_INFINITY,
    tag: options?.tag,
    default: options?.default,
  }
}

type Primitive<T, O> = Field<T | NullOf<O>, T | NullOf<O>, OptionalOf<O>>

export function bool<const O extends FieldOptions<boolean> = NoOptions>(options?: O): Primitive<boolean, O> {
  return field({ kind: 'bool' }, options)
}
export function int8<const O extends FieldOptions<number> = NoOptions>(options?: O): Primitive<number, O> {
  return field({ kind: 'int8' }, options)
}
export function int16<const O extends FieldOptions<number> = NoOptions>(options?: O): Primitive<number, O> {
  return field({ kind: 'int16' }, options)
}
export function int32<const O extends FieldOptions<number> = NoOptions>(options?: O): Primitive<number, O> {
  return field({ kind: 'int32' }, options)
}
export function int64<const O extends FieldOptions<bigint> = NoOptions>(options?: O): Primitive<bigint, O> {
  return field({ kind: 'int64' }, options)
}
/** Canonical lower-case text. The zero UUID (`noUuid`) stands for none. */
export function uuid<const O extends FieldOptions<string> = NoOptions>(options?: O): Primitive<string, O> {
  return field({ kind: 'uuid' }, options)
}
export function string<const O extends FieldOptions<string> = NoOptions>(options?: O): Primitive<string, O> {
  return field({ kind: 'string' }, options)
}
/** Decodes to a view of the frame. */
export function bytes<const O extends FieldOptions<Uint8Array> = NoOptions>(options?: O): Primitive<Uint8Array, O> {
  return field({ kind: 'bytes' }, options)
}
/** Record batches: decodes to a view of the frame, encodes whole or in parts without copying. */
export function records<const O extends FieldOptions<Uint8Array> = NoOptions>(
  options?: O,
): Field<Uint8Array | readonly Uint8Array[] | NullOf<O>, Uint8Array | NullOf<O>, OptionalOf<O>> {
  return field({ kind: 'records' }, options)
}

/** An array of structs or of primitives: `array(struct({...}))`, `array(int32())`. */
export function array<In, Out, const O extends FieldOptions<never> = NoOptions>(
  element: Struct<In, Out> | Field<In, Out, false>,
  options?: O,
): Field<readonly In[] | NullOf<O>, readonly Out[] | NullOf<O>, OptionalOf<O>> {
  return field({ kind: 'array', element: element.node }, options)
}

export function struct<const F extends Fields>(fields: F): Struct<StructIn<F>, StructOut<F>> {
  return { node: { kind: 'struct', fields } }
}

/** A struct as a field of another. */
export function nested<In, Out, const O extends FieldOptions<never> = NoOptions>(
  inner: Struct<In, Out>,
  options?: O,
): Field<In | NullOf<O>, Out | NullOf<O> | AbsentOf<O>, OptionalOf<O>> {
  return field(inner.node, options)
}

/** The zero UUID: no topic id. */
export const noUuid = '00000000-0000-0000-0000-000000000000'

/** What an authorized-operations field holds when the client did not ask. */
export const authorizedOperationsNotAsked = -2_147_483_648
