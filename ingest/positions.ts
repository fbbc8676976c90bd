/**
 * Decides where reading a source partition begins or goes on. Pure: the account of the catalog and the state of the source in,
 * a decision out. Nothing is ever skipped in silence: offsets that are gone are a gap or a stop, and offsets that mean other
 * records than before are a new generation or a stop (docs/design/0002-source-generations.md).
 */
import type { SourceCoverage } from '../catalog/client.ts'
import type { SourcePartitionState } from '../kafka/record-source.ts'

export type PositionDecision =
  | { readonly kind: 'read'; readonly offset: bigint }
  /** Offsets [from, to) are gone and go into the account as a gap. */
  | { readonly kind: 'gap'; readonly from: bigint; readonly to: bigint }
  /** The source began anew: decide again with an account that starts and ends at `start`. `reason`: one plain sentence. */
  | { readonly kind: 'generation'; readonly start: bigint; readonly reason: string }
  /** One plain sentence, for the table's state. */
  | { readonly kind: 'stop'; readonly reason: string }

export interface PositionRules {
  readonly topic: string
  readonly onGap: 'stop' | 'record'
}

/**
 * account  what the table has of the partition; undefined or not begun: it was never read
 * topicId  the topic's identity now, undefined when the cluster has none
 */
export function decidePosition(
  account: SourceCoverage | undefined,
  topicId: string | undefined,
  state: SourcePartitionState,
  rules: PositionRules,
): PositionDecision {
  const { partition, logStartOffset, endOffset } = state
  if (account === undefined || isUnread(account)) {
    return { kind: 'read', offset: logStartOffset }
  }
  const place = `partition ${partition} of topic ${rules.topic}`
  const position = account.end
  const isIdKnown = topicId !== undefined && account.topicId !== undefined
  if (isIdKnown && account.topicId !== topicId) {
    const reason =
      `topic ${rules.topic} was deleted and created again: the table holds offsets of topic id ${account.topicId}, ` +
      `the topic now has id ${topicId}`
    // A new topic begins at offset 0: what it has lost by now is a gap.
    if (rules.onGap === 'record') return { kind: 'generation', start: 0n, reason }
    return {
      kind: 'stop',
      reason:
        `${reason}. Its offsets start over, so give the new topic a table of its own (table_name), ` +
        'or set on_gap: record to go on with it in this one',
    }
  }
  if (position > endOffset) {
    const reason =
      `${place} ends at offset ${endOffset}, before offset ${position} up to which the table has read: it was truncated` +
      (isIdKnown ? '' : ', or the topic was created again')
    if (rules.onGap === 'record') {
      // What a truncated partition still has is in the table. Without ids it may as well be a new topic: read what is there.
      const start = isIdKnown || logStartOffset > endOffset ? endOffset : logStartOffset
      return { kind: 'generation', start, reason }
    }
    return {
      kind: 'stop',
      reason:
        `${reason}. Restore the topic, give it a table of its own (table_name), ` +
        'or set on_gap: record to go on with what it has now',
    }
  }
  if (position >= logStartOffset) return { kind: 'read', offset: position }
  if (rules.onGap === 'record') return { kind: 'gap', from: position, to: logStartOffset }
  return {
    kind: 'stop',
    reason:
      `${place} starts at offset ${logStartOffset}, after offset ${position} up to which the table has read: ` +
      `${logStartOffset - position} records were removed before they could be read. ` +
      'Set on_gap: record to go on with the gap recorded',
  }
}

/** A claimed partition has an account before anything was read. (An empty one of a new generation has a place in the topic.) */
export function isUnread(account: SourceCoverage): boolean {
  return account.end < 0n
}
