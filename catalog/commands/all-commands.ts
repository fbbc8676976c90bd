/** Every command by its persisted id, and which format levels that is. */
import { assert } from '../../core/assert.ts'
import { firstFormatLevel, formatLevelMax } from '../format-level.ts'
import { beginSourceGeneration } from './begin-source-generation.ts'
import type { AppliedCommand } from './command.ts'
import { commitSegment } from './commit-segment.ts'
import { commitTableFiles } from './commit-table-files.ts'
import {
  claimGroup,
  commitGroupOffsets,
  commitUnclaimedOffsets,
  deleteGroupOffsets,
  deleteUnclaimedOffsets,
  releaseGroup,
} from './group-commands.ts'
import { allocateProducerIds, forgetGarbage, grantNames, openSession } from './name-commands.ts'
import { registerNode, removeNode } from './node-commands.ts'
import { beginPublish, completePublish } from './publish-commands.ts'
import { raiseFormatLevel } from './raise-format-level.ts'
import { alterTable, claimSourcePartitions, createTable, setTableState } from './table-commands.ts'
import { advanceLogStart, alterTopicConfigs, createPartitions, createTopic, deleteTopic } from './topic-commands.ts'

export const allCommands: readonly AppliedCommand[] = [
  openSession,
  createTopic,
  deleteTopic,
  alterTopicConfigs,
  createPartitions,
  advanceLogStart,
  allocateProducerIds,
  grantNames,
  commitSegment,
  forgetGarbage,
  commitUnclaimedOffsets,
  commitGroupOffsets,
  deleteUnclaimedOffsets,
  deleteGroupOffsets,
  claimGroup,
  releaseGroup,
  registerNode,
  removeNode,
  raiseFormatLevel,
  createTable,
  alterTable,
  setTableState,
  claimSourcePartitions,
  commitTableFiles,
  beginPublish,
  completePublish,
  beginSourceGeneration,
]

/** What a process can apply. Of another version there is another one: tests make them up. */
export interface CommandTable {
  /** The newest format level that the process knows. */
  readonly formatLevelMax: number
  find(id: number): AppliedCommand | undefined
}

export function makeCommandTable(commands: readonly AppliedCommand[], formatLevelMax: number): CommandTable {
  const byId: (AppliedCommand | undefined)[] = []
  for (const command of commands) {
    const { id, name, formatLevel = firstFormatLevel } = command
    assert(byId[id] === undefined, `command id ${id} is taken twice`)
    assert(formatLevel <= formatLevelMax, `${name} came with a format level that is not known`)
    byId[id] = command
  }
  return { formatLevelMax, find: id => byId[id] }
}

/** Of this Floe. */
export const commandTable = makeCommandTable(allCommands, formatLevelMax)
