/**
 * Renders one version of a table as a Delta commit: `_delta_log/<20 digits>.json`, one action per line. Pure.
 *
 *   version 0   commitInfo, protocol, metaData, txn
 *   version n   commitInfo, [protocol, metaData when they changed], txn, add*, remove*
 *
 * Version n of the log is version n of the table; txn{appId: floe-<uuid>, version: n} says so to whoever repeats a commit.
 * commitInfo holds no wall clock and no random value, so a commit rendered again is the same bytes; it also carries a hash of
 * protocol and metaData, which is all that the next version needs to know about this one.
 *
 * source  Delta protocol, "Delta Log Entries", "Commit Provenance Information"
 */
import { createHash } from 'node:crypto'
import { FloeError } from '../../core/errors.ts'
import { type JsonObject, JsonReader, parseJson, printJson } from '../exact-json.ts'
import { formatProgress, progressKey } from '../progress-text.ts'
import type { PublishPlan, RenderedObject, TableIdentity } from '../rendering.ts'
import { requireSchema } from '../schema.ts'
import type { DataFile } from '../types.ts'
import {
  buildAdd,
  buildDeltaTable,
  buildRemove,
  buildTxn,
  type DeltaTable,
  printAction,
  toJsonObject,
} from './table-actions.ts'

/** What the next version is rendered on. Rebuilt by readDeltaRendering. */
export interface DeltaRendering {
  readonly version: number
  readonly timestampMs: number
  /** Of protocol and metaData as they hold at this version. */
  readonly definitionHash: string
}

export interface DeltaResult {
  readonly objects: readonly RenderedObject[]
  readonly rendering: DeltaRendering
}

const definitionHashKey = 'floe.definition'

export const buildCommitPath = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`

/** errors  internal: the plan does not follow `previous` */
export function renderDelta(
  table: TableIdentity,
  plan: PublishPlan,
  previous: DeltaRendering | undefined,
): DeltaResult {
  const expected = previous === undefined ? 0 : previous.version + 1
  if (plan.version !== expected) {
    throw new FloeError(
      'internal',
      'plan-out-of-sequence',
      `a plan for version ${plan.version} cannot follow Delta version ${previous?.version ?? 'none'}`,
      { version: plan.version },
    )
  }
  const delta = buildDeltaTable(table, requireSchema(table.schemas, table.currentSchemaId))
  const { protocol, metaData } = toJsonObject(delta)
  const definitionHash = createHash('sha256')
    .update(printJson([protocol, metaData]))
    .digest('hex')
  const lines = [printAction('commitInfo', buildCommitInfo(table, plan, delta, definitionHash))]
  if (previous?.definitionHash !== definitionHash) {
    lines.push(printAction('protocol', protocol), printAction('metaData', metaData))
  }
  lines.push(printAction('txn', { ...buildTxn(table, plan.version, plan.timestampMs) }))
  const dataChange = plan.operation !== 'replace'
  for (const file of plan.added) {
    lines.push(printAction('add', { ...buildAdd(delta, file, plan.timestampMs, dataChange) }))
  }
  for (const file of plan.removed) lines.push(printAction('remove', { ...buildRemove(delta, file, plan.timestampMs) }))
  return {
    objects: [{ path: buildCommitPath(plan.version), bytes: new TextEncoder().encode(lines.join('')), mode: 'create' }],
    rendering: { version: plan.version, timestampMs: plan.timestampMs, definitionHash },
  }
}

const countRecords = (files: readonly DataFile[]): string =>
  String(files.reduce((total, file) => total + file.recordCount, 0))
const countBytes = (files: readonly DataFile[]): string =>
  String(files.reduce((total, file) => total + file.fileBytes, 0))

function buildCommitInfo(
  table: TableIdentity,
  plan: PublishPlan,
  delta: DeltaTable,
  definitionHash: string,
): JsonObject {
  const operations = { none: 'CREATE TABLE', append: 'WRITE', replace: 'OPTIMIZE' } as const
  const parameters: Record<typeof plan.operation, Record<string, string>> = {
    none: { partitionBy: printJson(delta.metaData.partitionColumns) },
    append: { mode: 'Append', partitionBy: printJson(delta.metaData.partitionColumns) },
    replace: { predicate: '[]' },
  }
  return {
    timestamp: plan.timestampMs,
    operation: operations[plan.operation],
    operationParameters: parameters[plan.operation],
    isolationLevel: 'Serializable',
    isBlindAppend: plan.operation !== 'replace',
    operationMetrics: {
      numFiles: String(plan.added.length),
      numOutputRows: countRecords(plan.added),
      numOutputBytes: countBytes(plan.added),
      numRemovedFiles: String(plan.removed.length),
      numRemovedBytes: countBytes(plan.removed),
    },
    engineInfo: 'Floe',
    txnId: `${table.uuid}-${plan.version}`,
    [definitionHashKey]: definitionHash,
    [progressKey]: formatProgress(plan.progress),
  }
}

/**
 * Rebuilds a rendering from the commit of its version.
 *
 * readObject  the bytes at a path below the table's root; undefined when there is no such object
 * errors      corrupt: the commit is missing, or not one of Floe's
 */
export async function readDeltaRendering(
  readObject: (path: string) => Promise<Uint8Array | undefined>,
  version: number,
): Promise<DeltaRendering> {
  const path = buildCommitPath(version)
  const bytes = await readObject(path)
  if (bytes === undefined) throw new FloeError('corrupt', 'metadata-object-missing', `${path} does not exist`, { path })
  const lineEnd = bytes.indexOf(0x0a)
  const line = lineEnd < 0 ? bytes : bytes.subarray(0, lineEnd)
  const commitInfo = new JsonReader(parseJson(line, path), path).object('commitInfo')
  return {
    version,
    timestampMs: commitInfo.integer('timestamp'),
    definitionHash: commitInfo.string(definitionHashKey),
  }
}
