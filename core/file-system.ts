import type { Dir, Dirent, Stats } from 'node:fs'
import {
  type FileHandle,
  link,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  unlink,
  writeFile,
} from 'node:fs/promises'

/** The file system calls that Floe makes, as a parameter; the signatures are those of node:fs/promises. */
export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<FileHandle>
  readFile(path: string): Promise<Buffer>
  writeFile(path: string, bytes: Uint8Array | string): Promise<void>
  /** Creates `to` as another name of `from`; fails with EEXIST when `to` exists. */
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  removeTree(path: string): Promise<void>
  makeDirectories(path: string): Promise<void>
  stat(path: string): Promise<Stats>
  readDirectory(path: string): Promise<Dirent[]>
  openDirectory(path: string): Promise<Dir>
  freeBytes(path: string): Promise<number>
}

export const nodeFileSystem: FileSystem = {
  open,
  readFile: path => readFile(path),
  writeFile,
  link,
  rename,
  unlink,
  rmdir,
  removeTree: path => rm(path, { recursive: true, force: true }),
  makeDirectories: async path => {
    await mkdir(path, { recursive: true })
  },
  stat: path => stat(path),
  readDirectory: path => readdir(path, { withFileTypes: true }),
  openDirectory: path => opendir(path),
  freeBytes: async path => {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  },
}
