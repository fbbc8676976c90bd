import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Fixes the size of V8's young generation, of this process and its worker threads.
 *
 * What a server holds are buffers outside the heap. Left alone, the young generation grows to 48 MB per thread while modules are
 * loaded and never shrinks: 90 MB of resident memory for nothing (bench/memory.ts). At its first size, requests under way
 * outlive it and fill the old generation: a third more processor time (bench/broker.ts). V8 takes no size once it runs, only
 * whether to grow, so it is made to grow here, in about ten milliseconds, and then told to stay.
 */
export function fixYoungGeneration() {
  for (let round = 0; round < roundsMax && youngGenerationBytes() < bytesTarget; round++) {
    // Garbage that outlives a collection or two is what makes it grow.
    const kept = []
    for (let index = 0; index < 5_000; index++) kept.push({ index })
  }
  setFlagsFromString('--semi-space-growth-factor=1')
}

const bytesTarget = 8 * 1024 * 1024
const roundsMax = 400

function youngGenerationBytes() {
  return getHeapSpaceStatistics().find(space => space.space_name === 'new_space')?.space_size ?? bytesTarget
}
