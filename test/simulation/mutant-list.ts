/** Rules of Floe, each broken on purpose by a few edits of its source (mutants.ts). */

export interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Mutant {
  readonly name: string
  /** Several: a rule and the one that covers for it. */
  readonly edits: readonly Edit[]
}

export const mutants: readonly Mutant[] = [
  {
    name: 'owner epochs are not looked at',
    edits: [
      {
        file: 'catalog/commands/commit-table-files.ts',
        from: 'if (ownerEpoch === 0 || ownerEpoch !== numbers[at + 9]) {',
        to: 'if (ownerEpoch === 0) {',
      },
    ],
  },
  {
    name: 'a range may begin anywhere',
    edits: [
      {
        file: 'catalog/commands/commit-table-files.ts',
        from: 'if (accounts.ends[partition] !== numbers[at + 1]) {',
        to: 'if (numbers[at + 1]! < 0) {',
      },
    ],
  },
  {
    name: 'receipts are forgotten',
    edits: [
      {
        file: 'catalog/state/client-sessions.ts',
        from: "if (held < requestNumber) return 'new'",
        to: "if (held <= requestNumber) return 'new'",
      },
    ],
  },
  {
    name: 'a put whose answer was lost counts as applied',
    edits: [
      {
        file: 'storage/put-if-absent.ts',
        from: "if (isFloeError(error, 'unavailable')) return 'unknown'",
        to: "if (isFloeError(error, 'unavailable')) return 'applied'",
      },
    ],
  },
  {
    // Whoever appends an entry compares what lies there by itself, since it may have given up and begun again: it covers.
    name: 'an unknown put counts as refused, and nobody compares what lies there',
    edits: [
      {
        file: 'storage/put-if-absent.ts',
        from: "if (outcome === 'applied' || (outcome === 'refused' && !lost)) return outcome",
        to: "if (outcome !== 'unknown' || !lost) return outcome === 'applied' ? 'applied' : 'refused'",
      },
      {
        file: 'catalog/journal/append-entry.ts',
        from: "if (equalsParts(existing, parts)) return 'applied'",
        to: '',
      },
    ],
  },
  {
    name: 'a fenced leader goes on',
    edits: [
      {
        file: 'catalog/leader.ts',
        from: "if (outcome !== 'applied') return fencedBy(outcome, journalKey(epoch, sequence), this.replica.position)",
        to: '',
      },
    ],
  },
  {
    name: 'duplicates of a producer are appended again',
    edits: [
      {
        file: 'catalog/commands/commit-segment.ts',
        from: 'const outcome = log === undefined ? 2 : judge(state, log, rows, row)',
        to: 'const outcome = log === undefined ? 2 : judge(state, log, rows, row) * 0',
      },
    ],
  },
  {
    name: 'a command that was lost is sent under a new number',
    edits: [
      {
        file: 'catalog/node/command-session.ts',
        from: 'if (this.#sink === command.sink) this.#sink = undefined',
        to: 'command.requestNumber = command.lane!.take(0)\n    if (this.#sink === command.sink) this.#sink = undefined',
      },
    ],
  },
  {
    // Over one connection an entry comes before the answers to its commands, because the leader sends it first: the follower ends others.
    name: 'a leader tells of entries late, and a follower hands out answers before it has them',
    edits: [
      {
        file: 'catalog/node/follower-feed.ts',
        from: 'else follower.connection.send([entryHeader, bytes])',
        to: 'else this.#clock.startTimer(5, () => follower.connection.send([entryHeader, bytes]))',
      },
      {
        file: 'catalog/node/leader-link.ts',
        from: 'if (answer.sequence > sequence) {',
        to: 'if (answer.sequence < 0) {',
      },
    ],
  },
  {
    name: 'a lane goes on behind what it did not commit',
    edits: [
      {
        file: 'ingest/table-lane.ts',
        from: 'if (this.#commitFailure !== undefined) throw this.#commitFailure\n    if (this.#msUntilDue',
        to: 'this.#commitFailure = undefined\n    if (this.#msUntilDue',
      },
    ],
  },
  {
    name: 'what a version is continued from is read once',
    edits: [
      {
        file: 'storage/get-agreed.ts',
        from: 'if (first === undefined && second === undefined) return undefined',
        to: 'if (first === undefined || second !== undefined) return first',
      },
    ],
  },
  {
    name: 'a version is visible before its objects are there',
    edits: [
      {
        file: 'ingest/publish/table-publisher.ts',
        from: 'await writeVersion(store, folder, rendered, clock)',
        to: 'void writeVersion(store, folder, rendered, clock).catch(() => {})',
      },
    ],
  },
  {
    name: 'a journal in a database counts what it refuses as applied',
    edits: [
      {
        file: 'catalog/journal/sql-journal.ts',
        from: "if (rowCount === 1) return 'applied'",
        to: "if (rowCount <= 1) return 'applied'",
      },
    ],
  },
  {
    // Either of them fences whoever slept through a trim.
    name: 'in a database a later epoch closes no earlier one, and seals are trimmed',
    edits: [
      {
        file: 'catalog/journal/sql-journal.ts',
        from: 'WHERE epoch > $1::bigint)',
        to: 'WHERE epoch > $1::bigint + 1000000)',
      },
      {
        file: 'catalog/journal/sql-journal.ts',
        from: 'next.sequence > old.sequence)',
        to: 'next.sequence >= old.sequence)',
      },
    ],
  },
  // What simulation found once, undone.
  {
    name: 'a stray seal behind a trim counts',
    edits: [
      {
        file: 'catalog/replica/take-lead.ts',
        from: "if (await isBehindTrim(store, sequence)) return 'behind'",
        to: '',
      },
      {
        file: 'catalog/replica/read-on.ts',
        from: "if (entry.kind !== entryKinds.batch && (await isBehindTrim(store, replica.position.sequence))) return 'behind'",
        to: '',
      },
    ],
  },
  {
    name: 'a look at the footing that fails is thrown where nobody may wait for it',
    edits: [
      {
        file: 'catalog/leader.ts',
        from: "return isFloeError(error) && error.code !== 'catalog-gone' ? undefined : asFailure(error)",
        to: 'throw error',
      },
    ],
  },
  {
    name: 'a barrier is passed on an entry of its own that was trimmed',
    edits: [
      {
        file: 'catalog/leader.ts',
        from: 'const lastPossible = this.#isAhead ? sequence + 2 : sequence + 1',
        to: 'const lastPossible = sequence + 1',
      },
    ],
  },
  {
    name: 'a version hint is looked at only when there is no news',
    edits: [
      {
        file: 'ingest/publish/table-publisher.ts',
        from: 'await this.#wanted.wait(clock, this.#isHint',
        to: 'const isNews = await this.#wanted.wait(clock, this.#isHint',
      },
      {
        file: 'ingest/publish/table-publisher.ts',
        from: 'if (this.#isHintUncertain && clock.monotonicMs() >= this.#hintDueMs)',
        to: 'if (this.#isHintUncertain && !isNews)',
      },
    ],
  },
  {
    name: 'a lane stops its table on an old account',
    edits: [
      {
        file: 'ingest/table-lane.ts',
        from: 'return (await this.#isCurrent(lanePartition, account)) ? decision : readOnElsewhere(lanePartition.partition)',
        to: 'return decision',
      },
    ],
  },
  {
    name: 'what was being written when the lead was lost is given back late',
    edits: [
      {
        file: 'catalog/leader.ts',
        from: 'this.#underWay?.lose(',
        to: 'if (this.#underWay?.commandCount === -1) this.#underWay.lose(',
      },
      {
        file: 'catalog/leader.ts',
        from: 'if (this.#isLost) return\n',
        to: "if (this.#isLost) return batch.lose(new FloeError('unavailable', 'catalog-outcome-unknown', 'late'))\n",
      },
    ],
  },
  {
    name: 'a follower takes the end of what was trimmed for the end',
    edits: [
      {
        file: 'catalog/node/leader-link.ts',
        from: '(isAtEnd && (await isBehindTrim(reading.store, before)))',
        to: 'isAtEnd && before < 0',
      },
      {
        file: 'catalog/node/catalog-node.ts',
        from: 'if (await isBehindTrim(this.#reading.store, this.replica.position.sequence)) await this.#reload()',
        to: '',
      },
    ],
  },
]
