/**
 * From columns as written to columns as meant: types understood, ids complete and unique.
 *
 * FieldConfig has the very shape of Field in table/types.ts and can be used as one; it is declared again here because
 * configuration imports nothing of the table model.
 *
 * Ids left out are numbered depth first (a field, then what it holds), starting after the largest id given, so that the same file
 * always gives the same ids and adding a column at the end never renumbers others.
 */
import type { FieldInput, TypeInput } from './field-options.ts'
import { configLimits, provenanceColumnName } from './limits.ts'
import { findNearest } from './problems.ts'
import { quote } from './units.ts'

export const primitiveNames = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'timestamp',
  'timestamptz',
  'string',
  'binary',
] as const
export type PrimitiveName = (typeof primitiveNames)[number]

export type PrimitiveTypeConfig =
  | { readonly kind: 'primitive'; readonly name: PrimitiveName }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
export type FieldTypeConfig =
  | PrimitiveTypeConfig
  | { readonly kind: 'struct'; readonly fields: readonly FieldConfig[] }
  | {
      readonly kind: 'list'
      readonly elementId: number
      readonly elementRequired: boolean
      readonly element: FieldTypeConfig
    }
  | {
      readonly kind: 'map'
      readonly keyId: number
      readonly key: PrimitiveTypeConfig
      readonly valueId: number
      readonly valueRequired: boolean
      readonly value: FieldTypeConfig
    }
export interface FieldConfig {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: FieldTypeConfig
  readonly doc?: string
}

export type Report = (path: string, message: string) => void

/** What other systems call our types. */
const typeSynonyms: Readonly<Record<string, string>> = {
  bool: 'boolean',
  integer: 'int',
  int32: 'int',
  int64: 'long',
  bigint: 'long',
  number: 'double',
  float32: 'float',
  float64: 'double',
  real: 'float',
  text: 'string',
  varchar: 'string',
  uuid: 'string',
  bytes: 'binary',
  varbinary: 'binary',
  datetime: 'timestamptz',
  array: 'list',
  object: 'struct',
  record: 'struct',
  row: 'struct',
  numeric: 'decimal(38,10)',
}
const nestedNames = ['struct', 'list', 'map'] as const
/** Keys that only some types take. */
const typeKeysOf: Readonly<Record<string, readonly string[]>> = {
  struct: ['fields'],
  list: ['element'],
  map: ['key', 'value'],
  decimal: ['precision', 'scale'],
}

/** The columns, or undefined after reporting every mistake. `path` is that of the list. */
export function readFields(inputs: readonly FieldInput[], path: string, report: Report): FieldConfig[] | undefined {
  const reader = new FieldReader(report)
  const fields = reader.readAll(inputs, path)
  for (const [index, input] of inputs.entries()) {
    if (input.name.toLowerCase() === provenanceColumnName) {
      report(
        `${path}[${index}].name`,
        `\`${provenanceColumnName}\` is the column Floe adds to every table: choose another name`,
      )
      reader.mistakeCount++
    }
  }
  return reader.mistakeCount === 0 ? fields : undefined
}

class FieldReader {
  mistakeCount = 0
  readonly #report: Report
  readonly #pathOfId = new Map<number, string>()
  #fieldCount = 0
  #lastId = 0

  constructor(report: Report) {
    this.#report = (path, message) => {
      this.mistakeCount++
      report(path, message)
    }
  }

  readAll(inputs: readonly FieldInput[], path: string): FieldConfig[] {
    for (const [index, input] of inputs.entries()) this.#collectIds(input, `${path}[${index}]`, 1)
    if (this.#fieldCount > configLimits.fieldsPerTableMax) {
      this.#report(
        path,
        `has ${this.#fieldCount} fields with the nested ones; at most ${configLimits.fieldsPerTableMax} are served`,
      )
      return []
    }
    return this.#readStruct(inputs, path)
  }

  #collectIds(input: TypeInput, path: string, depth: number): void {
    this.#fieldCount++
    if (input.id !== undefined) {
      const other = this.#pathOfId.get(input.id)
      if (other !== undefined) this.#report(`${path}.id`, `id ${input.id} is already used by ${other}`)
      else this.#pathOfId.set(input.id, path)
      this.#lastId = Math.max(this.#lastId, input.id)
    }
    if (depth === configLimits.fieldDepthMax + 1) {
      this.#report(path, `is nested deeper than ${configLimits.fieldDepthMax} levels`)
      return
    }
    for (const [index, field] of (input.fields ?? []).entries()) {
      this.#collectIds(field, `${path}.fields[${index}]`, depth + 1)
    }
    for (const key of ['element', 'key', 'value'] as const) {
      const nested = input[key]
      if (nested !== undefined) this.#collectIds(nested, `${path}.${key}`, depth + 1)
    }
  }

  #readStruct(inputs: readonly FieldInput[], path: string): FieldConfig[] {
    const seen = new Map<string, string>()
    return inputs.map((input, index) => {
      const at = `${path}[${index}]`
      const other = seen.get(input.name.toLowerCase())
      if (other !== undefined) {
        const same =
          other === input.name ? 'stands here a second time' : `differs from \`${other}\` only in upper and lower case`
        this.#report(`${at}.name`, `the column \`${input.name}\` ${same}; many readers ignore case`)
      }
      seen.set(input.name.toLowerCase(), input.name)
      const id = this.#takeId(input)
      const type = this.#readType(input, at)
      const field = { id, name: input.name, required: input.required, type }
      return input.doc === undefined ? field : { ...field, doc: input.doc }
    })
  }

  #takeId(input: TypeInput): number {
    if (input.id !== undefined) return input.id
    this.#lastId++
    return this.#lastId
  }

  #readType(input: TypeInput, path: string): FieldTypeConfig {
    const decimal = /^decimal\s*\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(input.type)
    const base = decimal === null ? input.type : 'decimal'
    const fallback: FieldTypeConfig = { kind: 'primitive', name: 'string' }
    for (const [owner, keys] of Object.entries(typeKeysOf)) {
      if (owner === base) continue
      for (const key of keys) {
        if (input[key as keyof TypeInput] === undefined) continue
        this.#report(`${path}.${key}`, `belongs to the type ${owner}, and the type here is ${quote(input.type)}`)
      }
    }
    const name = primitiveNames.find(known => known === base)
    if (name !== undefined) return { kind: 'primitive', name }
    switch (base) {
      case 'decimal':
        return this.#readDecimal(input, decimal, path)
      case 'struct':
        if (input.fields === undefined) {
          this.#report(path, 'a struct needs `fields`')
          return fallback
        }
        return { kind: 'struct', fields: this.#readStruct(input.fields, `${path}.fields`) }
      case 'list': {
        if (input.element === undefined) {
          this.#report(path, 'a list needs `element`, for example `element: string`')
          return fallback
        }
        const elementId = this.#takeId(input.element)
        const element = this.#readType(input.element, `${path}.element`)
        return { kind: 'list', elementId, elementRequired: input.element.required, element }
      }
      case 'map':
        return this.#readMap(input, path)
      default: {
        const known = [...primitiveNames, ...nestedNames, 'decimal(p,s)']
        const lower = input.type.toLowerCase()
        const meant = Object.hasOwn(typeSynonyms, lower) ? typeSynonyms[lower] : findNearest(input.type, known)
        const hint = meant === undefined ? `: use ${known.join(', ')}` : `; did you mean \`${meant}\`?`
        this.#report(`${path}.type`, `unknown type ${quote(input.type)}${hint}`)
        return fallback
      }
    }
  }

  #readDecimal(input: TypeInput, written: RegExpExecArray | null, path: string): FieldTypeConfig {
    if (written !== null && (input.precision !== undefined || input.scale !== undefined)) {
      this.#report(path, 'says precision and scale twice: keep `decimal(p,s)` and remove `precision` and `scale`')
    }
    const precision = written === null ? input.precision : Number(written[1])
    const scale = written === null ? (input.scale ?? 0) : Number(written[2])
    if (precision === undefined) {
      this.#report(`${path}.type`, 'a decimal needs its precision and scale: write `decimal(10,2)`')
      return { kind: 'decimal', precision: 38, scale: 0 }
    }
    if (precision < 1 || precision > 38)
      this.#report(`${path}.type`, `decimal precision must lie between 1 and 38, is ${precision}`)
    else if (scale > precision)
      this.#report(`${path}.type`, `decimal scale ${scale} is larger than the precision ${precision}`)
    return { kind: 'decimal', precision, scale }
  }

  #readMap(input: TypeInput, path: string): FieldTypeConfig {
    if (input.value === undefined) {
      this.#report(path, 'a map needs `value`, for example `value: long`')
      return { kind: 'primitive', name: 'string' }
    }
    if (input.key !== undefined && input.key.type !== 'string') {
      this.#report(`${path}.key`, `map keys must be string, not ${quote(input.key.type)}`)
    }
    const keyId = this.#takeId(input.key ?? absentKey)
    const valueId = this.#takeId(input.value)
    const value = this.#readType(input.value, `${path}.value`)
    return {
      kind: 'map',
      keyId,
      key: { kind: 'primitive', name: 'string' },
      valueId,
      valueRequired: input.value.required,
      value,
    }
  }
}

const absentKey: TypeInput = {
  type: 'string',
  id: undefined,
  required: true,
  fields: undefined,
  element: undefined,
  key: undefined,
  value: undefined,
  precision: undefined,
  scale: undefined,
}
