/**
 * The URL of a journal on PostgreSQL's wire protocol.
 *
 *   postgres://user@host:5432/database?table=floe_journal&sslmode=verify-full&sslrootcert=/etc/ssl/db-ca.pem
 *
 * sslmode  verify-full (as without it, except on loopback): TLS with a certificate that is trusted and names the host;
 *          require: TLS with any certificate; disable: none
 */
import { FloeError } from '../../core/errors.ts'

export type SslMode = 'disable' | 'require' | 'verify-full'

export interface PostgresAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** `schema.name` or a name on the search path. */
  readonly table: string
  readonly sslMode: SslMode
  /** PEM file with the authorities to trust. Left out: those Node.js trusts. */
  readonly sslRootCert: string | undefined
}

const parameterNames = ['table', 'sslmode', 'sslrootcert']
const sslModes: readonly SslMode[] = ['disable', 'require', 'verify-full']
const tableDefault = 'floe_journal'
const loopback = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/

/** errors  invalid: with what is wrong */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = URL.parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '') {
    throw badUrl(text, 'it must look like postgres://user@host:5432/database')
  }
  if (url.password !== '') {
    throw badUrl(
      text.replace(/:[^:@/]*@/, ':***@'),
      'name the environment variable that holds the password in catalog.journal_password_env instead of writing it into the URL',
    )
  }
  const database = decodeURIComponent(url.pathname.slice(1))
  if (url.username === '') throw badUrl(text, 'it names no user: postgres://USER@host/database')
  if (database === '' || database.includes('/'))
    throw badUrl(text, 'it names no database: postgres://user@host/DATABASE')
  for (const name of url.searchParams.keys()) {
    if (!parameterNames.includes(name)) {
      throw badUrl(text, `there is no parameter ${JSON.stringify(name)}; it takes ${parameterNames.join(', ')}`)
    }
  }
  const sslMode = url.searchParams.get('sslmode') ?? (loopback.test(url.hostname) ? 'disable' : 'verify-full')
  const known = sslModes.find(mode => mode === sslMode)
  if (known === undefined) throw badUrl(text, `sslmode must be ${sslModes.join(', ')}`)
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username),
    database,
    table: url.searchParams.get('table') ?? tableDefault,
    sslMode: known,
    sslRootCert: url.searchParams.get('sslrootcert') ?? undefined,
  }
}

/** What tells one journal from another in messages: no user, no password. */
export function describeAddress({ host, port, database, table }: PostgresAddress): string {
  const place = `postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
  return table === tableDefault ? place : `${place}?table=${table}`
}

function badUrl(url: string, problem: string): FloeError {
  return new FloeError('invalid', 'journal-url-invalid', `journal URL ${JSON.stringify(url)} is not valid: ${problem}`)
}
