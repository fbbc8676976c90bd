/** Columns of a table, in the form of Iceberg's schemas. Read into FieldConfig by field-types.ts. */
import { configLimits } from './limits.ts'
import {
  boolean,
  integer,
  type LazyOption,
  list,
  optional,
  type RecordOption,
  record,
  required,
  text,
  withDefault,
} from './option.ts'

/** As written; `type` is not yet understood. */
export interface TypeInput {
  readonly type: string
  readonly id: number | undefined
  readonly required: boolean
  readonly fields: readonly FieldInput[] | undefined
  readonly element: TypeInput | undefined
  readonly key: TypeInput | undefined
  readonly value: TypeInput | undefined
  readonly precision: number | undefined
  readonly scale: number | undefined
}
export interface FieldInput extends TypeInput {
  readonly name: string
  readonly doc: string | undefined
}

const fieldRef: LazyOption<FieldInput> = { kind: 'lazy', name: 'field', get: () => fieldRecord }
const typeRef: LazyOption<TypeInput> = { kind: 'lazy', name: 'type', get: () => typeRecord }

const typeKeys = {
  type: required(
    text({ lengthMax: 100 }),
    '`boolean`, `int`, `long`, `float`, `double`, `decimal(p,s)`, `date`, `timestamp`, `timestamptz`, `string`, `binary`, `struct`, `list` or `map`.',
  ),
  id: optional(
    integer(1, configLimits.fieldIdMax),
    'Field id, unique in the table and never changed. Left out: numbered depth first after the largest id given.',
  ),
  required: withDefault(boolean, 'false', 'Whether every record has a value; one that has none becomes a dead letter.'),
  fields: optional(list(fieldRef, 1, configLimits.fieldsPerTableMax), 'Fields of a `struct`.'),
  element: optional(typeRef, 'Element of a `list`: a type name, or a group of `type`, `id`, `required` and so on.'),
  key: optional(typeRef, 'Key of a `map`; always `string`.'),
  value: optional(typeRef, 'Value of a `map`: like `element`.'),
  precision: optional(integer(1, 38), 'Digits of a `decimal`, where not written as `decimal(p,s)`.'),
  scale: optional(integer(0, 38), 'Digits after the point of a `decimal`.'),
} as const

const typeRecord: RecordOption = record(typeKeys, 'type')

export const fieldKeys = {
  name: required(
    text({
      lengthMax: configLimits.fieldNameLengthMax,
      // What Spark refuses in columns, the dot that separates path parts, and Spark's own quote (table/schema.ts).
      pattern: /^[^ ,;{}()=.`\p{Cc}\p{Cs}]+$/u,
      patternHint: 'a name without spaces, control characters and any of , ; { } ( ) = . `',
    }),
    'Column name; for JSON the key in the record, for Avro and Protobuf the field.',
  ),
  ...typeKeys,
  doc: optional(text({ lengthMax: 4096, mayBeEmpty: true }), 'Comment shown in the table.'),
} as const

const fieldRecord: RecordOption = record(fieldKeys)
export const fieldOption = fieldRef
