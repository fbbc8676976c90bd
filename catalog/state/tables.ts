/** Tables by id and by name. */
import { formatUuid } from '../../core/random.ts'
import type { Schema } from '../../table/types.ts'
import type { TableDefinition } from '../client.ts'
import type { SnapshotReader } from '../snapshot/snapshot-reader.ts'
import type { SnapshotWriter } from '../snapshot/snapshot-writer.ts'
import { parseTableDefinition } from '../table-definition-codec.ts'
import { ClosedGenerations } from './closed-generations.ts'
import { DeadLetterFiles } from './dead-letter-files.ts'
import type { FileBlock } from './file-block.ts'
import { SourceAccounts } from './source-accounts.ts'
import { TableFiles } from './table-files.ts'
import { TableVersions } from './table-versions.ts'
import { decodeDetailPages, UnblockedFiles } from './unblocked-files.ts'

const sectionId = 8
/**
 * 1: as written before source partitions had generations. 2: tables have those that are over, after the accounts. 3: data files lie in
 * blocks (unblocked-files.ts tells how they lay before).
 */
const sectionVersions = { withoutGenerations: 1, withGenerations: 2, withBlocks: 3 } as const

export class TableState {
  readonly tableId: number
  readonly uuidBytes: Uint8Array
  readonly tableUuid: string
  readonly createdMs: number
  definition: TableDefinition
  /** The definition as it came, JSON text. */
  definitionText: string
  schemas: readonly Schema[]
  stopped = false
  stoppedReason: string | undefined
  rowCount = 0
  fileBytes = 0
  deadLetterCount = 0
  fileSequence = 0
  files = new TableFiles()
  deadLetters = new DeadLetterFiles()
  accounts = new SourceAccounts()
  generations = new ClosedGenerations()
  versions = new TableVersions()

  constructor(tableId: number, uuidBytes: Uint8Array, createdMs: number, definitionText: string) {
    this.tableId = tableId
    this.uuidBytes = new Uint8Array(uuidBytes)
    this.tableUuid = formatUuid(uuidBytes)
    this.createdMs = createdMs
    this.definitionText = definitionText
    this.definition = parseTableDefinition(definitionText)
    this.schemas = [this.definition.schema]
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(this.tableId)
    scalars.raw(this.uuidBytes)
    scalars.uvarint(this.createdMs)
    scalars.sizedString(this.definitionText)
    scalars.bool(this.stopped)
    scalars.sizedString(this.stoppedReason ?? '')
    scalars.uvarint(this.rowCount)
    scalars.uvarint(this.fileBytes)
    scalars.uvarint(this.deadLetterCount)
    scalars.uvarint(this.fileSequence)
    this.files.encode(writer)
    this.deadLetters.encode(writer)
    this.accounts.encode(writer)
    this.generations.encode(writer)
    this.versions.encode(writer)
  }

  /** `unblocked` takes the data files of versions before blocks: their details come later. */
  static decode(
    reader: SnapshotReader,
    version: number,
    onUnpacked: (block: FileBlock) => void,
    unblocked: Map<TableState, UnblockedFiles>,
  ): TableState {
    const table = new TableState(reader.uvarint(), reader.bytes(16), reader.uvarint(), reader.sizedString())
    table.stopped = reader.bool()
    const reason = reader.sizedString()
    table.stoppedReason = reason === '' ? undefined : reason
    table.rowCount = reader.uvarint()
    table.fileBytes = reader.uvarint()
    table.deadLetterCount = reader.uvarint()
    table.fileSequence = reader.uvarint()
    if (version >= sectionVersions.withBlocks) table.files = TableFiles.decode(reader, onUnpacked)
    else unblocked.set(table, new UnblockedFiles(reader))
    table.deadLetters = DeadLetterFiles.decode(reader)
    table.accounts = SourceAccounts.decode(reader)
    if (version >= sectionVersions.withGenerations) table.generations = ClosedGenerations.decode(reader)
    table.versions = TableVersions.decode(reader)
    return table
  }
}

export class Tables {
  /** Full blocks of data files that nobody has packed yet, oldest first. */
  readonly unpackedBlocks: FileBlock[] = []
  /** Ids count from 1; 0 means no table. */
  #nextId = 1
  readonly #byId = new Map<number, TableState>()
  readonly #byName = new Map<string, TableState>()

  get count(): number {
    return this.#byId.size
  }
  all(): Iterable<TableState> {
    return this.#byId.values()
  }
  byId(tableId: number): TableState | undefined {
    return this.#byId.get(tableId)
  }
  byName(name: string): TableState | undefined {
    return this.#byName.get(name)
  }

  create(uuidBytes: Uint8Array, createdMs: number, definitionText: string): TableState {
    const table = new TableState(this.#nextId, uuidBytes, createdMs, definitionText)
    this.#nextId++
    this.#add(table)
    return table
  }

  #add(table: TableState): void {
    this.#byId.set(table.tableId, table)
    this.#byName.set(table.definition.name, table)
  }

  encode(writer: SnapshotWriter): void {
    const { scalars } = writer
    scalars.uvarint(sectionId)
    scalars.uvarint(sectionVersions.withBlocks)
    scalars.uvarint(this.#nextId)
    scalars.uvarint(this.#byId.size)
    for (const table of this.#byId.values()) table.encode(writer)
  }

  static decode(reader: SnapshotReader): Tables {
    const version = reader.section(sectionId, sectionVersions.withBlocks, sectionVersions.withoutGenerations)
    const tables = new Tables()
    const onUnpacked = (block: FileBlock): void => {
      tables.unpackedBlocks.push(block)
    }
    const unblocked = new Map<TableState, UnblockedFiles>()
    tables.#nextId = reader.uvarint()
    const count = reader.count(30)
    for (let index = 0; index < count; index++) {
      tables.#add(TableState.decode(reader, version, onUnpacked, unblocked))
    }
    if (version < sectionVersions.withBlocks) {
      const pages = decodeDetailPages(reader)
      for (const [table, files] of unblocked) table.files = files.toBlocks(pages, onUnpacked)
    }
    return tables
  }
}
