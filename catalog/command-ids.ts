/**
 * Persisted command ids. A command's layout never changes: a new layout is a new id, and the old one stays readable for as
 * long as a journal may hold it. Ids are never reused. A new id comes with a new format level (format-level.ts).
 */
export const commandIds = {
  openSession: 1,
  createTopic: 2,
  deleteTopic: 3,
  alterTopicConfigs: 4,
  createPartitions: 5,
  advanceLogStart: 6,
  allocateProducerIds: 10,
  grantNames: 11,
  commitSegment: 12,
  forgetGarbage: 13,
  commitUnclaimedOffsets: 20,
  deleteUnclaimedOffsets: 21,
  commitGroupOffsets: 22,
  claimGroup: 23,
  releaseGroup: 24,
  deleteGroupOffsets: 25,
  createTable: 30,
  alterTable: 31,
  setTableState: 32,
  claimSourcePartitions: 33,
  commitTableFiles: 34,
  beginPublish: 35,
  completePublish: 36,
  beginSourceGeneration: 37,
  registerNode: 40,
  removeNode: 41,
  raiseFormatLevel: 42,
} as const
