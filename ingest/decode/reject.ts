/**
 * Why a record cannot become a row. Decoders return the small number, dead letters carry the text; both are fixed for good,
 * because dead-letter files keep them.
 */
export const rejectCodes = [
  'none',
  'malformed-json',
  'malformed-avro',
  'malformed-protobuf',
  'truncated',
  'trailing-bytes',
  'null-value',
  'invalid-utf8',
  'missing-required-field',
  'type-mismatch',
  'out-of-range',
  'nesting-too-deep',
  'schema-id-mismatch',
  'record-too-large',
  'unreadable-batch',
] as const

export type RejectCode = Exclude<(typeof rejectCodes)[number], 'none'>

/** Numbers of the codes: what decoders return. `ok` is 0, so that a decoder's result can be tested for truth. */
export const reject = {
  ok: 0,
  malformedJson: 1,
  malformedAvro: 2,
  malformedProtobuf: 3,
  truncated: 4,
  trailingBytes: 5,
  nullValue: 6,
  invalidUtf8: 7,
  missingRequiredField: 8,
  typeMismatch: 9,
  outOfRange: 10,
  nestingTooDeep: 11,
  schemaIdMismatch: 12,
  recordTooLarge: 13,
  /** Of whole record batches (worker/unreadable-batch.ts): no decoder returns it. */
  unreadableBatch: 14,
} as const

const sentences: Record<RejectCode, string> = {
  'malformed-json': 'the value is not well-formed JSON',
  'malformed-avro': 'the value is not Avro data of the writer schema',
  'malformed-protobuf': 'the value is not a Protobuf message of the schema',
  truncated: 'the value ends too early',
  'trailing-bytes': 'bytes are left after the value',
  'null-value': 'the record has no value (a tombstone)',
  'invalid-utf8': 'text is not valid UTF-8',
  'missing-required-field': 'a required field is missing or null',
  'type-mismatch': 'the value does not have the type of the column',
  'out-of-range': 'the value does not fit the column',
  'nesting-too-deep': 'values are nested too deeply',
  'schema-id-mismatch': 'the value does not begin with the schema registry frame',
  'record-too-large': 'the value is larger than a row may be',
  'unreadable-batch': 'the record batch cannot be read',
}

/** Code of a decoder's nonzero result. */
export function rejectCodeOf(result: number): RejectCode {
  const code = rejectCodes[result]
  if (code === undefined || code === 'none') throw new RangeError(`no reject code has number ${result}`)
  return code
}

/** One sentence; `path` names the field, empty for the whole record. */
export function describeReject(code: RejectCode, path: string): string {
  return path === '' ? sentences[code] : `field "${path}": ${sentences[code]}`
}
