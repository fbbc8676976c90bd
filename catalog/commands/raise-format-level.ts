/** raiseFormatLevel: from now on the catalog may hold what came with a newer format level (format-level.ts). */
import { FloeError } from '../../core/errors.ts'
import { commandIds } from '../command-ids.ts'
import { formatLevelsMax } from '../limits.ts'
import { type Command, checkCount, expectEnd } from './command.ts'
import { describePlace } from './node-commands.ts'

/** Returns the level that the catalog is at. A level that it has, or is beyond, changes nothing. */
export const raiseFormatLevel: Command<number, number> = {
  id: commandIds.raiseFormatLevel,
  name: 'raiseFormatLevel',
  encode(writer, formatLevel) {
    checkCount(formatLevel, formatLevelsMax, 'the format level', 1)
    writer.uvarint(formatLevel)
  },
  apply(state, reader, out) {
    const formatLevel = reader.uvarint()
    expectEnd(reader)
    checkCount(formatLevel, formatLevelsMax, 'the format level', 1)
    // Who knows less stops here, or when it reads a snapshot from beyond: it must not be one that others count on.
    const nodes = state.nodes.all()
    const behind = nodes.find(node => node.formatLevelMax < formatLevel)
    if (behind !== undefined || nodes.length === 0) {
      const who =
        behind === undefined ? 'no process is registered' : `${describePlace(behind)} knows ${behind.formatLevelMax}`
      throw new FloeError(
        'conflict',
        'format-level-not-known',
        `the catalog stays at format level ${state.formatLevel}: not every process knows level ${formatLevel}, ${who}`,
      )
    }
    state.formatLevel = Math.max(state.formatLevel, formatLevel)
    out.uvarint(state.formatLevel)
  },
  decodeResult: reader => reader.uvarint(),
}
