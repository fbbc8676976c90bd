/** The inside of a builder thread: keeps builders and answers requests. Knows nothing of threads, so a test can host it. */

import { errorMessage, FloeError } from '../../core/errors.ts'
import { releaseMemory } from '../../core/release-memory.ts'
import type { ThreadPort } from '../../core/threads.ts'
import type { BuiltFiles } from './builder-types.ts'
import { listOwnedBuffers, type PostedError, type WorkerRequest, type WorkerResponse } from './messages.ts'
import { TableFileBuilder } from './table-file-builder.ts'

export function hostBuilders(port: ThreadPort): void {
  const builders = new Map<number, TableFileBuilder>()

  const answer = (message: WorkerRequest): void => {
    const { request } = message
    const respond = (response: WorkerResponse, transfer: readonly ArrayBuffer[] = []): void =>
      port.post(response, transfer)
    try {
      switch (message.kind) {
        case 'create':
          builders.set(message.builder, new TableFileBuilder(message.config))
          respond({ request, kind: 'done' })
          return
        case 'append':
          respond({ request, kind: 'appended', result: find(message.builder).append(message.input) })
          releaseMemory(message.input.batches)
          return
        case 'finish': {
          const built = packChunks(find(message.builder).finish())
          const chunks = [...built.files.flatMap(file => file.chunks), ...(built.deadLetters?.chunks ?? [])]
          respond({ request, kind: 'finished', built }, listOwnedBuffers(chunks))
          return
        }
        case 'discard':
          builders.delete(message.builder)
          respond({ request, kind: 'done' })
          return
      }
    } catch (error) {
      respond({ request, kind: 'failed', error: postError(error) })
    }
  }

  const find = (builder: number): TableFileBuilder => {
    const found = builders.get(builder)
    if (found === undefined) throw new FloeError('internal', 'builder-unknown', `there is no builder ${builder}`)
    return found
  }

  port.onMessage(message => answer(message as WorkerRequest))
}

/** Pages are many and small; a few large chunks cross over faster. */
const packedBytesMax = 1024 * 1024

function packChunks(built: BuiltFiles): BuiltFiles {
  return {
    ...built,
    files: built.files.map(file => ({ ...file, chunks: pack(file.chunks) })),
    deadLetters:
      built.deadLetters === undefined ? undefined : { ...built.deadLetters, chunks: pack(built.deadLetters.chunks) },
  }
}

function pack(chunks: readonly Uint8Array[]): Uint8Array[] {
  const packed: Uint8Array[] = []
  let group: Uint8Array[] = []
  let groupBytes = 0
  const flush = (): void => {
    if (groupBytes === 0) return
    const bytes = new Uint8Array(groupBytes)
    let at = 0
    for (const chunk of group) {
      bytes.set(chunk, at)
      at += chunk.length
      releaseMemory(chunk)
    }
    packed.push(bytes)
    group = []
    groupBytes = 0
  }
  for (const chunk of chunks) {
    if (groupBytes + chunk.length > packedBytesMax) flush()
    group.push(chunk)
    groupBytes += chunk.length
  }
  flush()
  return packed
}

function postError(error: unknown): PostedError {
  const message = errorMessage(error)
  if (!(error instanceof FloeError)) return { errorKind: 'internal', code: 'builder-failed', message, context: {} }
  return { errorKind: error.kind, code: error.code, message, context: error.context }
}
