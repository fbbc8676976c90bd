/** What every result says of the machine, and where results lie. */
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'

export function describeMachine() {
  return {
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version },
    // More than the cores: others were at work, and only the rates per processor second can be compared.
    loadAverageOneMinute: round(loadavg()[0]!),
  }
}

/** Prints `result` and writes it to `bench/results/`. */
export async function report(file: string, result: unknown): Promise<void> {
  const text = `${JSON.stringify(result, null, 2)}\n`
  process.stdout.write(text)
  const results = join(import.meta.dirname, 'results')
  await mkdir(results, { recursive: true })
  await writeFile(join(results, file), text)
}

export function round(value: number): number {
  return Number(value.toFixed(2))
}
