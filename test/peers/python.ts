/** Python with PyIceberg, pyarrow, deltalake, DuckDB (and its iceberg, delta, avro and httpfs extensions), trino, boto3. */

import { launcher } from './peers.ts'
import { type Finished, type RunOptions, run } from './process.ts'

/**
 * Runs a script of the `python` peer. Without a path ending in .py the text itself is the program.
 *
 * DuckDB finds its extensions through the variable FLOE_DUCKDB_EXTENSIONS:
 * `duckdb.connect(config={'extension_directory': os.environ['FLOE_DUCKDB_EXTENSIONS']})`, then `LOAD iceberg`.
 */
export function runPython(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Finished> {
  return run(launcher('python'), [...program(script), ...args], options)
}

export function program(script: string): string[] {
  return script.endsWith('.py') ? [script] : ['-c', script]
}
