/**
 * Checks of rendered objects. The validators parse the bytes that are about to be published, and not what they were made from,
 * so a mistake anywhere in rendering stops a version before a reader can see it.
 */
import { FloeError } from '../../core/errors.ts'
import type { RenderedObject } from '../rendering.ts'

export class Checker {
  readonly object: string

  /** `object` is the path that errors name. */
  constructor(object: string) {
    this.object = object
  }

  fail(field: string, problem: string): never {
    throw new FloeError('internal', 'rendering-invalid', `${this.object}: ${field}: ${problem}`, {
      object: this.object,
      field,
    })
  }

  must(condition: boolean, field: string, problem: string): asserts condition {
    if (!condition) this.fail(field, problem)
  }

  equal(actual: unknown, expected: unknown, field: string): void {
    if (actual !== expected) this.fail(field, `is ${String(actual)} and must be ${String(expected)}`)
  }
}

/** Characters that no reader encodes differently from another: no `%`, space, colon or `=`. */
const safePath = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/

export function checkPath(checker: Checker, field: string, path: string): void {
  checker.must(
    safePath.test(path) && !path.includes('..'),
    field,
    `${JSON.stringify(path)} is not a safe relative path`,
  )
}

/** errors  internal: unsafe or repeated paths, or a mode that does not fit the name */
export function checkObjects(
  objects: readonly RenderedObject[],
  replaceable: readonly string[],
): Map<string, RenderedObject> {
  const byPath = new Map<string, RenderedObject>()
  for (const object of objects) {
    const checker: Checker = new Checker(object.path)
    checkPath(checker, 'path', object.path)
    checker.must(!byPath.has(object.path), 'path', 'is rendered twice')
    checker.equal(object.mode, replaceable.includes(object.path) ? 'replace' : 'create', 'mode')
    checker.must(object.bytes.length > 0, 'bytes', 'are empty')
    byPath.set(object.path, object)
  }
  return byPath
}
