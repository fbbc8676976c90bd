/** A command to put into a batch, when nobody waits for its answer. */
import type { Command } from '../../catalog/commands/command.ts'
import type { PendingCommand } from '../../catalog/pending-command.ts'

export function pendingCommand<Arguments>(
  clientId: Uint8Array,
  requestNumber: number,
  command: Pick<Command<Arguments, unknown>, 'id' | 'name' | 'encode'>,
  args: Arguments,
): PendingCommand {
  const ignore = (): void => {}
  let given: Arguments | undefined = args
  return {
    clientId,
    requestNumber,
    commandId: command.id,
    commandName: command.name,
    encode: body => {
      command.encode(body, given as Arguments)
      given = undefined
    },
    answer: ignore,
    lost: ignore,
    fail: ignore,
  }
}
