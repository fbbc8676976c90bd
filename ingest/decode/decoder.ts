/** What every value decoder is to the builder that drives it. */
import type { ColumnBuilder } from '../columns/builders.ts'

export interface ValueDecoder {
  /**
   * Decodes bytes[start, end) as one row: pushes exactly one slot to every column it was made for.
   *
   * returns 0, or the number of a reject code (reject.ts); then the columns may hold part of a row, which the caller rolls
   *         back. Never throws on any bytes, except `exhausted` for a record beyond what columns can hold.
   */
  decode(bytes: Uint8Array, start: number, end: number): number
  /** After a rejection: the path of the field, empty for the whole value. */
  readonly rejectPath: string
}

/** Nesting of values in one record: beyond it the record is rejected rather than the stack exhausted. */
export const nestingDepthMax = 128

export type DecoderColumns = readonly ColumnBuilder[]
