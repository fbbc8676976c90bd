/**
 * Ordinary Kafka clients do the same against Floe and against Apache Kafka, and get the same answers.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Kafka, runPython, startKafka } from '../../peers/index.ts'
import { type StartedBroker, startBroker } from '../../support/start-broker.ts'
import { runJava } from './java.ts'
import { runKafkajs } from './kafkajs.ts'
import { runKcat } from './kcat.ts'
import { runPlatformatic } from './platformatic.ts'
import { codecs, readStoredCodecs, type Scenario, type Transcript } from './scenario.ts'

let kafka: Kafka
let floe: StartedBroker

beforeAll(async () => {
  kafka = await startKafka({ properties: { 'group.initial.rebalance.delay.ms': '0' } })
  floe = await startBroker({ flushIntervalMs: 20 })
}, 180_000)

afterAll(async () => {
  await floe?.stop()
  await kafka?.stop()
})

async function runConfluent({ address, prefix }: Scenario): Promise<Transcript> {
  const { stdout } = await runPython(join(import.meta.dirname, 'confluent.py'), [address, prefix])
  const transcript: Transcript = JSON.parse(stdout)
  for (const codec of codecs) transcript[`stored ${codec}`] = await readStoredCodecs(address, `${prefix}-${codec}`)
  return transcript
}

const scenarios: Record<string, (scenario: Scenario) => Promise<Transcript>> = {
  kcat: runKcat,
  java: runJava,
  kafkajs: runKafkajs,
  platformatic: runPlatformatic,
  confluent: runConfluent,
}

describe.each(Object.keys(scenarios))('%s', name => {
  it('gets from Floe what it gets from Apache Kafka', { timeout: 600_000 }, async () => {
    const run = scenarios[name]!
    const expected = await run({ address: kafka.bootstrap, prefix: name })
    const got = await run({ address: floe.address, prefix: name })
    expect(got).toEqual(expected)
    // A scenario that recorded nothing would compare equal.
    expect(Object.keys(expected).length).toBeGreaterThan(8)
    for (const codec of codecs) {
      const stored = expected[`stored ${codec}`]
      if (stored !== undefined) expect(stored).toMatchObject({ codecs: [codec] })
    }
  })
})
