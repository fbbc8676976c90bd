/**
 * A changed file as the bytes of a record, in each format. The Avro and Protobuf schemas are those of floe.yaml, so that
 * what is written is what Floe reads.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import avro from 'avsc'
import protobuf from 'protobufjs'
import { parse } from 'yaml'
import type { ChangedFile } from './git-log.ts'

export const formatNames = ['json', 'avro', 'protobuf'] as const
export type FormatName = (typeof formatNames)[number]

export type Encode = (file: ChangedFile) => Buffer

interface TableEntry {
  readonly source_format: string
  readonly input_schema?: string
}

export function createEncoder(format: FormatName, configPath = join(import.meta.dirname, 'floe.yaml')): Encode {
  if (format === 'json') return encodeJson
  const config = parse(readFileSync(configPath, 'utf8')) as { tables: TableEntry[] }
  const schema = config.tables.find(table => table.source_format === format)?.input_schema
  if (schema === undefined) throw new Error(`${configPath} has no table with source_format ${format} and input_schema`)
  return format === 'avro' ? createAvroEncoder(schema) : createProtobufEncoder(schema)
}

function encodeJson(file: ChangedFile): Buffer {
  return Buffer.from(
    JSON.stringify({
      commit_id: file.commitId,
      author: file.author,
      authored_at: file.authoredAt,
      path: file.path,
      lines_added: file.linesAdded,
      lines_deleted: file.linesDeleted,
    }),
  )
}

function createAvroEncoder(schema: string): Encode {
  const type = avro.Type.forSchema(JSON.parse(schema) as avro.Schema, { wrapUnions: 'never' })
  return file =>
    type.toBuffer({
      commit_id: file.commitId,
      author: file.author,
      authored_at: file.authoredAtMs,
      path: file.path,
      lines_added: file.linesAdded,
      lines_deleted: file.linesDeleted,
    })
}

function createProtobufEncoder(schema: string): Encode {
  const { root } = protobuf.parse(schema, new protobuf.Root(), { keepCase: true })
  const timestamp = protobuf.common.get('google/protobuf/timestamp.proto')
  if (timestamp?.nested === undefined) throw new Error('protobufjs does not bring google/protobuf/timestamp.proto')
  root.addJSON(timestamp.nested)
  const type = root.resolveAll().lookupType('ChangedFile')
  return file => {
    const message: Record<string, unknown> = { commit_id: file.commitId, author: file.author, path: file.path }
    // Absent fields are null in the table. Dates before 1970 count their seconds down and have no part of a second.
    if (file.authoredAtMs !== null) message.authored_at = { seconds: file.authoredAtMs / 1000, nanos: 0 }
    if (file.linesAdded !== null) message.lines_added = file.linesAdded
    if (file.linesDeleted !== null) message.lines_deleted = file.linesDeleted
    return Buffer.from(type.encode(message).finish())
  }
}
