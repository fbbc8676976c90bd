/** Turns what PostgreSQL or the way to it says into what the caller should do: one line with what, where and the way out. */
import { errorMessage, FloeError } from '../../core/errors.ts'

type Rule = readonly [kind: FloeError['kind'], code: string, advice: string]

const unreachable: Rule = [
  'unavailable',
  'journal-unreachable',
  'check the address, the network and that the server runs',
]
const credentialsRefused: Rule = [
  'invalid',
  'journal-credentials-refused',
  'check the user in catalog.journal_url and the password in the variable that catalog.journal_password_env names',
]
const accessDenied: Rule = [
  'invalid',
  'journal-access-denied',
  'grant the user SELECT, INSERT and DELETE on the table, and CREATE on its schema unless the table is there',
]
const conflict: Rule = ['conflict', 'journal-conflict', 'another transaction came in between']
const certificateRefused: Rule = [
  'invalid',
  'journal-certificate-refused',
  'name its authority with sslrootcert, or mend the certificate',
]

/** By SQLSTATE (PostgreSQL's documentation, appendix A), the longest beginning that fits. */
const rulesByState: Readonly<Record<string, Rule>> = {
  '28': credentialsRefused,
  '3D000': ['invalid', 'journal-database-missing', 'create it, or correct the name in catalog.journal_url'],
  '3F000': ['invalid', 'journal-schema-missing', 'create the schema, or correct the name in ?table='],
  '42501': accessDenied,
  '42P01': ['invalid', 'journal-table-missing', 'the table is not there'],
  // Processes that create the table at once: one of them is told that its name, or that of its row type, is taken.
  '42P07': conflict,
  '42710': conflict,
  '23505': conflict,
  '40001': conflict,
  '40P01': conflict,
  '23514': ['invalid', 'journal-entry-too-large', 'lower the batch size'],
  '53100': ['exhausted', 'journal-disk-full', 'free some space on the server'],
  // Everything else that is about resources, the connection, shutting down, being a standby, or an outcome that is not known.
  '53': ['unavailable', 'journal-overloaded', 'the server has no room for it now'],
  '08': unreachable,
  '57': ['unavailable', 'journal-interrupted', 'the server is starting, stopping, or took too long'],
  '58': ['unavailable', 'journal-server-failed', 'look at its log'],
  '40': ['unavailable', 'journal-outcome-unknown', 'the server does not tell'],
  '25006': ['unavailable', 'journal-read-only', 'the server is a standby or was made read-only: name the primary'],
}

const refused: Rule = ['invalid', 'journal-refused', 'the server refuses it']

const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ALTNAME/

/** `doing` reads like `cannot read or write the journal in postgres://db:5432/floe`. */
export function explainPostgresError(doing: string, error: unknown): FloeError {
  if (error instanceof FloeError) return error
  const code = codeOf(error)
  const [kind, floeCode, advice] = findRule(code, errorMessage(error))
  return new FloeError(kind, floeCode, `${doing}: ${errorMessage(error)}; ${advice}`, { postgres: code }, error)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function findRule(code: string, message: string): Rule {
  if (/^[0-9A-Z]{5}$/.test(code)) return rulesByState[code] ?? rulesByState[code.slice(0, 2)] ?? refused
  if (certificateCodes.test(code)) return certificateRefused
  if (/does not support SSL/i.test(message)) {
    return [
      'invalid',
      'journal-tls-refused',
      'turn TLS on at the server, or say ?sslmode=disable where the way is safe',
    ]
  }
  // A password that is needed and not there is found by the client itself.
  if (/password must be a string|SASL/.test(message)) return credentialsRefused
  // The client's own errors have no code or one of the operating system: connections that break, timeouts.
  return unreachable
}
