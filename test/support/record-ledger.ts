/**
 * Numbered records and the account of what became of them. Every producing session counts its records from 0; what the topic
 * holds afterwards is held against what was sent and what was acknowledged:
 *
 *   - offsets of a partition are contiguous from 0: nothing that was given an offset is gone
 *   - every acknowledged record is there, once, in its partition
 *   - a record without acknowledgement is there at most once per session
 *   - the records of one session stand in the order they were sent, within each partition
 */
import type { TopicRecord } from './read-topic.ts'

/** What a record holds, as JSON; its key is the session, or `session/anything`. */
export interface NumberedValue {
  readonly session: string
  readonly n: number
  readonly text: string
  /** A number, or in a misfit a word. */
  readonly weight: unknown
}

export interface SentRecord {
  readonly topic: string
  readonly partition: number
  readonly n: number
}

/**
 * Wide characters, quotes and escapes, so that no step can be lazy about them. In a topic named `mixed` every 25th record does not
 * fit its table.
 */
export function numberedValue(topic: string, session: string, n: number): string {
  const weight = topic === 'mixed' && n % 25 === 24 ? 'heavy' : n % 1000
  return JSON.stringify({ session, n, text: `записка "${n}"\n${'·'.repeat(n % 40)}`, weight })
}

export function isMisfit(value: string): boolean {
  return typeof parseValue(value).weight !== 'number'
}

export class RecordLedger {
  readonly #sent = new Map<string, number>()
  /** `topic|session|n` to the partition it was acknowledged in; -1: the client did not tell. */
  readonly #acknowledged = new Map<string, number>()
  #sessionCount = 0
  refusedCount = 0

  get acknowledgedCount(): number {
    return this.#acknowledged.size
  }

  get sentCount(): number {
    let count = 0
    for (const each of this.#sent.values()) count += each
    return count
  }

  get sessionCount(): number {
    return this.#sessionCount
  }

  /** A name no other session has. */
  openSession(client: string): string {
    return `${client}-${this.#sessionCount++}`
  }

  noteSent(topic: string, session: string, count: number): void {
    const key = `${topic}|${session}`
    this.#sent.set(key, (this.#sent.get(key) ?? 0) + count)
  }

  noteAcknowledged(topic: string, session: string, n: number, partition: number): void {
    this.#acknowledged.set(`${topic}|${session}|${n}`, partition)
  }

  /** One line per breach of the rules above; empty when there is none. At most 20. */
  findBreaches(topic: string, partitions: readonly (readonly TopicRecord[])[]): string[] {
    const breaches: string[] = []
    const note = (text: string): void => {
      if (breaches.length < 20) breaches.push(text)
    }
    const seen = new Map<string, number>()
    for (const [partition, records] of partitions.entries()) {
      const lastBySession = new Map<string, number>()
      for (const [index, { offset, key, value }] of records.entries()) {
        const place = `${topic}/${partition} offset ${offset}`
        if (offset !== BigInt(index)) note(`${place}: offset ${index} was expected`)
        const { session, n } = parseValue(value)
        if (key.split('/')[0] !== session) note(`${place}: key ${key} is not session ${session}`)
        const last = lastBySession.get(session) ?? -1
        if (n <= last) note(`${place}: record ${n} of ${session} stands after ${last}`)
        lastBySession.set(session, Math.max(n, last))
        const name = `${topic}|${session}|${n}`
        if (seen.has(name)) note(`${place}: record ${n} of ${session} is there a second time`)
        seen.set(name, partition)
        if (n >= (this.#sent.get(`${topic}|${session}`) ?? 0))
          note(`${place}: record ${n} of ${session} was never sent`)
      }
    }
    for (const [name, partition] of this.#acknowledged) {
      if (!name.startsWith(`${topic}|`)) continue
      const found = seen.get(name)
      if (found === undefined) note(`acknowledged record ${name} is not in the topic`)
      else if (partition >= 0 && found !== partition) note(`record ${name} went to ${found}, not ${partition}`)
    }
    return breaches
  }
}

export function parseValue(value: string): NumberedValue {
  return JSON.parse(value) as NumberedValue
}
