/** An embedded DuckDB over Parquet files: views, one query at a time, results as JSON values. */
import { type DuckDBConnection, DuckDBInstance, type Json, StatementType } from '@duckdb/node-api'
import { errorMessage, FloeError } from '../../core/errors.ts'
import type { Field, FieldType } from '../../table/types.ts'

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly Json[])[]
}

export class SqlEngine {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance
    this.#connection = connection
  }

  static async open(): Promise<SqlEngine> {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run("set TimeZone = 'UTC'")
    return new SqlEngine(instance, connection)
  }

  /** A view of the rows of all files; with none, an empty one with the table's columns. */
  async createView(name: string, paths: readonly string[], fields: readonly Field[]): Promise<void> {
    const columns = fields.map(field => `null::${duckDbType(field.type)} as ${quoteName(field.name)}`).join(', ')
    const source =
      paths.length === 0
        ? `select ${columns} where false`
        : `select * from read_parquet([${paths.map(quoteText).join(', ')}], union_by_name = true, hive_partitioning = false)`
    await this.#connection.run(`create view ${quoteName(name)} as ${source}`)
  }

  /** errors  invalid: it is no question (it would write or change something), or what DuckDB says of it, on one line */
  async query(sql: string): Promise<QueryResult> {
    try {
      const prepared = await this.#connection.prepare(sql)
      const { statementType } = prepared
      if (statementType !== StatementType.SELECT && statementType !== StatementType.EXPLAIN) {
        throw new Error(`${StatementType[statementType]} is not a question: only select and its like are answered here`)
      }
      const reader = await prepared.runAndReadAll()
      const types = reader.columnTypes()
      const columns = reader.columnNames().map((name, index) => ({ name, type: String(types[index]) }))
      return { columns, rows: reader.getRowsJson() }
    } catch (error) {
      throw new FloeError('invalid', 'sql-failed', errorMessage(error), {}, error)
    }
  }

  close(): void {
    this.#connection.closeSync()
    this.#instance.closeSync()
  }
}

/** DuckDB's name of a column type. */
export function duckDbType(type: FieldType): string {
  switch (type.kind) {
    case 'primitive':
      return primitiveTypes[type.name]
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`
    case 'struct':
      return `STRUCT(${type.fields.map(field => `${quoteName(field.name)} ${duckDbType(field.type)}`).join(', ')})`
    case 'list':
      return `${duckDbType(type.element)}[]`
    case 'map':
      return `MAP(${duckDbType(type.key)}, ${duckDbType(type.value)})`
  }
}

const primitiveTypes = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  string: 'VARCHAR',
  binary: 'BLOB',
} as const

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
