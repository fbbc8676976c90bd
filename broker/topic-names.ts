import { brokerLimits } from './options.ts'

/** Kafka's rule for topic names: 1 to 249 of `[a-zA-Z0-9._-]`, and not `.` or `..`. */
export function isTopicNameValid(name: string): boolean {
  if (name === '.' || name === '..') return false
  return name.length <= brokerLimits.topicNameCharactersMax && /^[a-zA-Z0-9._-]+$/.test(name)
}
