import { constants, type Dir, type Dirent, type Stats } from 'node:fs'
import {
  type FileHandle,
  link,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  realpath,
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
  /** Flags as node:fs/promises takes them, or one of `openFlags`. */
  open(path: string, flags: string | number, mode?: number): Promise<FileHandle>
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
  /** The path with every symbolic link resolved. */
  realPath(path: string): Promise<string>
  readDirectory(path: string): Promise<Dirent[]>
  /** Entries in no order, a bounded number of them in memory at once. */
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
  realPath: path => realpath(path),
  readDirectory: path => readdir(path, { withFileTypes: true }),
  openDirectory: path => opendir(path, { bufferSize: 512 }),
  freeBytes: async path => {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  },
}

export const openFlags = {
  /** Fails with ELOOP when the last part of the path is a symbolic link. */
  readNoFollow: constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0),
  /** A new file; each write returns only when its bytes and the file's size are durable. */
  createDurable: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_DSYNC ?? constants.O_SYNC),
} as const
