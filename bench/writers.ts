/**
 * Writers that commit to one table at once: commits per second, latency and conflicts from 1 writer to 64. Each writer has a source
 * partition of its own and makes its next commit when the last one was answered, as an ingest worker does; the catalog is a whole one
 * over a directory store, every commit durable with fsync.
 *
 *   node bench/writers.ts [--seconds 5] [--dir DIR]
 *
 * Prints one JSON object and writes it to bench/results/writers.json.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { CatalogClient, CommitTableFiles } from '../catalog/client.ts'
import { NamePool } from '../catalog/name-pool.ts'
import { openCatalog } from '../catalog/open-catalog.ts'
import { systemClock } from '../core/clock.ts'
import { nodeFileSystem } from '../core/file-system.ts'
import { silentLog } from '../core/log.ts'
import { systemRandom } from '../core/random.ts'
import { openDirectoryStore } from '../storage/directory-store.ts'
import { tableDefinition } from './catalog-load.ts'
import { describeMachine, report } from './report.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, dir: { type: 'string' } },
})
const writerCounts = [1, 2, 4, 8, 16, 32, 64]
const rowsPerFile = 1_000
const warmUpMs = 1_000
const measuredMs = Number(values.seconds) * 1_000

/** Where each writer's account ends. */
const ends: bigint[] = []

function nextCommit(tableId: number, writer: number, name: { grantId: number; nameIndex: number }): CommitTableFiles {
  const start = ends[writer]!
  return {
    tableId,
    files: [{ ...name, partition: [], recordCount: rowsPerFile, fileBytes: 98_765, splitOffsets: [4], columns: [] }],
    deadLetterFiles: [],
    coverage: [
      {
        partition: writer,
        topicId: undefined,
        start,
        end: start + BigInt(rowsPerFile),
        written: rowsPerFile,
        filtered: 0,
        rejected: 0,
        control: 0,
        gap: 0n,
        maxTimestampMs: 1_800_000_000_000,
        ownerEpoch: 1,
      },
    ],
  }
}

interface Figures {
  readonly writers: number
  readonly commitsPerSecond: number
  readonly conflicts: number
  readonly msP50: number
  readonly msP99: number
}

async function measure(client: CatalogClient, tableId: number, names: NamePool, writers: number): Promise<Figures> {
  const latencies: number[] = []
  let conflicts = 0
  const startedMs = performance.now()
  const write = async (writer: number): Promise<void> => {
    for (;;) {
      const sentMs = performance.now()
      if (sentMs - startedMs > warmUpMs + measuredMs) return
      const command = nextCommit(tableId, writer, await names.take())
      const { outcome } = await client.commitTableFiles(command)
      if (outcome === 'committed') ends[writer] = command.coverage[0]!.end
      else conflicts++
      if (sentMs - startedMs > warmUpMs) latencies.push(performance.now() - sentMs)
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  latencies.sort((left, right) => left - right)
  const quantile = (part: number): number => Number(latencies[Math.floor((latencies.length - 1) * part)]!.toFixed(2))
  return {
    writers,
    commitsPerSecond: Math.round(latencies.length / (measuredMs / 1000)),
    conflicts,
    msP50: quantile(0.5),
    msP99: quantile(0.99),
  }
}

const directory = await mkdtemp(join(values.dir ?? tmpdir(), 'floe-bench-writers-'))
try {
  const deps = { clock: systemClock, fileSystem: nodeFileSystem, random: systemRandom }
  const store = await openDirectoryStore(directory, deps)
  const catalog = await openCatalog({ store, clock: systemClock, random: systemRandom, log: silentLog })
  const { client } = catalog
  const { table } = await client.createTable(tableDefinition(0))
  const partitions = Array.from({ length: writerCounts.at(-1)! }, (_, partition) => partition)
  await client.claimSourcePartitions(table.tableId, partitions)
  for (const _ of partitions) ends.push(0n)
  const names = new NamePool(client, systemClock, {
    purpose: 'data-file',
    namesPerGrant: 4_096,
    refillAt: 1_024,
    grantTtlMs: 3_600_000,
    remainingMsMin: 60_000,
  })
  const curve: Figures[] = []
  for (const writers of writerCounts) {
    curve.push(await measure(client, table.tableId, names, writers))
    process.stderr.write(`${JSON.stringify(curve.at(-1))}\n`)
  }
  await catalog.close()
  await report('writers.json', { ...describeMachine(), curve })
} finally {
  await rm(directory, { recursive: true, force: true })
}
