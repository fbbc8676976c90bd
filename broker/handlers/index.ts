/** Every call this broker serves. What is not here is not advertised. */
import { type ApiName, apiNames } from '../../kafka/api-keys.ts'
import type { Handler } from '../context.ts'
import { handleAlterConfigs } from './alter-configs.ts'
import { createApiVersionsHandler } from './api-versions.ts'
import { handleCreatePartitions } from './create-partitions.ts'
import { handleCreateTopics } from './create-topics.ts'
import { handleDeleteGroups } from './delete-groups.ts'
import { handleDeleteRecords } from './delete-records.ts'
import { handleDeleteTopics } from './delete-topics.ts'
import { handleDescribeCluster } from './describe-cluster.ts'
import { handleDescribeConfigs } from './describe-configs.ts'
import { handleDescribeGroups } from './describe-groups.ts'
import { handleDescribeLogDirs } from './describe-log-dirs.ts'
import { handleDescribeTopicPartitions } from './describe-topic-partitions.ts'
import { handleFetch } from './fetch.ts'
import { handleFindCoordinator } from './find-coordinator.ts'
import { handleHeartbeat } from './heartbeat.ts'
import { handleIncrementalAlterConfigs } from './incremental-alter-configs.ts'
import { handleInitProducerId } from './init-producer-id.ts'
import { handleJoinGroup } from './join-group.ts'
import { handleLeaveGroup } from './leave-group.ts'
import { handleListGroups } from './list-groups.ts'
import { handleListOffsets } from './list-offsets.ts'
import { handleMetadata } from './metadata.ts'
import { handleOffsetCommit } from './offset-commit.ts'
import { handleOffsetDelete } from './offset-delete.ts'
import { handleOffsetFetch } from './offset-fetch.ts'
import { handleOffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'
import { handleProduce } from './produce.ts'
import { handleSaslAuthenticate } from './sasl-authenticate.ts'
import { handleSaslHandshake } from './sasl-handshake.ts'
import { handleSyncGroup } from './sync-group.ts'

type Handlers = { readonly [A in ApiName]?: Handler<A> }

const handlers: Handlers = {
  Produce: handleProduce,
  Fetch: handleFetch,
  ListOffsets: handleListOffsets,
  Metadata: handleMetadata,
  OffsetCommit: handleOffsetCommit,
  OffsetFetch: handleOffsetFetch,
  FindCoordinator: handleFindCoordinator,
  JoinGroup: handleJoinGroup,
  Heartbeat: handleHeartbeat,
  LeaveGroup: handleLeaveGroup,
  SyncGroup: handleSyncGroup,
  DescribeGroups: handleDescribeGroups,
  ListGroups: handleListGroups,
  SaslHandshake: handleSaslHandshake,
  ApiVersions: createApiVersionsHandler(() => servedApis),
  CreateTopics: handleCreateTopics,
  DeleteTopics: handleDeleteTopics,
  DeleteRecords: handleDeleteRecords,
  InitProducerId: handleInitProducerId,
  OffsetForLeaderEpoch: handleOffsetForLeaderEpoch,
  DescribeConfigs: handleDescribeConfigs,
  AlterConfigs: handleAlterConfigs,
  DescribeLogDirs: handleDescribeLogDirs,
  SaslAuthenticate: handleSaslAuthenticate,
  CreatePartitions: handleCreatePartitions,
  DeleteGroups: handleDeleteGroups,
  IncrementalAlterConfigs: handleIncrementalAlterConfigs,
  OffsetDelete: handleOffsetDelete,
  DescribeCluster: handleDescribeCluster,
  DescribeTopicPartitions: handleDescribeTopicPartitions,
}

/** Undefined: not served. */
export function findHandler<A extends ApiName>(api: A): Handler<A> | undefined {
  return handlers[api]
}

const servedApis: readonly ApiName[] = apiNames.filter(name => handlers[name] !== undefined)
