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

test('Kafka takes a right password over TLS by each mechanism, and refuses a wrong one', async () => {
  const kafka = await startKafka({ security: { tls: true, users: [{ username: 'alice', password: 'right' }] } })
  const certificate = join(kafka.dataDir, 'ca.pem')
  writeFileSync(certificate, kafka.caPem!)
  const list = (mechanism: string, password: string) =>
    kcat(
      [
        '-b',
        kafka.secureBootstrap!,
        '-L',
        '-m',
        '10',
        '-X',
        'security.protocol=SASL_SSL',
        '-X',
        `ssl.ca.location=${certificate}`,
        '-X',
        `sasl.mechanism=${mechanism}`,
        '-X',
        'sasl.username=alice',
        '-X',
        `sasl.password=${password}`,
      ],
      { check: false },
    )
  try {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      expect((await list(mechanism, 'right')).stdout).toContain(`broker 1 at ${kafka.secureBootstrap}`)
    }
    const refused = await list('SCRAM-SHA-256', 'wrong')
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('SASL')
  } finally {
    await kafka.stop()
  }
})
