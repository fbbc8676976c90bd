/** Python with PyIceberg, pyarrow, deltalake, DuckDB (and its iceberg, delta, avro and httpfs extensions), trino, boto3. */

import { join } from 'node:path'
import { peerPath, peersDir } from './peers.ts'
import { type Finished, type RunOptions, run } from './process.ts'

/**
 * Runs a script of the `python` peer. Without a path ending in .py the text itself is the program.
 *
 * DuckDB finds its extensions through the variable FLOE_DUCKDB_EXTENSIONS:
 * `duckdb.connect(config={'extension_directory': os.environ['FLOE_DUCKDB_EXTENSIONS']})`, then `LOAD iceberg`.
 */
export function runPython(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Finished> {
  const env = { ...pythonEnv(), FLOE_DUCKDB_EXTENSIONS: join(peersDir(), 'python/duckdb-extensions'), ...options.env }
  return run(peerPath('python'), [...program(script), ...args], { ...options, env })
}

export function program(script: string): string[] {
  return script.endsWith('.py') ? [script] : ['-c', script]
}

/** No user site packages, no bytecode beside the scripts of the checkout, and UTC. */
export function pythonEnv(): Record<string, string> {
  return { PYTHONNOUSERSITE: '1', PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8', TZ: 'UTC' }
}
