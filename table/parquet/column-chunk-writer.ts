/**
 * One column chunk: a leaf's pages within one row group. Every appended batch becomes one data page (version 1), compressed at
 * once, so only compressed bytes are held.
 *
 *   data page   [repetition levels][definition levels][values], each level list as int32 length and RLE hybrid
 *   values      plain, or with a dictionary: bit width, then indices as RLE hybrid
 *   chunk       [dictionary page] data page …
 *
 * A dictionary is tried when a sample says values repeat; when it grows too large, further pages are plain.
 *
 * source  parquet-format, README "Data Pages"; parquet.thrift PageHeader, ColumnMetaData
 */
import type { SchemaLeaf } from '../schema.ts'
import { isWorthDictionary } from './cardinality.ts'
import { createChunkStatistics } from './chunk-statistics.ts'
import type { BytesColumn, ColumnBatch, PrimitiveColumn } from './column-data.ts'
import { BytesDictionary, dictionaryFull, WordDictionary } from './dictionary.ts'
import type { ParquetCodec } from './encoder.ts'
import { chunkField, columnField } from './footer.ts'
import type { LeafPath, Levels } from './levels.ts'
import { PageBuffer } from './page-buffer.ts'
import { codecIds, compressPage } from './page-compression.ts'
import { writePlain } from './plain.ts'
import { bitWidthOf, writeHybrid, writeRun } from './rle.ts'
import { fixedBytesOf, physicalTypeOf } from './schema-elements.ts'
import { LeafStatistics } from './statistics.ts'
import { ThriftStruct, thriftType, writeThriftStruct } from './thrift.ts'

const encoding = { plain: 0, rle: 3, rleDictionary: 8 } as const
const pageType = { data: 0, dictionary: 2 } as const

/** Shared by the chunks of all files: pages are built one at a time. */
const body = new PageBuffer()
let indices = new Int32Array(8192)
/** After a larger batch its indices are given back. */
const keptIndicesMax = 1024 * 1024

export interface FinishedChunk {
  readonly pages: readonly Uint8Array[]
  readonly compressedBytes: number
  /** ColumnChunk of the footer, for a chunk that starts at the given byte of the file. */
  readonly describe: (start: number) => ThriftStruct
  readonly statistics: LeafStatistics
}

export class ColumnChunkWriter {
  readonly #leaf: SchemaLeaf
  readonly #path: LeafPath
  readonly #names: readonly string[]
  readonly #codec: ParquetCodec
  readonly #statistics: LeafStatistics
  #dictionary: WordDictionary | BytesDictionary | undefined
  /** Whether pages still refer to the dictionary; undefined before the first batch. */
  #usesDictionary: boolean | undefined
  #pages: Uint8Array[] = []
  #valueCount = 0
  /** Of pages and headers. */
  compressedBytes = 0
  uncompressedBytes = 0

  constructor(leaf: SchemaLeaf, path: LeafPath, names: readonly string[], codec: ParquetCodec) {
    this.#leaf = leaf
    this.#path = path
    this.#names = names
    this.#codec = codec
    this.#statistics = new LeafStatistics(leaf)
  }

  append(batch: ColumnBatch): void {
    const column = this.#path.leafOf(batch.columns)
    const levels = this.#path.build(batch.columns, batch.rowCount)
    this.#usesDictionary ??= this.#startDictionary(column)
    const isIndexed = this.#usesDictionary && this.#indexValues(column)
    if (this.#usesDictionary && !isIndexed) this.#leaveDictionary()
    this.#statistics.count(column)
    // Text in a dictionary is bounded once per distinct value, in the end.
    if (!isIndexed || column.kind !== 'bytes') this.#statistics.bound(column)

    body.reset()
    if (this.#path.maxRepetition > 0) writeLevels(levels.repetitions, levels.count, this.#path.maxRepetition)
    if (this.#path.maxDefinition > 0) writeLevels(levels.definitions, levels.count, this.#path.maxDefinition)
    if (isIndexed) {
      const bitWidth = Math.max(1, bitWidthOf(Math.max(0, this.#dictionary!.count - 1)))
      body.uint8(bitWidth)
      writeHybrid(body, indices, column.length - column.nullCount, bitWidth)
    } else {
      const { type } = this.#leaf
      writePlain(body, column, type.kind === 'decimal' ? type.precision : 0, fixedBytesOf(type))
    }
    if (indices.length > keptIndicesMax) indices = new Int32Array(8192)
    this.#addDataPage(levels, isIndexed ? encoding.rleDictionary : encoding.plain)
  }

  #startDictionary(column: PrimitiveColumn): boolean {
    if (column.kind === 'boolean' || column.kind === 'decimal' || !isWorthDictionary(column)) return false
    if (column.kind === 'bytes') this.#dictionary = new BytesDictionary()
    else this.#dictionary = new WordDictionary(column.kind === 'int64' || column.kind === 'float64' ? 2 : 1)
    return true
  }

  /** Fills `indices`; false when the dictionary is full. */
  #indexValues(column: PrimitiveColumn): boolean {
    if (indices.length < column.length) indices = new Int32Array(column.length * 2)
    const dictionary = this.#dictionary
    if (dictionary instanceof BytesDictionary) return column.kind === 'bytes' && indexBytes(dictionary, column)
    switch (column.kind) {
      case 'int64':
        return indexWords(dictionary!, column.words, column)
      case 'int32':
      case 'float32':
      case 'float64':
        return indexWords(dictionary!, new Int32Array(column.values.buffer), column)
      default:
        return false
    }
  }

  #leaveDictionary(): void {
    this.#usesDictionary = false
    this.#boundDictionary()
  }

  #boundDictionary(): void {
    const dictionary = this.#dictionary
    if (!(dictionary instanceof BytesDictionary) || dictionary.count === 0) return
    this.#statistics.bound({
      kind: 'bytes',
      length: dictionary.count,
      nullCount: 0,
      validity: new Uint8Array(dictionary.count).fill(1),
      offsets: dictionary.offsets,
      bytes: dictionary.content.bytes,
      view: dictionary.content.view,
    })
  }

  #addDataPage(levels: Levels, valueEncoding: number): void {
    const header = new ThriftStruct()
      .setInt32(1, levels.count)
      .setInt32(2, valueEncoding)
      .setInt32(3, encoding.rle)
      .setInt32(4, encoding.rle)
    this.#valueCount += levels.count
    this.#pages.push(...this.#createPage(pageType.data, 5, header, body.content()))
  }

  /** Header and compressed body. */
  #createPage(type: number, member: number, header: ThriftStruct, content: Uint8Array): [Uint8Array, Uint8Array] {
    const compressed = compressPage(this.#codec, content)
    const pageHeader = new ThriftStruct()
      .setInt32(1, type)
      .setInt32(2, content.length)
      .setInt32(3, compressed.length)
      .setStruct(member, header)
    const headerBytes = writeThriftStruct(pageHeader)
    this.compressedBytes += headerBytes.length + compressed.length
    this.uncompressedBytes += headerBytes.length + content.length
    return [headerBytes, compressed]
  }

  #createDictionaryPage(): Uint8Array[] {
    const dictionary = this.#dictionary
    if (dictionary === undefined || dictionary.count === 0) return []
    const header = new ThriftStruct().setInt32(1, dictionary.count).setInt32(2, encoding.plain)
    const content =
      dictionary instanceof BytesDictionary
        ? dictionary.content.content()
        : new Uint8Array(dictionary.words.buffer, 0, dictionary.count * dictionary.width * 4)
    return this.#createPage(pageType.dictionary, 7, header, content)
  }

  finish(): FinishedChunk {
    if (this.#usesDictionary) this.#boundDictionary()
    const dictionaryPage = this.#createDictionaryPage()
    const dictionaryBytes = dictionaryPage.reduce((sum, part) => sum + part.length, 0)
    const { compressedBytes, uncompressedBytes } = this
    const valueCount = this.#valueCount
    const encodings: number[] = [encoding.plain, encoding.rle]
    if (dictionaryBytes > 0) encodings.push(encoding.rleDictionary)
    const describe = (start: number): ThriftStruct => {
      const metadata = new ThriftStruct()
        .setInt32(columnField.type, physicalTypeOf(this.#leaf.type))
        .setList(columnField.encodings, thriftType.i32, encodings)
        .setList(
          columnField.path,
          thriftType.binary,
          this.#names.map(name => new TextEncoder().encode(name)),
        )
        .setInt32(columnField.codec, codecIds[this.#codec])
        .setInt64(columnField.numValues, valueCount)
        .setInt64(columnField.uncompressedBytes, uncompressedBytes)
        .setInt64(columnField.compressedBytes, compressedBytes)
        .setInt64(columnField.dataPageOffset, start + dictionaryBytes)
        .setStruct(columnField.statistics, createChunkStatistics(this.#statistics))
      if (dictionaryBytes > 0) metadata.setInt64(columnField.dictionaryPageOffset, start)
      return new ThriftStruct().setInt64(chunkField.fileOffset, 0).setStruct(chunkField.metadata, metadata)
    }
    return { pages: [...dictionaryPage, ...this.#pages], compressedBytes, describe, statistics: this.#statistics }
  }
}

/** Into the page body: the length in bytes, then the levels. */
function writeLevels(levels: Uint8Array | undefined, count: number, max: number): void {
  const bitWidth = bitWidthOf(max)
  const lengthAt = body.length
  body.int32(0)
  if (levels === undefined) writeRun(body, max, count, bitWidth)
  else writeHybrid(body, levels, count, bitWidth)
  body.view.setInt32(lengthAt, body.length - lengthAt - 4, true)
}

function indexBytes(dictionary: BytesDictionary, column: BytesColumn): boolean {
  const { offsets, bytes, view, validity, length } = column
  let to = 0
  for (let at = 0; at < length; at++) {
    if (validity[at] === 0) continue
    const index = dictionary.indexOf(bytes, view, offsets[at]!, offsets[at + 1]!)
    if (index === dictionaryFull) return false
    indices[to++] = index
  }
  return true
}

function indexWords(dictionary: WordDictionary, words: Int32Array, { validity, length }: PrimitiveColumn): boolean {
  const { width } = dictionary
  let to = 0
  for (let at = 0; at < length; at++) {
    if (validity[at] === 0) continue
    const index = dictionary.indexOf(words, at * width)
    if (index === dictionaryFull) return false
    indices[to++] = index
  }
  return true
}
