/** Counts what became of the offsets of each source partition of one builder. */
import { FloeError } from '../../core/errors.ts'
import type { BuiltCoverage } from './builder-types.ts'

export class PartitionAccount {
  readonly partition: number
  readonly start: bigint
  end: bigint
  written = 0
  filtered = 0
  rejected = 0
  maxTimestampMs = -1

  constructor(partition: number, start: bigint) {
    this.partition = partition
    this.start = start
    this.end = start
  }

  /** What no record accounts for is control: markers, aborted records, offsets compacted away. */
  toCoverage(): BuiltCoverage {
    const { partition, start, end, written, filtered, rejected, maxTimestampMs } = this
    const control = Number(end - start) - written - filtered - rejected
    return { partition, start, end, written, filtered, rejected, control, maxTimestampMs }
  }
}

export class CoverageAccounts {
  readonly #accounts = new Map<number, PartitionAccount>()

  /**
   * The account that goes on at `start`.
   *
   * errors  invalid: the partition's coverage ends elsewhere
   */
  continueAt(partition: number, start: bigint): PartitionAccount {
    let account = this.#accounts.get(partition)
    if (account === undefined) {
      account = new PartitionAccount(partition, start)
      this.#accounts.set(partition, account)
    }
    if (account.end !== start) {
      throw new FloeError(
        'invalid',
        'append-not-continuous',
        `partition ${partition} was read up to offset ${account.end}, so the next append must start there, not at ${start}`,
        { partition, expected: account.end, start },
      )
    }
    return account
  }

  /** Ascending by partition; the accounts are empty afterwards. */
  take(): BuiltCoverage[] {
    const coverage = [...this.#accounts.values()].map(account => account.toCoverage())
    this.#accounts.clear()
    return coverage.sort((a, b) => a.partition - b.partition)
  }
}
