import { expect, test } from 'vitest'
import { bigSnapshotId, makeFixture, makeTable, metadataPath, metadataText } from './fixture.ts'

const base = '/catalog/iceberg/v1'
const table = `${base}/namespaces/default/tables/floe__orders`

test('a reader finds its way from config to the table', async () => {
  const { app } = await makeFixture()
  const config = await app.inject(`${base}/config?warehouse=anything`)
  expect(config.json()).toMatchObject({ defaults: {}, overrides: {} })
  expect(config.json().endpoints).toContain('GET /v1/{prefix}/namespaces/{namespace}/tables/{table}')
  expect((await app.inject(`${base}/namespaces`)).json()).toEqual({
    namespaces: [['default']],
    'next-page-token': null,
  })
  expect((await app.inject(`${base}/namespaces?parent=default`)).json()).toMatchObject({ namespaces: [] })
  expect((await app.inject(`${base}/namespaces/default`)).json()).toMatchObject({ namespace: ['default'] })
  expect((await app.inject({ method: 'HEAD', url: `${base}/namespaces/default` })).statusCode).toBe(204)
  expect((await app.inject(`${base}/namespaces/default/tables`)).json()).toEqual({
    identifiers: [{ namespace: ['default'], name: 'floe__orders' }],
    'next-page-token': null,
  })
  expect((await app.inject(`${base}/namespaces/default/views`)).json()).toMatchObject({ identifiers: [] })
  expect((await app.inject({ method: 'HEAD', url: table })).statusCode).toBe(204)
})

test('the metadata of a table is passed on digit by digit', async () => {
  const { app, store } = await makeFixture()
  const response = await app.inject(table)
  expect(response.statusCode).toBe(200)
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
  const location = `${store.uri}/tables/floe__orders-0b1c2d3e/${metadataPath}`
  expect(response.body).toBe(
    `{"metadata-location":"${location}","metadata":${metadataText},"config":{},"storage-credentials":[]}`,
  )
  expect(response.body).toContain(String(bigSnapshotId))
  expect(response.json()['metadata-location']).toBe(location)
})

test('a reader that has the version is told so', async () => {
  const { app } = await makeFixture()
  const { etag } = (await app.inject(table)).headers
  expect(etag).toBe('"0b1c2d3e-0000-4000-8000-000000000001-1"')
  for (const header of [String(etag), `W/${etag}`, `"other", ${etag}`, '*']) {
    const response = await app.inject({ url: table, headers: { 'if-none-match': header } })
    expect([response.statusCode, response.body]).toEqual([304, ''])
  }
  expect((await app.inject({ url: table, headers: { 'if-none-match': '"other"' } })).statusCode).toBe(200)
})

test('a version appears when it is published and not before', async () => {
  const { app, tables } = await makeFixture()
  const url = `${base}/namespaces/default/tables/floe__waiting`
  const before = await app.inject(url)
  expect(before.statusCode).toBe(404)
  expect(before.json()).toEqual({
    error: {
      message: 'Table does not exist: default.floe__waiting (it is there, and its first version is not published yet)',
      type: 'NoSuchTableException',
      code: 404,
    },
  })
  tables[1] = makeTable('floe__waiting', tables[0]?.published)
  expect((await app.inject({ method: 'HEAD', url })).statusCode).toBe(204)
})

test.each([
  ['GET', '/namespaces/system', 404, 'NoSuchNamespaceException', 'Namespace does not exist: system'],
  ['GET', '/namespaces/a%1Fb', 404, 'NoSuchNamespaceException', 'Namespace does not exist: a.b'],
  ['GET', '/namespaces?parent=x', 404, 'NoSuchNamespaceException', 'Namespace does not exist: x'],
  ['GET', '/namespaces/system/tables', 404, 'NoSuchNamespaceException', 'Namespace does not exist: system'],
  ['GET', '/namespaces/default/tables/no', 404, 'NoSuchTableException', 'Table does not exist: default.no'],
  ['GET', '/namespaces/other/tables/no', 404, 'NoSuchTableException', 'Table does not exist: other.no'],
  ['GET', '/namespaces/default/views/v', 404, 'NoSuchViewException', 'View does not exist: default.v'],
  ['GET', '/nothing', 404, 'NotFoundException', 'this catalog does not serve GET /catalog/iceberg/v1/nothing'],
  [
    'GET',
    '/namespaces/default/tables?pageToken=&pageSize=x',
    400,
    'BadRequestException',
    'pageSize must be a number from 1',
  ],
] as const)('%s %s answers %i %s', async (method, path, status, type, message) => {
  const { app } = await makeFixture()
  const response = await app.inject({ method, url: `${base}${path}` })
  expect(response.statusCode).toBe(status)
  expect(response.json()).toEqual({ error: { message, type, code: status } })
})

test.each([
  ['POST', '/namespaces'],
  ['DELETE', '/namespaces/default'],
  ['POST', '/namespaces/default/properties'],
  ['POST', '/namespaces/default/tables'],
  ['POST', '/namespaces/default/register'],
  ['POST', '/namespaces/default/tables/floe__orders'],
  ['DELETE', '/namespaces/default/tables/floe__orders'],
  ['POST', '/tables/rename'],
  ['POST', '/transactions/commit'],
] as const)('%s %s is refused: the catalog is read-only', async (method, path) => {
  const { app } = await makeFixture()
  const response = await app.inject({
    method,
    url: `${base}${path}`,
    headers: { 'content-type': 'application/json' },
    payload: '{not even JSON',
  })
  expect(response.statusCode).toBe(403)
  expect(response.json().error).toMatchObject({ type: 'ForbiddenException', code: 403 })
})

test('a metrics report is taken', async () => {
  const { app } = await makeFixture()
  const report = { method: 'POST', headers: { 'content-type': 'application/json' }, payload: '{}' } as const
  expect((await app.inject({ ...report, url: `${table}/metrics` })).statusCode).toBe(204)
  expect((await app.inject({ ...report, url: `${base}/namespaces/default/tables/no/metrics` })).statusCode).toBe(404)
})

test('tables are listed in pages for clients that page, and whole for others', async () => {
  const { app, tables } = await makeFixture()
  const published = tables[0]?.published
  tables.length = 0
  for (const name of ['e', 'a', 'd', 'b', 'c']) tables.push(makeTable(name, published))
  const url = `${base}/namespaces/default/tables`
  const names = (body: { identifiers: { name: string }[] }): string => body.identifiers.map(each => each.name).join('')
  expect(names((await app.inject(url)).json())).toBe('abcde')
  let seen = ''
  let token: string | null = ''
  while (token !== null) {
    const page: { identifiers: { name: string }[]; 'next-page-token': string | null } = (
      await app.inject(`${url}?pageSize=2&pageToken=${token}`)
    ).json()
    seen += `${names(page)}|`
    token = page['next-page-token']
  }
  expect(seen).toBe('ab|cd|e|')
})

test('with a token, nothing is said without it', async () => {
  const { app } = await makeFixture({ bearerToken: 's3cret' })
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'Basic czNjcmV0' }]) {
    const response = await app.inject({ url: `${base}/config`, headers })
    expect(response.statusCode).toBe(401)
    expect(response.headers['www-authenticate']).toBe('Bearer')
    expect(response.json().error).toMatchObject({ type: 'NotAuthorizedException', code: 401 })
  }
  expect((await app.inject({ method: 'POST', url: `${base}/namespaces` })).statusCode).toBe(401)
  expect((await app.inject({ url: `${base}/nothing` })).statusCode).toBe(401)
  expect((await app.inject({ url: table, headers: { authorization: 'bearer s3cret' } })).statusCode).toBe(200)
})

test('client credentials are traded for the token', async () => {
  const { app } = await makeFixture({ bearerToken: 's3 cret' })
  const ask = (payload: string, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: `${base}/oauth/tokens`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload,
    })
  const granted = await ask('grant_type=client_credentials&client_id=x&client_secret=s3+cret&scope=catalog')
  expect(granted.statusCode).toBe(200)
  expect(granted.json()).toMatchObject({ access_token: 's3 cret', token_type: 'bearer' })
  const basic = Buffer.from('x:s3%20cret').toString('base64')
  expect((await ask('grant_type=client_credentials', { authorization: `Basic ${basic}` })).statusCode).toBe(200)
  const refused = await ask('grant_type=client_credentials&client_secret=no')
  expect([refused.statusCode, refused.json().error]).toEqual([401, 'invalid_client'])
  expect((await ask('grant_type=password')).json().error).toBe('unsupported_grant_type')
  const open = (await makeFixture()).app
  expect((await open.inject({ method: 'POST', url: `${base}/oauth/tokens`, payload: '' })).statusCode).toBe(400)
})

test('readers are told where the store is, and get keys only when they ask and the owner allows', async () => {
  const storage = {
    uri: 's3://lake/floe',
    endpoint: 'http://localhost:9000',
    region: 'eu-central-1',
    pathStyle: true,
    credentials: undefined,
  }
  const place = {
    's3.endpoint': 'http://localhost:9000',
    's3.path-style-access': 'true',
    'client.region': 'eu-central-1',
    's3.region': 'eu-central-1',
  }
  const headers = { 'x-iceberg-access-delegation': 'remote-signing, vended-credentials' }
  const closed = (await makeFixture({ storage })).app
  expect((await closed.inject({ url: table, headers })).json()).toMatchObject({
    config: place,
    'storage-credentials': [],
  })
  const credentials = { accessKeyId: 'id', secretAccessKey: 'key', sessionToken: undefined }
  const open = (await makeFixture({ storage: { ...storage, credentials }, bearerToken: 't' })).app
  const authorization = 'Bearer t'
  const plain = await open.inject({ url: table, headers: { authorization } })
  expect([plain.json().config, plain.json()['storage-credentials']]).toEqual([place, []])
  const vended = { ...place, 's3.access-key-id': 'id', 's3.secret-access-key': 'key' }
  const asked = await open.inject({ url: table, headers: { ...headers, authorization } })
  expect(asked.json()).toMatchObject({
    config: vended,
    'storage-credentials': [{ prefix: 's3://lake/floe/', config: vended }],
  })
  expect(asked.headers.etag).not.toBe(plain.headers.etag)
  const again = await open.inject({ url: `${table}/credentials`, headers: { authorization } })
  expect(again.json()).toEqual({ 'storage-credentials': [{ prefix: 's3://lake/floe/', config: vended }] })
})

test('a published file that is gone from the store is our failure, told as such', async () => {
  const { app, store } = await makeFixture()
  await store.delete([`tables/floe__orders-0b1c2d3e/${metadataPath}`])
  const response = await app.inject(table)
  expect(response.statusCode).toBe(500)
  expect(response.json().error).toEqual({
    message: `the published metadata file tables/floe__orders-0b1c2d3e/${metadataPath} is not in the store`,
    type: 'InternalServerError',
    code: 500,
  })
})
