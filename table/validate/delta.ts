/**
 * Validates one rendered Delta commit: the rules on actions within a commit, statistics against the plan, and that names and
 * partition values are what readers expect.
 *
 * source  Delta protocol, "Actions", "Action Reconciliation", "Per-file Statistics"
 */
import { FloeError } from '../../core/errors.ts'
import { buildCommitPath, type DeltaRendering } from '../delta/render.ts'
import { buildDeltaTable, encodePath } from '../delta/table-actions.ts'
import { type JsonObject, JsonReader, type JsonValue, parseJson, printJson } from '../exact-json.ts'
import { formatProgress, progressKey } from '../progress-text.ts'
import type { PublishPlan, RenderedObject, TableIdentity } from '../rendering.ts'
import { requireSchema } from '../schema.ts'
import { Checker, checkObjects, checkPath } from './checker.ts'

interface CommitActions {
  readonly commitInfo: JsonReader
  readonly protocol: JsonReader | undefined
  readonly metaData: JsonReader | undefined
  readonly txn: JsonReader
  readonly adds: readonly JsonReader[]
  readonly removes: readonly JsonReader[]
}

/**
 * objects  as renderDelta returned them for `plan` on `previous`
 * errors   internal `rendering-invalid`, naming object and field; corrupt when an object cannot even be parsed
 */
export function validateDelta(
  table: TableIdentity,
  plan: PublishPlan,
  objects: readonly RenderedObject[],
  previous: DeltaRendering | undefined,
): void {
  checkObjects(objects, [])
  const path = buildCommitPath(plan.version)
  const checker: Checker = new Checker(path)
  checker.equal(objects.map(object => object.path).join(), path, 'objects')
  checker.equal(plan.version, previous === undefined ? 0 : previous.version + 1, 'version')
  const actions = readCommit(objects[0]!.bytes, path)
  checkCommitInfo(checker, plan, actions)
  checkDefinition(checker, table, plan, actions)
  checker.equal(actions.txn.string('appId'), `floe-${table.uuid}`, 'txn.appId')
  checker.equal(actions.txn.integer('version'), plan.version, 'txn.version')
  checkFiles(checker, table, plan, actions)
}

/** errors  internal: not one JSON action per line, or actions that may stand there once stand there twice */
export function readCommit(bytes: Uint8Array, path: string): CommitActions {
  const checker: Checker = new Checker(path)
  const text = decodeText(bytes, path)
  checker.must(text.endsWith('\n'), 'text', 'does not end with a line end')
  const byName = new Map<string, JsonReader[]>()
  for (const [index, line] of text.slice(0, -1).split('\n').entries()) {
    const reader = new JsonReader(parseJson(line, `${path} line ${index + 1}`), `${path} line ${index + 1}`)
    const name = reader.keys[0] ?? ''
    checker.equal(reader.keys.length, 1, `line ${index + 1} number of actions`)
    checker.must(actionNames.has(name), `line ${index + 1}`, `has the unknown action ${name}`)
    checker.must(index > 0 || name === 'commitInfo', 'line 1', 'is not commitInfo')
    byName.set(name, [...(byName.get(name) ?? []), reader.object(name)])
  }
  const single = (name: string): JsonReader | undefined => {
    const found = byName.get(name) ?? []
    checker.must(found.length <= 1, name, 'stands there twice')
    return found[0]
  }
  const commitInfo = single('commitInfo')
  const txn = single('txn')
  checker.must(commitInfo !== undefined, 'commitInfo', 'is missing')
  checker.must(txn !== undefined, 'txn', 'is missing')
  return {
    commitInfo,
    txn,
    protocol: single('protocol'),
    metaData: single('metaData'),
    adds: byName.get('add') ?? [],
    removes: byName.get('remove') ?? [],
  }
}

function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new FloeError('corrupt', 'malformed-json', `${path} is not UTF-8`, { path }, cause)
  }
}

const actionNames = new Set(['commitInfo', 'protocol', 'metaData', 'txn', 'add', 'remove'])

function checkCommitInfo(checker: Checker, plan: PublishPlan, { commitInfo }: CommitActions): void {
  checker.equal(commitInfo.integer('timestamp'), plan.timestampMs, 'commitInfo.timestamp')
  checker.equal(commitInfo.string(progressKey), formatProgress(plan.progress), `commitInfo.${progressKey}`)
  commitInfo.strings('operationMetrics')
  commitInfo.strings('operationParameters')
}

function checkDefinition(checker: Checker, table: TableIdentity, plan: PublishPlan, actions: CommitActions): void {
  const { protocol, metaData } = actions
  checker.must(plan.version > 0 || protocol !== undefined, 'protocol', 'is missing in version 0')
  checker.must(plan.version > 0 || metaData !== undefined, 'metaData', 'is missing in version 0')
  checker.equal(protocol === undefined, metaData === undefined, 'protocol and metaData together')
  if (protocol === undefined || metaData === undefined) return
  const reads = protocol.integer('minReaderVersion')
  const writes = protocol.integer('minWriterVersion')
  checker.equal(protocol.has('readerFeatures'), reads === 3, 'protocol.readerFeatures present')
  checker.equal(protocol.has('writerFeatures'), writes === 7, 'protocol.writerFeatures present')
  checker.must((reads === 1 && writes === 2) || (reads === 3 && writes === 7), 'protocol', `is ${reads}/${writes}`)
  const schemaText = metaData.string('schemaString')
  if (reads === 3) {
    const writerFeatures = protocol.array('writerFeatures')
    for (const feature of protocol.array('readerFeatures')) {
      checker.must(
        writerFeatures.includes(feature),
        'protocol.writerFeatures',
        `lacks the reader feature ${String(feature)}`,
      )
    }
  }
  checker.equal(schemaText.includes('"timestamp_ntz"'), reads === 3, 'protocol with the feature timestampNtz')
  checker.equal(metaData.string('id'), table.uuid, 'metaData.id')
  checker.equal(metaData.object('format').string('provider'), 'parquet', 'metaData.format.provider')
  checker.equal(metaData.integer('createdTime'), table.createdMs, 'metaData.createdTime')
  metaData.strings('configuration')
  const schema = new JsonReader(
    parseJson(schemaText, `${checker.object}: schemaString`),
    `${checker.object}: schemaString`,
  )
  const names = checkStruct(checker, 'schemaString', schema)
  for (const column of metaData.array('partitionColumns')) {
    checker.must(names.has(String(column)), 'metaData.partitionColumns', `${String(column)} is no column`)
  }
}

const primitives = /^(boolean|integer|long|float|double|date|timestamp|timestamp_ntz|string|binary|decimal\(\d+,\d+\))$/

function checkStruct(checker: Checker, field: string, struct: JsonReader): Set<string> {
  checker.equal(struct.string('type'), 'struct', `${field}.type`)
  const names = new Set<string>()
  for (const member of struct.objects('fields')) {
    const name = member.string('name')
    checker.must(
      !names.has(name.toLowerCase()) && name !== '',
      field,
      `has the column ${JSON.stringify(name)} twice or unnamed`,
    )
    names.add(name.toLowerCase())
    names.add(name)
    member.boolean('nullable')
    member.object('metadata')
    checkType(checker, `${field}.${name}`, member.value('type'))
  }
  checker.must(names.size > 0, field, 'has no fields')
  return names
}

function checkType(checker: Checker, field: string, type: JsonValue | undefined): void {
  if (typeof type === 'string') {
    checker.must(primitives.test(type), field, `has the unknown type ${type}`)
    return
  }
  const reader = new JsonReader(type, field)
  switch (reader.string('type')) {
    case 'struct':
      checkStruct(checker, field, reader)
      return
    case 'array':
      reader.boolean('containsNull')
      checkType(checker, `${field}.element`, reader.value('elementType'))
      return
    case 'map':
      reader.boolean('valueContainsNull')
      checkType(checker, `${field}.key`, reader.value('keyType'))
      checkType(checker, `${field}.value`, reader.value('valueType'))
      return
  }
  checker.fail(field, 'has an unknown type')
}

function checkFiles(checker: Checker, table: TableIdentity, plan: PublishPlan, actions: CommitActions): void {
  const delta = buildDeltaTable(table, requireSchema(table.schemas, table.currentSchemaId))
  const columns = delta.metaData.partitionColumns.join()
  const adds = new Map(actions.adds.map(add => [add.string('path'), add]))
  const removes = new Map(actions.removes.map(remove => [remove.string('path'), remove]))
  checker.equal(adds.size, actions.adds.length, 'adds with distinct paths')
  checker.equal(removes.size, actions.removes.length, 'removes with distinct paths')
  checker.equal(adds.size, plan.added.length, 'number of adds')
  checker.equal(removes.size, plan.removed.length, 'number of removes')
  for (const file of plan.added) {
    const add = adds.get(encodePath(file.path))
    const field = `add ${file.path}`
    checker.must(add !== undefined, field, 'is missing')
    checkPath(checker, field, decodeURIComponent(add.string('path')))
    checker.equal(add.integer('size'), file.fileBytes, `${field} size`)
    checker.equal(add.boolean('dataChange'), plan.operation === 'append', `${field} dataChange`)
    checker.equal(add.object('partitionValues').keys.join(), columns, `${field} partitionValues`)
    checker.must(add.integer('modificationTime') >= 0, `${field} modificationTime`, 'is negative')
    checkStats(checker, field, file.recordCount, add.string('stats'))
  }
  for (const file of plan.removed) {
    const remove = removes.get(encodePath(file.path))
    const field = `remove ${file.path}`
    checker.must(remove !== undefined, field, 'is missing')
    checker.must(!adds.has(encodePath(file.path)), field, 'is added in the same commit')
    checker.equal(remove.boolean('dataChange'), false, `${field} dataChange`)
    checker.equal(remove.integer('deletionTimestamp'), plan.timestampMs, `${field} deletionTimestamp`)
    checker.equal(remove.object('partitionValues').keys.join(), columns, `${field} partitionValues`)
  }
}

function checkStats(checker: Checker, field: string, recordCount: number, text: string): void {
  const stats = new JsonReader(parseJson(text, `${field} stats`), `${field} stats`)
  checker.equal(stats.integer('numRecords'), recordCount, `${field} stats.numRecords`)
  const mins = flatten(stats.value('minValues'))
  const maxes = flatten(stats.value('maxValues'))
  const nullCounts = flatten(stats.value('nullCount'))
  for (const [path, count] of nullCounts) {
    const isCount = typeof count === 'number' && count >= 0 && count <= recordCount
    checker.must(isCount, `${field} stats.nullCount ${path}`, `${printJson(count)} is not from 0 to ${recordCount}`)
  }
  for (const path of [...mins.keys(), ...maxes.keys()]) {
    checker.must(nullCounts.has(path), `${field} stats ${path}`, 'has bounds and no null count')
    checker.must(nullCounts.get(path) !== recordCount, `${field} stats ${path}`, 'is all null and has bounds')
  }
  for (const [path, min] of mins) {
    const max = maxes.get(path)
    if (max === undefined) continue
    checker.must(
      inOrder(min, max),
      `${field} stats ${path}`,
      `minimum ${printJson(min)} is above maximum ${printJson(max)}`,
    )
  }
}

function inOrder(min: JsonValue, max: JsonValue): boolean {
  // Dates, timestamps and text: UTF-8 order.
  if (typeof min === 'string' && typeof max === 'string') return Buffer.compare(Buffer.from(min), Buffer.from(max)) <= 0
  if (typeof min === 'boolean' && typeof max === 'boolean') return min <= max
  const isNumber = (value: JsonValue): value is number | bigint =>
    typeof value === 'number' || typeof value === 'bigint'
  return isNumber(min) && isNumber(max) && min <= max
}

/** Members of nested objects by dotted path. */
function flatten(
  value: JsonValue | undefined,
  prefix = '',
  into = new Map<string, JsonValue>(),
): Map<string, JsonValue> {
  for (const [name, member] of Object.entries((value ?? {}) as JsonObject)) {
    if (member === undefined) continue
    if (typeof member === 'object' && member !== null) flatten(member, `${prefix}${name}.`, into)
    else into.set(`${prefix}${name}`, member)
  }
  return into
}
