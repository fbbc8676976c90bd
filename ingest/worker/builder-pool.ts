/**
 * How the ingest loop gets at builders, wherever they run. The worker-thread pool (worker-pool.ts) and the inline one below
 * keep the same contract.
 */

import type { AppendInput, AppendResult, BuiltFiles, TableFileBuilderConfig } from './builder-types.ts'
import { TableFileBuilder } from './table-file-builder.ts'

/** One builder. Calls are made one after the other, each after the one before has settled. */
export interface AsyncTableFileBuilder {
  /** `input.batches` may be transferred to another thread: the caller must not use its memory afterwards. */
  append(input: AppendInput): Promise<AppendResult>
  /** The builder is empty afterwards and can be used again. */
  finish(): Promise<BuiltFiles>
  /** Throws away what it holds and frees it; no call may follow. */
  discard(): Promise<void>
}

export interface BuilderPool {
  /** How many builders work at the same time. */
  readonly workerCount: number
  createBuilder(config: TableFileBuilderConfig): AsyncTableFileBuilder
  close(): Promise<void>
}

/** Builders on the calling thread: no threads, no copies, and no parallel work. */
export function createInlinePool(): BuilderPool {
  return {
    workerCount: 1,
    createBuilder: config => {
      const builder = new TableFileBuilder(config)
      return {
        append: async input => builder.append(input),
        finish: async () => builder.finish(),
        discard: async () => {
          builder.reset()
        },
      }
    },
    close: async () => {},
  }
}
