/**
 * What the main thread and a builder thread say to each other. Requests of one builder are answered in order; a builder exists
 * from `create` to `discard`. Payloads change owner instead of being copied.
 */
import type { ErrorContext, ErrorKind } from '../../core/errors.ts'
import type { AppendInput, AppendResult, BuiltFiles, TableFileBuilderConfig } from './builder-types.ts'

export type WorkerRequest =
  | {
      readonly kind: 'create'
      readonly request: number
      readonly builder: number
      readonly config: TableFileBuilderConfig
    }
  | { readonly kind: 'append'; readonly request: number; readonly builder: number; readonly input: AppendInput }
  | { readonly kind: 'finish'; readonly request: number; readonly builder: number }
  | { readonly kind: 'discard'; readonly request: number; readonly builder: number }

export type WorkerResponse =
  | { readonly request: number; readonly kind: 'done' }
  | { readonly request: number; readonly kind: 'appended'; readonly result: AppendResult }
  | { readonly request: number; readonly kind: 'finished'; readonly built: BuiltFiles }
  | { readonly request: number; readonly kind: 'failed'; readonly error: PostedError }

/** Errors lose their class on the way: these are the parts of a FloeError. */
export interface PostedError {
  readonly errorKind: ErrorKind
  readonly code: string
  readonly message: string
  readonly context: ErrorContext
}

/** The memory of the bytes, to be handed over; only what nobody else can be looking at. */
export function listOwnedBuffers(chunks: readonly Uint8Array[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  for (const { buffer, byteLength } of chunks) {
    // Views of larger memory (pools, shared scratch) are copied by the clone.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength > 0) buffers.add(buffer)
  }
  return [...buffers]
}
