/**
 * Lists a directory tree in key order, one bounded page at a time.
 *
 * Keys sort by their whole text, so a directory sorts as its name with `/` behind it: `a-b`, `a.c`, `a/x`, `a0`. The tree is
 * walked depth first in that order. Of a directory only the smallest `limit` names past the cursor are kept while its entries
 * stream by; memory is bounded by limit and depth, whatever the directory holds.
 */
import type { FileSystem } from '../core/file-system.ts'
import { errnoOf } from './file-errors.ts'
import { isKey } from './object-key.ts'

export interface ListRequest {
  readonly prefix: string
  readonly after: string | undefined
  /** How many keys to return at most. */
  readonly limit: number
  /** Top-level directory that is not part of the store. */
  readonly hidden: string
}

/** Keys of the regular files below `root`; symbolic links and names that are no keys are passed over. */
export async function listKeys(fileSystem: FileSystem, root: string, request: ListRequest): Promise<string[]> {
  const keys: string[] = []
  const base = request.prefix.slice(0, request.prefix.lastIndexOf('/') + 1)
  await walk(fileSystem, root, base, request, keys)
  return keys
}

/** `base` is the key of the directory with its trailing slash, or empty for the root. */
async function walk(
  fileSystem: FileSystem,
  root: string,
  base: string,
  request: ListRequest,
  keys: string[],
): Promise<void> {
  let cursor: string | undefined
  while (keys.length < request.limit) {
    const names = await readSmallestNames(fileSystem, root, base, request, cursor)
    for (const name of names) {
      if (name.endsWith('/')) await walk(fileSystem, root, base + name, request, keys)
      else keys.push(base + name)
      if (keys.length >= request.limit) return
    }
    if (names.length < request.limit) return
    cursor = names.at(-1)
  }
}

/** The smallest names past `cursor` that may lead to requested keys, in order; directories end in `/`. */
async function readSmallestNames(
  fileSystem: FileSystem,
  root: string,
  base: string,
  request: ListRequest,
  cursor: string | undefined,
): Promise<string[]> {
  let names: string[] = []
  let largest: string | undefined
  try {
    for await (const entry of await fileSystem.openDirectory(`${root}/${base}`)) {
      const name = entry.isDirectory() ? `${entry.name}/` : entry.isFile() ? entry.name : undefined
      if (name === undefined || (cursor !== undefined && name <= cursor)) continue
      if (largest !== undefined && name > largest) continue
      if (!mayLead(base + name, request)) continue
      names.push(name)
      if (names.length >= request.limit * 4) {
        names = names.sort(compareText).slice(0, request.limit)
        largest = names.at(-1)
      }
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error
  }
  return names.sort(compareText).slice(0, request.limit)
}

function mayLead(path: string, { prefix, after, hidden }: ListRequest): boolean {
  const directory = path.endsWith('/')
  if (directory ? path === hidden || !isKey(path.slice(0, -1)) : !isKey(path)) return false
  if (!path.startsWith(prefix) && !(directory && prefix.startsWith(path))) return false
  return after === undefined || path > after || (directory && after.startsWith(path))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
