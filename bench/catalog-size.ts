/**
 * What the catalog's state takes: bytes of memory per data file and per segment, and what a snapshot of it and reading it back cost.
 * Every file has statistics of its own (eight columns, as a table of logs has them); a segment holds one batch of records.
 *
 *   node --expose-gc bench/catalog-size.ts [--files 10000000] [--segments 10000000] [--dir DIR]
 *
 * Prints one JSON object and writes it to bench/results/catalog-size.json.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BatchBody } from '../catalog/apply-batch.ts'
import { journalInStore } from '../catalog/journal/journal.ts'
import { FilePacker } from '../catalog/replica/pack-files.ts'
import { captureSnapshot, listSnapshots, readSnapshot, writeSnapshot } from '../catalog/snapshot/snapshot-store.ts'
import { systemClock } from '../core/clock.ts'
import { nodeFileSystem } from '../core/file-system.ts'
import { seededRandom, systemRandom } from '../core/random.ts'
import { openDirectoryStore } from '../storage/directory-store.ts'
import { countFiles, liveMemoryBytes, StateMachineLoad } from './catalog-load.ts'
import { describeMachine, report, round } from './report.ts'

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000000' },
    segments: { type: 'string', default: '10000000' },
    dir: { type: 'string' },
  },
})
const fileCount = Number(values.files)
const segmentCount = Number(values.segments)
const sampleIntervalMs = 5

const load = new StateMachineLoad()
const packer = new FilePacker()

async function applyAll(batches: Iterable<BatchBody>): Promise<void> {
  for (const batch of batches) {
    load.apply(batch)
    packer.notice(load.state)
    await systemClock.yield()
  }
  await packer.settle()
}

/** Seconds that `run` took, and the most memory meanwhile, garbage included. */
async function watch<T>(run: () => Promise<T>): Promise<{ result: T; seconds: number; memoryBytesMax: number }> {
  let memoryBytesMax = 0
  const sample = (): void => {
    const { heapUsed, external } = process.memoryUsage()
    memoryBytesMax = Math.max(memoryBytesMax, heapUsed + external)
  }
  const timer = setInterval(sample, sampleIntervalMs)
  const startedMs = performance.now()
  try {
    const result = await run()
    sample()
    return { result, seconds: round((performance.now() - startedMs) / 1000), memoryBytesMax }
  } finally {
    clearInterval(timer)
  }
}

const bytesEmpty = liveMemoryBytes()
await applyAll(load.fileCommits(fileCount, 1, seededRandom(1)))
const bytesWithFiles = liveMemoryBytes()
await applyAll(load.segmentCommits(segmentCount))
const bytesWithAll = liveMemoryBytes()
if (countFiles(load.state) !== fileCount || load.state.objects.count !== segmentCount) {
  throw new Error('some commits were refused')
}

const directory = await mkdtemp(join(values.dir ?? tmpdir(), 'floe-bench-catalog-size-'))
try {
  const deps = { clock: systemClock, fileSystem: nodeFileSystem, random: systemRandom }
  const store = await openDirectoryStore(directory, deps)
  const writerId = new Uint8Array(16)
  const position = { epoch: 1, sequence: 1, crc: 0, writerId, leaderAddress: '', journal: journalInStore }
  const startedMs = performance.now()
  const captured = captureSnapshot(load.state, position)
  const capturePauseMs = round(performance.now() - startedMs)
  const written = await watch(() => writeSnapshot(store, systemClock, captured))
  const folder = (await listSnapshots(store)).at(-1)!
  const beforeReading = liveMemoryBytes()
  const read = await watch(() => readSnapshot(store, folder))
  const state = read.result!.state
  if (countFiles(state) !== fileCount || state.objects.count !== segmentCount)
    throw new Error('the snapshot lost something')
  const bytesOfState = bytesWithAll - bytesEmpty
  await report('catalog-size.json', {
    ...describeMachine(),
    files: fileCount,
    segments: segmentCount,
    memoryBytesPerFile: round((bytesWithFiles - bytesEmpty) / fileCount),
    memoryBytesPerSegment: round((bytesWithAll - bytesWithFiles) / segmentCount),
    memoryBytes: bytesOfState,
    snapshot: {
      bytes: captured.bytes,
      capturePauseMs,
      writeSeconds: written.seconds,
      memoryTimes: round((written.memoryBytesMax - bytesEmpty) / bytesOfState),
    },
    reading: {
      seconds: read.seconds,
      memoryTimes: round((read.memoryBytesMax - beforeReading) / bytesOfState),
    },
  })
} finally {
  await rm(directory, { recursive: true, force: true })
}
