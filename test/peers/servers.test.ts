/** The servers among the peers do what Floe's suites rely on: conditional puts, Kafka's listeners, tools and restarts. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Kafka, kafkaTool, kcat, peerPath, runPython, startKafka, startS3 } from './index.ts'

test('a missing peer is named with the command that installs it', async () => {
  const before = process.env.FLOE_PEERS_DIR
  process.env.FLOE_PEERS_DIR = join(tmpdir(), 'floe-no-peers')
  try {
    expect(() => peerPath('trino')).toThrow(/^run scripts\/peers\/install\.sh trino$/)
    await expect(startKafka()).rejects.toThrow(/^run scripts\/peers\/install\.sh kafka$/)
  } finally {
    if (before === undefined) delete process.env.FLOE_PEERS_DIR
    else process.env.FLOE_PEERS_DIR = before
  }
})

test('the S3 server decides every race of conditional puts for exactly one writer', async () => {
  const s3 = await startS3()
  try {
    const script = join(import.meta.dirname, '../../scripts/peers/check_s3.py')
    const args = [s3.endpoint, s3.accessKeyId, s3.secretAccessKey, s3.region, s3.bucket, '200']
    const checks = (await runPython(script, args)).stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { check?: string; ok?: boolean })
      .filter(line => line.check !== undefined)
    expect(checks.length).toBeGreaterThan(10)
    expect(checks.filter(check => !check.ok)).toEqual([])
  } finally {
    await s3.stop()
  }
  expect(() => process.kill(s3.pid, 0)).toThrow('ESRCH')
})

test('Kafka serves kcat and its own tools, and keeps its records over a kill and a restart', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'floe-kafka-test-'))
  let kafka: Kafka | undefined
  try {
    kafka = await startKafka({ dataDir })
    const server = ['--bootstrap-server', kafka.bootstrap]
    await kafkaTool('kafka-topics', [...server, '--create', '--topic', 'words', '--partitions', '1'])
    await kcat(['-b', kafka.bootstrap, '-P', '-t', 'words', '-K:'], { input: 'a:one\nb:two\n' })
    await kafkaTool('kafka-console-producer', [...server, '--topic', 'words'], { input: 'three\n' })
    const { port, controllerPort } = kafka
    kafka.kill('SIGKILL')
    await kafka.stop()
    kafka = await startKafka({ dataDir, port, controllerPort })
    const read = await kcat(['-b', kafka.bootstrap, '-C', '-t', 'words', '-e', '-q', '-f', '%o %k %s\n'])
    expect(read.stdout).toBe('0 a one\n1 b two\n2  three\n')
    const offsets = await kafkaTool('kafka-get-offsets', [...server, '--topic', 'words'])
    expect(offsets.stdout).toBe('words:0:3\n')
    const consumed = await kafkaTool('kafka-console-consumer', [
      ...server,
      '--topic',
      'words',
      '--from-beginning',
      '--max-messages',
      '3',
      '--group',
      'g',
    ])
    expect(consumed.stdout).toBe('one\ntwo\nthree\n')
    const groups = await kafkaTool('kafka-consumer-groups', [...server, '--list'])
    expect(groups.stdout).toBe('g\n')
  } finally {
    await kafka?.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
})

/**
 * kcat's librdkafka on Debian 12 (2.0.2) cannot do SCRAM with Kafka 4 (it needs 2.6.1: edenhill/kcat issue 462), so that a
 * newer librdkafka asks, through Python.
 */
const LIST_BROKERS = `
import sys
from confluent_kafka.admin import AdminClient
bootstrap, certificate, mechanism, password = sys.argv[1:]
errors = []
client = AdminClient({'bootstrap.servers': bootstrap, 'security.protocol': 'SASL_SSL', 'ssl.ca.location': certificate,
    'sasl.mechanism': mechanism, 'sasl.username': 'alice', 'sasl.password': password,
    'error_cb': lambda error: errors.append(error.name())})
try:
    print(*client.list_topics(timeout=3 if password == 'wrong' else 20).brokers.values())
except Exception:
    client.poll(1)
    print(*sorted(set(errors)))
`

test('Kafka takes a right password over TLS by each mechanism, and refuses a wrong one', async () => {
  const kafka = await startKafka({ security: { tls: true, users: [{ username: 'alice', password: 'right' }] } })
  const certificate = join(kafka.dataDir, 'ca.pem')
  writeFileSync(certificate, kafka.caPem!)
  const ask = async (mechanism: string, password: string) =>
    (await runPython(LIST_BROKERS, [kafka.secureBootstrap!, certificate, mechanism, password])).stdout.trim()
  try {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      expect(await ask(mechanism, 'right')).toBe(`${kafka.secureBootstrap}/1`)
      expect(await ask(mechanism, 'wrong')).toContain('_AUTHENTICATION')
    }
  } finally {
    await kafka.stop()
  }
})
