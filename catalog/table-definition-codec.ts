/**
 * Table definitions travel and are kept as JSON text: they are few and nested. Reading one checks its shape; what the parts
 * mean was validated by those who made it.
 */
import { FloeError } from '../core/errors.ts'
import type { TableDefinition } from './client.ts'

export const tableNamePattern = /^[A-Za-z0-9_]{1,200}$/

export function formatTableDefinition(definition: TableDefinition): string {
  if (!tableNamePattern.test(definition.name)) {
    throw new FloeError(
      'invalid',
      'table-name-invalid',
      `table name ${JSON.stringify(definition.name)}: use 1 to 200 of A-Z a-z 0-9 _`,
    )
  }
  const { name, source, schema, spec, properties, settings } = definition
  return JSON.stringify({ name, source, schema, spec, properties, settings })
}

/** errors  corrupt: not a table definition */
export function parseTableDefinition(text: string): TableDefinition {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw malformed('it is not JSON', error)
  }
  if (!isTableDefinition(value)) throw malformed('a part is missing or has the wrong type')
  return value
}

function isTableDefinition(value: unknown): value is TableDefinition {
  if (!isRecord(value)) return false
  const { name, source, schema, spec, properties, settings } = value
  return (
    typeof name === 'string' &&
    tableNamePattern.test(name) &&
    isRecord(source) &&
    typeof source.clusterName === 'string' &&
    typeof source.topic === 'string' &&
    isRecord(schema) &&
    Number.isSafeInteger(schema.schemaId) &&
    Array.isArray(schema.fields) &&
    schema.fields.every(isField) &&
    isRecord(spec) &&
    Number.isSafeInteger(spec.specId) &&
    Array.isArray(spec.fields) &&
    spec.fields.every(isRecord) &&
    isRecord(properties) &&
    Object.values(properties).every(property => typeof property === 'string') &&
    typeof settings === 'string'
  )
}

function isField(value: unknown): boolean {
  return isRecord(value) && Number.isSafeInteger(value.id) && typeof value.name === 'string' && isRecord(value.type)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(problem: string, cause?: unknown): FloeError {
  return new FloeError('corrupt', 'table-definition-malformed', `table definition: ${problem}`, {}, cause)
}

/** Equality of JSON values whatever the order of keys; undefined members do not count. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => equalJson(item, right[index]))
  }
  if (!isRecord(left) || !isRecord(right)) return false
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  for (const key of keys) if (!equalJson(left[key], right[key])) return false
  return true
}
