/**
 * The distinct values of one column chunk and their indices. Open addressing over typed arrays; values are kept in the form
 * that the dictionary page has.
 */
import { PageBuffer } from './page-buffer.ts'

/** A dictionary that would grow beyond this is given up: the values repeat too little. */
export const dictionaryCountMax = 65_536
export const dictionaryBytesMax = 1024 * 1024
/** Returned instead of an index when the dictionary is full. */
export const dictionaryFull = -1

const multiplier = 0x9e3779b1 | 0
/** Values made to collide end the dictionary instead of slowing it down; honest ones never come near. */
const probesMax = 256

abstract class HashIndex {
  count = 0
  /** Index + 1 by slot; 0 free. */
  protected slots = new Int32Array(256)
  protected hashes = new Int32Array(128)

  protected add(slot: number, hash: number): number {
    const index = this.count++
    this.slots[slot] = index + 1
    if (index === this.hashes.length) {
      const grown = new Int32Array(index * 2)
      grown.set(this.hashes)
      this.hashes = grown
    }
    this.hashes[index] = hash
    if (this.count * 2 > this.slots.length) this.#rehash()
    return index
  }

  #rehash(): void {
    const slots = new Int32Array(this.slots.length * 2)
    const mask = slots.length - 1
    for (let index = 0; index < this.count; index++) {
      let slot = this.hashes[index]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = index + 1
    }
    this.slots = slots
  }
}

/** Fixed-width values of `width` 32-bit words. */
export class WordDictionary extends HashIndex {
  readonly width: number
  words = new Int32Array(256)

  constructor(width: number) {
    super()
    this.width = width
  }

  /** Index of the value at words[at, at + width), which is added if new; dictionaryFull when there is no room. */
  indexOf(words: Int32Array, at: number): number {
    const { width } = this
    let hash = 0
    for (let word = 0; word < width; word++) {
      hash = Math.imul(hash ^ words[at + word]!, multiplier)
      hash ^= hash >>> 15
    }
    const mask = this.slots.length - 1
    for (let slot = hash & mask, probes = 0; probes < probesMax; slot = (slot + 1) & mask, probes++) {
      const index = this.slots[slot]! - 1
      if (index < 0) return this.#addWords(words, at, slot, hash)
      const entry = index * width
      let word = 0
      while (word < width && this.words[entry + word] === words[at + word]) word++
      if (word === width) return index
    }
    return dictionaryFull
  }

  #addWords(words: Int32Array, at: number, slot: number, hash: number): number {
    if (this.count === dictionaryCountMax) return dictionaryFull
    const entry = this.count * this.width
    if (entry + this.width > this.words.length) {
      const grown = new Int32Array(this.words.length * 2)
      grown.set(this.words)
      this.words = grown
    }
    for (let word = 0; word < this.width; word++) this.words[entry + word] = words[at + word]!
    return this.add(slot, hash)
  }
}

/** Values of any length, kept with their length in front: Parquet's plain form. */
export class BytesDictionary extends HashIndex {
  readonly content = new PageBuffer(1024)
  #offsets = new Int32Array(256)

  /** Index of the value whose length and bytes stand at bytes[start, end). */
  indexOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    // The length in front makes four bytes at least, so the last word may overlap the one before.
    const last = end - 4
    let hash = 0
    for (let at = start; at < last; at += 4) {
      hash = Math.imul(hash ^ view.getInt32(at, true), multiplier)
      hash ^= hash >>> 15
    }
    hash = Math.imul(hash ^ view.getInt32(last, true), multiplier)
    hash ^= hash >>> 15
    const mask = this.slots.length - 1
    for (let slot = hash & mask, probes = 0; probes < probesMax; slot = (slot + 1) & mask, probes++) {
      const index = this.slots[slot]! - 1
      if (index < 0) return this.#addBytes(bytes, start, end, slot, hash)
      if (this.hashes[index] === hash && this.#isEqual(index, view, start, end)) return index
    }
    return dictionaryFull
  }

  #isEqual(index: number, view: DataView, start: number, end: number): boolean {
    const entry = this.#offsets[index]!
    const length = end - start
    if (this.#offsets[index + 1]! - entry !== length) return false
    const mine = this.content.view
    const last = length - 4
    for (let at = 0; at < last; at += 4) {
      if (mine.getInt32(entry + at, true) !== view.getInt32(start + at, true)) return false
    }
    return mine.getInt32(entry + last, true) === view.getInt32(start + last, true)
  }

  #addBytes(bytes: Uint8Array, start: number, end: number, slot: number, hash: number): number {
    if (this.count === dictionaryCountMax || this.content.length + end - start > dictionaryBytesMax) {
      return dictionaryFull
    }
    this.content.raw(bytes.subarray(start, end))
    if (this.count + 2 > this.#offsets.length) {
      const grown = new Int32Array(this.#offsets.length * 2)
      grown.set(this.#offsets)
      this.#offsets = grown
    }
    this.#offsets[this.count + 1] = this.content.length
    return this.add(slot, hash)
  }

  /** Where entry i starts; offsets[count] is the end. */
  get offsets(): Int32Array {
    return this.#offsets
  }
}
