/** Every command by its persisted id. */
import { assert } from '../../core/assert.ts'
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
import { alterTable, claimSourcePartitions, createTable, setTableState } from './table-commands.ts'
import { advanceLogStart, alterTopicConfigs, createPartitions, createTopic, deleteTopic } from './topic-commands.ts'

const all: readonly AppliedCommand[] = [
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
  createTable,
  alterTable,
  setTableState,
  claimSourcePartitions,
  commitTableFiles,
  beginPublish,
  completePublish,
  beginSourceGeneration,
]

const byId: (AppliedCommand | undefined)[] = []
for (const command of all) {
  assert(byId[command.id] === undefined, `command id ${command.id} is taken twice`)
  byId[command.id] = command
}

export function findCommand(id: number): AppliedCommand | undefined {
  return byId[id]
}

export const commandNames: readonly string[] = all.map(command => command.name)
