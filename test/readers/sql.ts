/** Conditions as SQL of each engine. */
import type { SampleType, SampleValue } from './columns.ts'
import { type Condition, literalText } from './questions.ts'

export type Dialect = 'spark' | 'trino' | 'duckdb' | 'datafusion'

/** Without `where`; empty when there is no condition. */
export const whereText = (dialect: Dialect, where: readonly Condition[]): string =>
  where.map(condition => conditionText(dialect, condition)).join(' AND ')

function conditionText(dialect: Dialect, { path, type, op, value }: Condition): string {
  const column = columnText(dialect, path)
  return value === null ? `${column} ${op}` : `${column} ${op} ${literal(dialect, type, value)}`
}

function columnText(dialect: Dialect, path: readonly string[]): string {
  const [top = '', ...inner] = path
  if (dialect === 'spark') return path.map(name => `\`${name}\``).join('.')
  if (dialect === 'datafusion') return `"${top}"${inner.map(name => `['${name}']`).join('')}`
  return path.map(name => `"${name}"`).join('.')
}

const floatNames: Readonly<Record<Dialect, string>> = {
  spark: 'FLOAT',
  trino: 'REAL',
  duckdb: 'FLOAT',
  datafusion: 'REAL',
}

function literal(dialect: Dialect, type: SampleType, value: SampleValue): string {
  const text = literalText(type, value)
  switch (type.kind) {
    case 'boolean':
    case 'int':
      return text
    case 'long':
      return `CAST('${text}' AS BIGINT)`
    case 'float':
      return `CAST('${text}' AS ${floatNames[dialect]})`
    case 'double':
      return `CAST('${text}' AS DOUBLE)`
    case 'decimal':
      return `CAST('${text}' AS DECIMAL(${type.precision},${type.scale}))`
    case 'date':
      return `DATE '${text}'`
    case 'timestamp':
      if (dialect === 'spark') return `TIMESTAMP_NTZ '${text}'`
      return dialect === 'datafusion' ? `arrow_cast('${text}', 'Timestamp(Microsecond, None)')` : `TIMESTAMP '${text}'`
    case 'timestamptz':
      if (dialect === 'duckdb') return `TIMESTAMPTZ '${text}+00'`
      return dialect === 'datafusion'
        ? `arrow_cast('${text}Z', 'Timestamp(Microsecond, Some("UTC"))')`
        : `TIMESTAMP '${text} UTC'`
    case 'string':
      return dialect === 'spark'
        ? `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
        : `'${text.replaceAll("'", "''")}'`
    case 'binary':
      return dialect === 'duckdb' ? `from_hex('${text}')` : `X'${text}'`
    default:
      throw new TypeError(`there is no literal of ${type.kind}`)
  }
}
