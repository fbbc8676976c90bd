/** createTable, alterTable, setTableState, claimSourcePartitions. */
import { FloeError } from '../../core/errors.ts'
import type { SourceCoverage, Table, TableDefinition } from '../client.ts'
import { commandIds } from '../command-ids.ts'
import { sourcePartitionsMax, tablesMax } from '../limits.ts'
import { equalJson, formatTableDefinition, parseTableDefinition } from '../table-definition-codec.ts'
import { type Command, checkCount, expectEnd } from './command.ts'
import { readCoverage, readTable, writeCoverage, writeTable } from './table-result-codec.ts'

export interface CreateTableArguments {
  /** Fresh, from the client. */
  readonly tableUuid: Uint8Array
  readonly definition: TableDefinition
}

export const createTable: Command<
  CreateTableArguments,
  { readonly outcome: 'created' | 'exists'; readonly table: Table }
> = {
  id: commandIds.createTable,
  name: 'createTable',
  encode(writer, { tableUuid, definition }) {
    writer.raw(tableUuid)
    writer.sizedString(formatTableDefinition(definition))
  },
  apply(state, reader, out) {
    const uuidBytes = reader.raw(16)
    const definitionText = reader.sizedString()
    expectEnd(reader)
    const existing = state.tables.byName(parseTableDefinition(definitionText).name)
    if (existing === undefined && state.tables.count >= tablesMax) {
      throw new FloeError('exhausted', 'too-many-tables', `there are ${tablesMax} tables, the most the catalog holds`)
    }
    out.uint8(existing === undefined ? 0 : 1)
    writeTable(out, existing ?? state.tables.create(uuidBytes, state.nowMs, definitionText))
  },
  decodeResult: reader => ({ outcome: reader.uint8() === 0 ? 'created' : 'exists', table: readTable(reader) }),
}

export interface AlterTableArguments {
  readonly tableId: number
  readonly definition: TableDefinition
}

export const alterTable: Command<AlterTableArguments, 'altered' | 'unknown-table' | 'schema-change-refused'> = {
  id: commandIds.alterTable,
  name: 'alterTable',
  encode(writer, { tableId, definition }) {
    writer.uvarint(tableId)
    writer.sizedString(formatTableDefinition(definition))
  },
  apply(state, reader, out) {
    const table = state.tables.byId(reader.uvarint())
    const definitionText = reader.sizedString()
    expectEnd(reader)
    const definition = parseTableDefinition(definitionText)
    if (table === undefined) return out.uint8(1)
    if (definition.name !== table.definition.name) {
      throw new FloeError(
        'invalid',
        'table-rename',
        `table ${table.definition.name} cannot be renamed to ${definition.name}`,
      )
    }
    const { schema, spec } = table.definition
    if (!equalJson(definition.schema, schema) || !equalJson(definition.spec, spec)) return out.uint8(2)
    out.uint8(0)
    table.definition = definition
    table.definitionText = definitionText
  },
  decodeResult(reader) {
    const outcome = reader.uint8()
    return outcome === 0 ? 'altered' : outcome === 1 ? 'unknown-table' : 'schema-change-refused'
  },
}

export interface SetTableStateArguments {
  readonly tableId: number
  readonly state: 'running' | 'stopped'
  readonly reason: string | undefined
}

export const setTableState: Command<SetTableStateArguments, 'set' | 'unknown-table'> = {
  id: commandIds.setTableState,
  name: 'setTableState',
  encode(writer, { tableId, state, reason }) {
    writer.uvarint(tableId)
    writer.bool(state === 'stopped')
    writer.sizedString(state === 'stopped' ? (reason ?? '') : '')
  },
  apply(state, reader, out) {
    const table = state.tables.byId(reader.uvarint())
    const stopped = reader.bool()
    const reason = reader.sizedString()
    expectEnd(reader)
    out.uint8(table === undefined ? 1 : 0)
    if (table === undefined) return
    table.stopped = stopped
    table.stoppedReason = reason === '' ? undefined : reason
  },
  decodeResult: reader => (reader.uint8() === 0 ? 'set' : 'unknown-table'),
}

export interface ClaimSourcePartitionsArguments {
  readonly tableId: number
  readonly partitions: readonly number[]
}

export const claimSourcePartitions: Command<
  ClaimSourcePartitionsArguments,
  readonly SourceCoverage[] | 'unknown-table'
> = {
  id: commandIds.claimSourcePartitions,
  name: 'claimSourcePartitions',
  encode(writer, { tableId, partitions }) {
    writer.uvarint(tableId)
    writer.uvarint(partitions.length)
    for (const partition of partitions) {
      checkCount(partition, sourcePartitionsMax - 1, 'source partition')
      writer.uvarint(partition)
    }
  },
  apply(state, reader, out) {
    const table = state.tables.byId(reader.uvarint())
    const partitions: number[] = []
    const count = reader.boundedCount()
    let end = 0
    for (let index = 0; index < count; index++) {
      const partition = reader.uvarint()
      checkCount(partition, sourcePartitionsMax - 1, 'source partition')
      partitions.push(partition)
      end = Math.max(end, partition + 1)
    }
    expectEnd(reader)
    if (table === undefined) return out.uint8(1)
    out.uint8(0)
    out.uvarint(count)
    table.accounts.reserve(end)
    for (const partition of partitions) {
      table.accounts.ownerEpochs[partition]! += 1
      writeCoverage(out, table, partition)
    }
  },
  decodeResult(reader) {
    if (reader.uint8() !== 0) return 'unknown-table'
    const coverage: SourceCoverage[] = []
    const count = reader.boundedCount(20)
    for (let index = 0; index < count; index++) coverage.push(readCoverage(reader))
    return coverage
  },
}
