/**
 * `floe verify TABLE`: proves from the Parquet files themselves that every committed offset of every source partition is in
 * the table once, or is accounted for as filtered, rejected, control or gap; of every generation of the partition, if it had
 * several.
 *
 * It takes one consistent cut of the catalog (files and accounts), reads the provenance columns of every live data file and
 * the offsets of every dead letter file, and compares. Memory is bounded by `offsetsPerPassMax` bits; a larger table is read
 * in several passes over slices of its offsets.
 */
import type { CatalogClient, ClosedGeneration, SourceCoverage, Table, TableFile } from '../../catalog/client.ts'
import { tableFolder } from '../../catalog/object-names.ts'
import { errorMessage, FloeError, isFloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { OffsetLedger, type OffsetRange } from './offset-ledger.ts'
import { readOffsets } from './read-offsets.ts'
import { GenerationSlots, listGenerations, type VerifiedGeneration } from './verified-generations.ts'

/** One generation of a source partition. */
export interface VerifiedPartition {
  readonly partition: number
  /** Counts from 1. */
  readonly generation: number
  /** Undefined when the cluster has none. */
  readonly topicId: string | undefined
  readonly start: bigint
  readonly end: bigint
  /** Distinct offsets found in data files. */
  readonly rows: bigint
  /** Offsets that did not become rows because of what they hold. */
  readonly rejected: bigint
  /** Distinct offsets found in dead letter files: of a batch that cannot be read the first, with `dlq_mode: skip` none. */
  readonly deadLetters: bigint
  readonly filtered: bigint
  readonly control: bigint
  readonly gap: bigint
  /** Offsets that are nowhere and accounted for by nothing. */
  readonly missing: bigint
  /** Rows whose offset was met before. */
  readonly duplicated: bigint
}

export interface VerifyReport {
  readonly table: string
  readonly proved: boolean
  readonly files: number
  readonly rows: bigint
  readonly deadLetters: bigint
  readonly missing: bigint
  readonly duplicated: bigint
  readonly partitions: readonly VerifiedPartition[]
  /** One plain sentence each; at most `problemsMax`. */
  readonly problems: readonly string[]
}

export interface VerifyOptions {
  readonly offsetsPerPassMax: number
  readonly problemsMax: number
}

/** A pass takes 256 MiB. */
export const verifyDefaults: VerifyOptions = { offsetsPerPassMax: 2 ** 31, problemsMax: 100 }

const cutAttemptsMax = 50
const filesPageCount = 1000

export interface VerifyParts {
  readonly catalog: CatalogClient
  readonly store: ObjectStore
  readonly onProgress?: (done: { readonly files: number; readonly filesTotal: number }) => void
}

/** errors  invalid: no such table; what the store and the catalog throw */
export async function verifyTable(
  parts: VerifyParts,
  tableName: string,
  options: VerifyOptions = verifyDefaults,
): Promise<VerifyReport> {
  const cut = await takeCut(parts.catalog, tableName)
  const verifier = new TableVerifier(parts, cut, options)
  return verifier.run()
}

/** What was true of a table at one instant. */
interface TableCut {
  readonly table: Table
  readonly generations: readonly VerifiedGeneration[]
}

/** Reads until two looks at the accounts agree: every commit changes them, so nothing was committed in between. */
async function takeCut(catalog: CatalogClient, tableName: string): Promise<TableCut> {
  for (let attempt = 0; attempt < cutAttemptsMax; attempt++) {
    const table = await catalog.tableByName(tableName)
    if (table === undefined) {
      const known = (await catalog.tables()).map(each => each.definition.name).join(', ') || 'none'
      throw new FloeError('invalid', 'unknown-table', `there is no table ${tableName}; tables: ${known}`)
    }
    const before = await readAccounts(catalog, table.tableId)
    const again = await catalog.tableById(table.tableId)
    const after = await readAccounts(catalog, table.tableId)
    if (again !== undefined && sameAccounts(before, after) && again.fileSequence === table.fileSequence) {
      return { table: again, generations: listGenerations(after.closed, after.coverage) }
    }
  }
  throw new FloeError('unavailable', 'verify-no-cut', `${tableName} changes too quickly to be verified; try again`)
}

interface Accounts {
  readonly closed: readonly ClosedGeneration[]
  readonly coverage: readonly SourceCoverage[]
}

async function readAccounts(catalog: CatalogClient, tableId: number): Promise<Accounts> {
  const closed = await catalog.closedGenerations(tableId)
  return { closed, coverage: await catalog.sourceCoverage(tableId) }
}

function sameAccounts(left: Accounts, right: Accounts): boolean {
  return (
    left.closed.length === right.closed.length &&
    left.coverage.length === right.coverage.length &&
    left.coverage.every((each, index) => each.end === right.coverage[index]!.end)
  )
}

class TableVerifier {
  readonly #parts: VerifyParts
  readonly #table: Table
  readonly #generations: readonly VerifiedGeneration[]
  readonly #options: VerifyOptions
  readonly #folder: string
  readonly #problems: string[] = []
  readonly #totals: { rows: bigint; deadLetters: bigint; duplicated: bigint; firstUnmet: number | undefined }[]
  #filesRead = 0

  constructor(parts: VerifyParts, cut: TableCut, options: VerifyOptions) {
    this.#parts = parts
    this.#table = cut.table
    this.#generations = cut.generations
    this.#options = options
    this.#folder = tableFolder(cut.table.definition.name, cut.table.tableUuid)
    this.#totals = cut.generations.map(() => ({ rows: 0n, deadLetters: 0n, duplicated: 0n, firstUnmet: undefined }))
  }

  async run(): Promise<VerifyReport> {
    const offsetsTotal = this.#generations.reduce((sum, each) => sum + Number(each.end - each.start), 0)
    const passes = Math.max(1, Math.ceil(offsetsTotal / this.#options.offsetsPerPassMax))
    for (let pass = 0; pass < passes; pass++) await this.#runPass(pass, passes)
    return this.#report()
  }

  async #runPass(pass: number, passes: number): Promise<void> {
    const ranges = this.#generations.map(each => sliceOf(each, pass, passes))
    const ledger = new OffsetLedger(ranges)
    await this.#markDataFiles(ledger, pass)
    const rowsMet = ledger.metCount.slice()
    await this.#markDeadLetters(ledger, pass)
    for (const [slot, total] of this.#totals.entries()) {
      total.rows += BigInt(rowsMet[slot]!)
      total.deadLetters += BigInt(ledger.metCount[slot]! - rowsMet[slot]!)
      total.duplicated += BigInt(ledger.duplicateCount[slot]!)
      total.firstUnmet ??= ledger.firstUnmet(slot)
    }
  }

  async #markDataFiles(ledger: OffsetLedger, pass: number): Promise<void> {
    const { tableId, fileSequence, fileCount } = this.#table
    const slots = new GenerationSlots(this.#generations, generation => generation.fileSequence)
    for (let skip = 0; ; skip += filesPageCount) {
      const page = await this.#parts.catalog.tableFiles(tableId, 0, fileSequence, skip, filesPageCount)
      for (const file of page) {
        await this.#markFile(ledger, slots.at(file.fileSequence), file, 'floe.', pass)
        this.#filesRead++
        this.#parts.onProgress?.({ files: this.#filesRead, filesTotal: fileCount })
      }
      if (page.length < filesPageCount) return
    }
  }

  async #markDeadLetters(ledger: OffsetLedger, pass: number): Promise<void> {
    let left = this.#table.deadLetterCount
    const slots = new GenerationSlots(this.#generations, generation => generation.deadLetterFileCount - 1)
    for (let skip = 0; left > 0n; skip += filesPageCount) {
      const page = await this.#parts.catalog.deadLetterFiles(this.#table.tableId, skip, filesPageCount)
      for (const [index, file] of page.entries()) {
        if (left <= 0n) return
        left -= BigInt(file.recordCount)
        await this.#markFile(ledger, slots.at(skip + index), file, '', pass)
      }
      if (page.length < filesPageCount) return
    }
  }

  async #markFile(
    ledger: OffsetLedger,
    slots: Int32Array,
    { path, fileBytes, recordCount }: Pick<TableFile, 'path' | 'fileBytes' | 'recordCount'>,
    columnPrefix: string,
    pass: number,
  ): Promise<void> {
    const key = `${this.#folder}/${path}`
    let rows = 0
    try {
      for await (const batch of readOffsets(this.#parts.store, key, fileBytes, columnPrefix, recordCount)) {
        rows += batch.count
        ledger.markAll(slots, batch.partitions, batch.offsetWords, batch.count, (partition, offset) =>
          this.#note(`offset ${offset} of partition ${partition} is there again in ${key}`),
        )
      }
    } catch (error) {
      if (!isFloeError(error, 'corrupt')) throw error
      this.#note(errorMessage(error))
      return
    }
    if (pass === 0 && rows !== recordCount) {
      this.#note(`${key} holds ${rows} rows, the catalog says ${recordCount}`)
    }
  }

  #note(problem: string): void {
    if (this.#problems.length < this.#options.problemsMax) this.#problems.push(problem)
  }

  #report(): VerifyReport {
    const partitions = this.#generations.map((each, slot) => this.#account(each, slot))
    const sum = (pick: (partition: VerifiedPartition) => bigint): bigint =>
      partitions.reduce((total, each) => total + pick(each), 0n)
    const missing = sum(each => each.missing)
    const duplicated = sum(each => each.duplicated)
    return {
      table: this.#table.definition.name,
      proved: this.#problems.length === 0 && missing === 0n && duplicated === 0n,
      files: this.#table.fileCount,
      rows: sum(each => each.rows),
      deadLetters: sum(each => each.deadLetters),
      missing,
      duplicated,
      partitions,
      problems: this.#problems,
    }
  }

  #account(account: VerifiedGeneration, slot: number): VerifiedPartition {
    const { partition, generation, topicId, start, end, written, filtered, rejected, control, gap } = account
    const { rows, deadLetters, duplicated, firstUnmet } = this.#totals[slot]!
    const place = generation === 1 ? `partition ${partition}` : `generation ${generation} of partition ${partition}`
    if (rows !== written) this.#note(`${place}: ${rows} rows are in the files, ${written} were committed`)
    if (deadLetters > rejected) this.#note(`${place}: ${deadLetters} dead letters for ${rejected} rejected records`)
    // Rejected records without a dead letter are those of `dlq_mode: skip`.
    const missing = end - start - rows - filtered - rejected - control - gap
    if (missing > 0n) this.#note(`${place}: ${missing} offsets are missing, the first may be ${firstUnmet ?? start}`)
    if (missing < 0n) this.#note(`${place}: ${-missing} more rows than offsets`)
    return {
      partition,
      generation,
      topicId,
      start,
      end,
      rows,
      rejected,
      deadLetters,
      filtered,
      control,
      gap,
      missing: missing > 0n ? missing : 0n,
      duplicated,
    }
  }
}

function sliceOf(generation: VerifiedGeneration, pass: number, passes: number): OffsetRange {
  const start = Number(generation.start)
  const length = Number(generation.end) - start
  return {
    start: start + Math.floor((length * pass) / passes),
    end: start + Math.floor((length * (pass + 1)) / passes),
  }
}
