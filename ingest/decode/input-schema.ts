/**
 * Columns derived from a schema in the source's own language: .avsc, .proto text, or JSON Schema. Ids are given depth first from
 * 1 in declaration order (a field, then what it holds), so the same text always gives the same columns.
 *
 * source  docs/types.md, type mapping version 1
 */
import { FloeError } from '../../core/errors.ts'
import type { Field } from '../../table/types.ts'
import { deriveFromAvro } from './derive-avro.ts'
import { deriveFromJsonSchema } from './derive-json-schema.ts'
import { deriveFromProto } from './derive-proto.ts'

/** Structs, lists and maps inside each other; recursive types end here with an error. */
export const derivedDepthMax = 16

/**
 * messageName  for Protobuf: full or short; undefined takes the first message
 * errors       invalid, with the place in the text: it cannot be parsed, or holds something that no column can
 */
export function deriveSchema(
  format: 'json' | 'avro' | 'protobuf',
  text: string,
  messageName: string | undefined,
): readonly Field[] {
  switch (format) {
    case 'json':
      return deriveFromJsonSchema(text)
    case 'avro':
      return deriveFromAvro(text)
    case 'protobuf':
      return deriveFromProto(text, messageName)
  }
}

/** Field ids from 1 up, in the order they are asked for. */
export class IdCounter {
  #lastId = 0

  next(): number {
    return ++this.#lastId
  }
}

export function refuseType(path: string, problem: string): FloeError {
  const place = path === '' ? '' : ` at ${path}`
  return new FloeError('invalid', 'input-schema-unsupported', `input_schema${place}: ${problem}`, { path })
}
