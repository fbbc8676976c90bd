/** `floe serve --processes N`: the parent of N processes, until Ctrl-C or SIGTERM. */
import { FloeError } from '../../core/errors.ts'
import { loadConfig } from '../cli/load-config.ts'
import type { Output } from '../cli/output.ts'
import { createLog } from '../server/log.ts'
import { processesMax, startProcesses } from '../server/process-group.ts'
import { untilAborted, watchStopSignals } from '../server/until-stopped.ts'
import { parseRoles, type ServeOptions } from './serve.ts'

export async function runServeProcesses(
  options: ServeOptions & { readonly processes: string },
  output: Output,
): Promise<void> {
  const count = Number(options.processes)
  if (!Number.isInteger(count) || count < 1 || count > processesMax) {
    throw new FloeError('invalid', 'processes', `--processes takes a number from 1 to ${processesMax}`)
  }
  // Mistakes are told once, by the parent.
  const config = loadConfig(options.config)
  parseRoles(options.roles)
  const stopping = watchStopSignals()
  const log = createLog(config.server.log.level)
  const command = [process.execPath, ...process.execArgv, process.argv[1]!, 'serve']
  if (options.config !== undefined) command.push('--config', options.config)
  if (options.dataDir !== undefined) command.push('--data-dir', options.dataDir)
  if (options.roles !== undefined) command.push('--roles', options.roles)
  const group = startProcesses(count, command, log)
  try {
    const stopped = untilAborted(stopping.signal)
    const places = await Promise.race([group.ready, group.failed, stopped])
    if (places === undefined) return
    output.result({ processes: places }, () =>
      places.map(({ kafka, http }, index) => `process ${index}: Kafka on ${kafka}, HTTP on ${http}`).join('\n'),
    )
    await Promise.race([stopped, group.failed])
  } finally {
    await group.stop()
  }
}
