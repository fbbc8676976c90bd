/**
 * Which protocol (assignor) the members of a classic group use: one that all of them support. Pure.
 *
 * Source: ClassicGroup.selectProtocol and supportsProtocols in Apache Kafka 4.
 */
import type { Member } from './member.ts'
import type { JoinProtocol } from './types.ts'

/** Whether one of `protocols` is supported by all members. */
export function supportsAny(members: readonly Member[], protocols: readonly JoinProtocol[]): boolean {
  const common = commonProtocols(members)
  return protocols.some(protocol => common.has(protocol.name))
}

/** Every member votes for the first of its protocols that all support; ties go to the one that was voted for first. */
export function selectProtocol(members: readonly Member[]): string | undefined {
  const common = commonProtocols(members)
  const votes = new Map<string, number>()
  for (const member of members) {
    const choice = member.protocols.find(protocol => common.has(protocol.name))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  let best: string | undefined
  for (const [name, count] of votes) if (best === undefined || count > votes.get(best)!) best = name
  return best
}

function commonProtocols(members: readonly Member[]): Set<string> {
  let common: Set<string> | undefined
  for (const member of members) {
    const own = new Set(member.protocols.map(protocol => protocol.name))
    common = common === undefined ? own : common.intersection(own)
  }
  return common ?? new Set()
}
