/**
 * The vocabulary in which every option is described once. From one description come the validation of YAML (read-value.ts), the
 * JSON Schema for editors (json-schema.ts), the reference in docs/configuration.md (reference.ts) and the TypeScript type of the
 * validated value (`OptionValue`).
 *
 * Keys are snake_case in YAML and camelCase in code; a duration's name there ends in `Ms` and a size's in `Bytes`, because their
 * validated values are milliseconds and bytes.
 */
export interface TextOption<T extends string = string> {
  readonly kind: 'text'
  readonly pattern?: RegExp
  /** Completes "must be ...", for example `letters, digits and underscores`. */
  readonly patternHint?: string
  readonly lengthMax?: number
  /** Never empty unless this is set. */
  readonly mayBeEmpty?: boolean
  /** Carries the type only. */
  readonly type?: T
}
export interface IntegerOption {
  readonly kind: 'integer'
  readonly min: number
  readonly max: number
}
export interface BooleanOption {
  readonly kind: 'boolean'
}
export interface ChoiceOption<T extends string = string> {
  readonly kind: 'choice'
  readonly values: readonly T[]
}
/** Validated to whole milliseconds. */
export interface DurationOption {
  readonly kind: 'duration'
  readonly minMs: number
  readonly maxMs: number
}
/** Validated to whole bytes. */
export interface SizeOption {
  readonly kind: 'size'
  readonly minBytes: number
  readonly maxBytes: number
}
export interface ListOption<I extends Option = Option> {
  readonly kind: 'list'
  readonly item: I
  readonly countMin: number
  readonly countMax: number
}
export interface RecordOption<K extends Keys = Keys> {
  readonly kind: 'record'
  readonly keys: K
  /** A plain text stands for a record that has only this key. */
  readonly shorthand?: string
}
/** A description that contains itself; its value type is stated by hand. */
export interface LazyOption<T = unknown> {
  readonly kind: 'lazy'
  /** Name of the shared definition in the JSON Schema. */
  readonly name: string
  readonly get: () => RecordOption
  readonly type?: T
}
export type Option =
  | TextOption
  | IntegerOption
  | BooleanOption
  | ChoiceOption
  | DurationOption
  | SizeOption
  | ListOption
  | RecordOption
  | LazyOption

/** One key of a record. `defaultText` is written as a user would write it in YAML and is validated like user input. */
export interface Key<O extends Option = Option, P extends Presence = Presence> {
  readonly option: O
  readonly presence: P
  readonly doc: string
  readonly defaultText?: string
}
export type Presence = 'required' | 'optional' | 'default'
export type Keys = Readonly<Record<string, Key>>

// ── From a description to the type of its value ──────────────────────────────────────────────────────────────────────

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S
type ValueName<S extends string, O> = O extends DurationOption
  ? `${Camel<S>}Ms`
  : O extends SizeOption
    ? `${Camel<S>}Bytes`
    : Camel<S>

export type OptionValue<O> = O extends { readonly kind: 'lazy'; readonly type?: infer T }
  ? T
  : O extends TextOption
    ? string
    : O extends IntegerOption | DurationOption | SizeOption
      ? number
      : O extends BooleanOption
        ? boolean
        : O extends ChoiceOption<infer T>
          ? T
          : O extends ListOption<infer I>
            ? readonly OptionValue<I>[]
            : O extends RecordOption<infer K>
              ? RecordValue<K>
              : never

export type RecordValue<K extends Keys> = {
  readonly [Name in keyof K & string as ValueName<Name, K[Name]['option']>]: K[Name]['presence'] extends 'optional'
    ? OptionValue<K[Name]['option']> | undefined
    : OptionValue<K[Name]['option']>
}

/** The name a validated value has in code. */
export function valueName(key: string, option: Option): string {
  const camel = key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  if (option.kind === 'duration') return `${camel}Ms`
  if (option.kind === 'size') return `${camel}Bytes`
  return camel
}

// ── Writing descriptions ─────────────────────────────────────────────────────────────────────────────────────────────

export const text = (limits: Omit<TextOption, 'kind' | 'type'> = {}): TextOption => ({ kind: 'text', ...limits })
export const integer = (min: number, max: number): IntegerOption => ({ kind: 'integer', min, max })
export const boolean: BooleanOption = { kind: 'boolean' }
export const choice = <const T extends string>(...values: readonly T[]): ChoiceOption<T> => ({ kind: 'choice', values })
export const duration = (minMs: number, maxMs: number): DurationOption => ({ kind: 'duration', minMs, maxMs })
export const size = (minBytes: number, maxBytes: number): SizeOption => ({ kind: 'size', minBytes, maxBytes })
export const list = <I extends Option>(item: I, countMin: number, countMax: number): ListOption<I> => ({
  kind: 'list',
  item,
  countMin,
  countMax,
})
export const record = <K extends Keys>(keys: K, shorthand?: string): RecordOption<K> =>
  shorthand === undefined ? { kind: 'record', keys } : { kind: 'record', keys, shorthand }

export const required = <O extends Option>(option: O, doc: string): Key<O, 'required'> => ({
  option,
  presence: 'required',
  doc,
})
/** May be left out, and is then undefined. */
export const optional = <O extends Option>(option: O, doc: string): Key<O, 'optional'> => ({
  option,
  presence: 'optional',
  doc,
})
export const withDefault = <O extends Option>(option: O, defaultText: string, doc: string): Key<O, 'default'> => ({
  option,
  presence: 'default',
  defaultText,
  doc,
})
