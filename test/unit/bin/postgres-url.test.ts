/** Journal URLs: what they name, and what is said about those that are wrong. */
import { expect, test } from 'vitest'
import { describeAddress, parsePostgresUrl } from '../../../bin/journal/postgres-url.ts'

test('a URL names server, user, database and table; TLS is checked unless the server is on this machine', () => {
  expect(parsePostgresUrl('postgres://floe@db.example.net/lake')).toEqual({
    host: 'db.example.net',
    port: 5432,
    user: 'floe',
    database: 'lake',
    table: 'floe_journal',
    sslMode: 'verify-full',
    sslRootCert: undefined,
  })
  const url = 'postgresql://a%40b@10.0.0.7:26257/lake?table=eu.journal&sslmode=require&sslrootcert=/etc/ca.pem'
  expect(parsePostgresUrl(url)).toMatchObject({
    port: 26257,
    user: 'a@b',
    table: 'eu.journal',
    sslMode: 'require',
    sslRootCert: '/etc/ca.pem',
  })
  for (const host of ['localhost', '127.0.0.1', '[::1]']) {
    expect(parsePostgresUrl(`postgres://floe@${host}/lake`).sslMode).toBe('disable')
  }
})

test('what is shown of it holds neither user nor parameters, but the table when it is another one', () => {
  const describe = (url: string): string => describeAddress(parsePostgresUrl(url))
  expect(describe('postgres://floe@db/lake?sslmode=require')).toBe('postgres://db:5432/lake')
  expect(describe('postgres://floe@[::1]:1/lake?table=t')).toBe('postgres://[::1]:1/lake?table=t')
})

test.each([
  ['mysql://floe@db/lake', 'it must look like postgres://user@host:5432/database'],
  ['postgres://db/lake', 'it names no user: postgres://USER@host/database'],
  ['postgres://floe@db', 'it names no database: postgres://user@host/DATABASE'],
  ['postgres://floe@db/lake?sslmode=prefer', 'sslmode must be disable, require, verify-full'],
  ['postgres://floe@db/lake?ssl=1', 'there is no parameter "ssl"; it takes table, sslmode, sslrootcert'],
])('%s', (url, problem) => {
  expect(() => parsePostgresUrl(url)).toThrow(`journal URL ${JSON.stringify(url)} is not valid: ${problem}`)
})

test('a password in a URL is refused and not repeated', () => {
  expect(() => parsePostgresUrl('postgres://floe:hunter2@db/lake')).toThrow(
    'journal URL "postgres://floe:***@db/lake" is not valid: name the environment variable that holds the password in catalog.journal_password_env instead of writing it into the URL',
  )
})
