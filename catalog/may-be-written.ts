/**
 * What may get into the journal: commands that every registered process can apply. The leader asks before it takes a command, and the
 * answer holds for ever, since the catalog's format level never goes back: it does not matter what lies in the journal by the time that
 * the command is written, nor whether a command that is asked again was written before.
 */
import { FloeError } from '../core/errors.ts'
import { describePlace } from './commands/node-commands.ts'
import { firstFormatLevel } from './format-level.ts'
import type { PendingCommand } from './pending-command.ts'
import type { Replica } from './replica/replica.ts'

/** Why the command must not be written. Undefined: it may. */
export function findUnwritable(
  { commandId, commandName }: Pick<PendingCommand, 'commandId' | 'commandName'>,
  { state, commands }: Pick<Replica, 'state' | 'commands'>,
): FloeError | undefined {
  const command = commands.find(commandId)
  if (command === undefined) {
    return new FloeError(
      'unsupported',
      'catalog-command-unknown',
      `the leader of the catalog, of format level ${commands.formatLevelMax}, does not know ${commandName}: it was not written`,
    )
  }
  const { formatLevel = firstFormatLevel } = command
  if (formatLevel <= state.formatLevel) return undefined
  const behind = state.nodes.all().filter(node => node.formatLevelMax < formatLevel)
  const why =
    behind.length === 0
      ? 'it is raised once all processes have known the level for some minutes'
      : `it stays there while ${behind.map(describePlace).join(', ')} runs an older version`
  return new FloeError(
    'unsupported',
    'format-level-too-low',
    `${commandName} needs format level ${formatLevel}, and the catalog is at ${state.formatLevel}: ${why}`,
  )
}
