/** The S3 store against a local server that misbehaves on purpose. The contract on a real server is in test/interop. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { checkPutIfAbsent } from '../../../storage/check-put-if-absent.ts'
import { multipartBytesMin } from '../../../storage/object-store.ts'
import { createObject } from '../../../storage/put-if-absent.ts'
import type { S3StoreOptions } from '../../../storage/s3-client.ts'
import { S3Store } from '../../../storage/s3-store.ts'
import { text, utf8 } from '../../contract/object-store.ts'

interface Request {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

type Handler = (request: Request, response: ServerResponse) => void

let server: Server
let requests: Request[]
let handlers: Handler[]
/** Answers when no handler is queued. */
let otherwise: Handler
const stores: S3Store[] = []

beforeEach(async () => {
  requests = []
  handlers = []
  otherwise = (_, response) => fail(response, 500, 'InternalError')
  server = createServer(async (message, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk)
    const url = new URL(message.url ?? '/', 'http://host')
    const { method = '', headers } = message
    const request = { method, path: url.pathname, query: url.searchParams, headers, body: Buffer.concat(chunks) }
    requests.push(request)
    const handler = handlers.shift() ?? otherwise
    handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  for (const store of stores.splice(0)) store.close()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

function portOf(listening: Server | TcpServer): number {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return address.port
}

/** Backoffs pass at once; deadlines are real. */
const quickClock: Clock = { ...systemClock, sleep: () => systemClock.yield() }
const deps = { clock: quickClock, random: seededRandom(1) }

function open(options: Partial<S3StoreOptions> = {}): S3Store {
  const store = new S3Store(
    {
      bucket: 'bucket',
      prefix: 'pre/fix',
      endpoint: `http://127.0.0.1:${portOf(server)}`,
      forcePathStyle: true,
      credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
      ...options,
    },
    deps,
  )
  stores.push(store)
  return store
}

function fail(response: ServerResponse, status: number, code: string, message = 'said the server'): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`)
}

const failWith =
  (status: number, code: string, message?: string): Handler =>
  (_, response) =>
    fail(response, status, code, message)
const hangUp: Handler = (_, response) => response.socket?.destroy()
const stayFirmlySilent: Handler = () => {}
const succeed: Handler = (_, response) => response.writeHead(200, { etag: '"e"' }).end()
const answerWith =
  (body: string, headers: Record<string, string> = {}, status = 200): Handler =>
  (_, response) =>
    response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers }).end(body)

describe('putIfAbsent', () => {
  it('sends If-None-Match: * and the bytes to the prefixed key', async () => {
    handlers = [succeed]
    expect(await open().putIfAbsent('j/1', [utf8('a'), utf8('b')])).toBe('applied')
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({ method: 'PUT', path: '/bucket/pre/fix/j/1' })
    expect(requests[0]!.headers['if-none-match']).toBe('*')
    expect(requests[0]!.body.toString()).toBe('ab')
  })

  it('412 is refused', async () => {
    handlers = [failWith(412, 'PreconditionFailed')]
    expect(await open().putIfAbsent('j/1', utf8(''))).toBe('refused')
  })

  it.each(['ConditionalRequestConflict', 'OperationAborted'])('409 %s is tried again', async code => {
    handlers = [failWith(409, code), failWith(409, code), succeed]
    expect(await open().putIfAbsent('j/1', utf8(''))).toBe('applied')
    expect(requests).toHaveLength(3)
    handlers = [failWith(409, code), failWith(412, 'PreconditionFailed')]
    expect(await open().putIfAbsent('j/1', utf8(''))).toBe('refused')
  })

  it('409 without end is unknown after a bounded number of attempts', async () => {
    otherwise = failWith(409, 'ConditionalRequestConflict')
    expect(await open({ attemptCountMax: 3 }).putIfAbsent('j/1', utf8(''))).toBe('unknown')
    expect(requests).toHaveLength(3)
  })

  it.each([
    ['a lost connection', hangUp],
    ['500', failWith(500, 'InternalError')],
    ['503', failWith(503, 'SlowDown')],
    ['408', failWith(408, 'RequestTimeout')],
  ])('%s is unknown at once: a repeat could be refused because of its own first write', async (_, handler) => {
    handlers = [handler, failWith(412, 'PreconditionFailed')]
    expect(await open().putIfAbsent('j/1', utf8(''))).toBe('unknown')
    expect(requests).toHaveLength(1)
  })

  it('silence is unknown when the deadline has passed', async () => {
    handlers = [stayFirmlySilent]
    expect(await open({ requestMsMax: 50 }).putIfAbsent('j/1', utf8(''))).toBe('unknown')
    expect(requests).toHaveLength(1)
  })

  it('any other 409 is an error that tells the reason', async () => {
    handlers = [failWith(409, 'ExistingObjectIsDirectory', 'is a directory')]
    await expect(open().putIfAbsent('j', utf8(''))).rejects.toMatchObject({
      kind: 'invalid',
      code: 'object-store-request-refused',
      message: expect.stringContaining('is a directory'),
    })
  })

  it('applied but the answer lost: createObject reads its own bytes back and never writes twice', async () => {
    handlers = [hangUp, (_, response) => answerWith(requests[0]!.body.toString())(requests[1]!, response)]
    expect(await createObject(open(), 'j/1', utf8('writer 7'), deps)).toBe('applied')
    expect(requests.map(({ method }) => method)).toEqual(['PUT', 'GET'])
  })

  it('applied, answer lost and read-back failed: the 412 of the second try is not taken for another writer', async () => {
    handlers = [
      hangUp,
      failWith(500, 'InternalError'),
      failWith(412, 'PreconditionFailed'),
      (_, response) => answerWith('writer 7')(requests[3]!, response),
    ]
    expect(await createObject(open({ attemptCountMax: 1 }), 'j/1', utf8('writer 7'), deps)).toBe('applied')
    expect(requests.map(({ method }) => method)).toEqual(['PUT', 'GET', 'PUT', 'GET'])
  })
})

describe('what may be repeated', () => {
  it('put, get, head, list and delete are tried again after a lost answer and a busy store', async () => {
    const store = open()
    const list =
      '<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>pre/fix/a</Key><Size>1</Size></Contents></ListBucketResult>'
    handlers = [hangUp, failWith(503, 'SlowDown'), succeed]
    await store.put('a', utf8('x'))
    handlers = [hangUp, failWith(500, 'InternalError'), answerWith('x')]
    expect(text(await store.get('a'))).toBe('x')
    handlers = [hangUp, (_, response) => response.writeHead(200, { 'content-length': '1' }).end()]
    expect(await store.head('a')).toMatchObject({ bytes: 1 })
    handlers = [hangUp, answerWith(list)]
    expect((await store.list('')).objects).toMatchObject([{ key: 'a', bytes: 1 }])
    handlers = [hangUp, (_, response) => response.writeHead(204).end()]
    await store.delete(['a'])
    expect(requests).toHaveLength(3 + 3 + 2 + 2 + 2)
  })

  it('an answer cut short is read again', async () => {
    handlers = [
      (_, response) => {
        response.writeHead(200, { 'content-length': '10' }).write('01234')
        setImmediate(() => response.socket?.destroy())
      },
      answerWith('0123456789'),
    ]
    expect(text(await open().get('a'))).toBe('0123456789')
  })

  it('an answer that stalls half-way is read again after the deadline', async () => {
    handlers = [
      (_, response) => {
        response.writeHead(200, { 'content-length': '10' }).write('01234')
      },
      answerWith('0123456789'),
    ]
    expect(text(await open({ requestMsMax: 80 }).get('a'))).toBe('0123456789')
    expect(requests).toHaveLength(2)
  })

  it('the number of attempts is bounded, and the error says what, where and what to do', async () => {
    await expect(open({ attemptCountMax: 3 }).put('a', utf8('x'))).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'object-store-busy',
      message: `cannot write a in s3://bucket/pre/fix at http://127.0.0.1:${portOf(server)}: the store cannot answer now (said the server)`,
    })
    expect(requests).toHaveLength(3)
  })

  it('a complete whose answer was lost is found done by the object it made', async () => {
    const start: Handler = answerWith(
      '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>',
    )
    const size = String(multipartBytesMin + 1)
    handlers = [start, succeed, succeed, hangUp, failWith(404, 'NoSuchUpload')]
    handlers.push((_, response) => response.writeHead(200, { 'content-length': size }).end())
    const upload = await open().startMultipart('m')
    await upload.writePart(new Uint8Array(multipartBytesMin))
    await upload.writePart(utf8('x'))
    await upload.complete()
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'PUT', 'PUT', 'POST', 'POST', 'HEAD'])
    expect(requests[3]!.body.toString()).toContain('<PartNumber>2</PartNumber>')

    handlers = [start, succeed, failWith(404, 'NoSuchUpload')]
    const lost = await open().startMultipart('m')
    await lost.writePart(utf8('x'))
    await expect(lost.complete()).rejects.toMatchObject({ kind: 'invalid', code: 'multipart-upload-missing' })
  })
})

describe('answers', () => {
  it('404 NoSuchKey is undefined, 416 is empty', async () => {
    const store = open()
    handlers = [failWith(404, 'NoSuchKey')]
    expect(await store.get('a')).toBeUndefined()
    handlers = [failWith(416, 'InvalidRange')]
    expect(await store.get('a', { start: 100, end: 200 })).toEqual(new Uint8Array(0))
    handlers = [(_, response) => response.writeHead(404).end()]
    expect(await store.head('a')).toBeUndefined()
  })

  it('ranges are asked for inclusively, and a server that ignores them is cut to size', async () => {
    const store = open()
    handlers = [answerWith('234', { 'content-range': 'bytes 2-4/10' }, 206)]
    expect(text(await store.get('a', { start: 2, end: 5 }))).toBe('234')
    expect(requests[0]!.headers.range).toBe('bytes=2-4')
    handlers = [answerWith('0123456789')]
    expect(text(await store.get('a', { start: 2, end: 5 }))).toBe('234')
  })

  it('lists start after the given key, pass over foreign keys and go on from the last one', async () => {
    const store = open()
    handlers = [
      answerWith(
        '<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>pre/fix/a/1</Key><Size>7</Size><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents><Contents><Key>pre/fix/a/no key</Key><Size>0</Size></Contents></ListBucketResult>',
      ),
    ]
    expect(await store.list('a/', 'a/0')).toEqual({
      objects: [{ key: 'a/1', bytes: 7, modifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5) }],
      next: 'a/no key',
    })
    expect(requests[0]!.query.get('start-after')).toBe('pre/fix/a/0')
    expect(requests[0]!.query.get('prefix')).toBe('pre/fix/a/')
  })

  it('a list out of order is unsupported', async () => {
    handlers = [
      answerWith(
        '<ListBucketResult><Contents><Key>pre/fix/b</Key></Contents><Contents><Key>pre/fix/a</Key></Contents></ListBucketResult>',
      ),
    ]
    await expect(open().list('')).rejects.toMatchObject({ kind: 'unsupported', code: 'object-list-unordered' })
  })

  it('deletes go out in groups of 1,000', async () => {
    otherwise = answerWith('<DeleteResult/>')
    await open().delete(Array.from({ length: 2_001 }, (_, index) => `k/${index}`))
    const counts = requests.map(({ body }) => body.toString().split('<Key>').length - 1)
    expect(counts.toSorted()).toEqual([1, 1000, 1000])
  })

  it('a key that could not be deleted is an error although the answer is 200', async () => {
    const problem = (code: string): Handler =>
      answerWith(
        `<DeleteResult><Error><Key>pre/fix/gone</Key><Code>NoSuchKey</Code></Error><Error><Key>pre/fix/b</Key><Code>${code}</Code><Message>no</Message></Error></DeleteResult>`,
      )
    const store = open({ attemptCountMax: 2 })
    handlers = [problem('InternalError'), answerWith('<DeleteResult/>')]
    await store.delete(['a', 'b', 'gone'])
    handlers = [problem('AccessDenied')]
    await expect(store.delete(['a', 'b', 'gone'])).rejects.toMatchObject({
      kind: 'invalid',
      code: 'object-delete-failed',
      message: expect.stringContaining('cannot delete 1 of 3 objects'),
    })
  })
})

describe('errors that need a person', () => {
  it.each([
    [403, 'InvalidAccessKeyId', 'invalid', 'object-store-credentials-refused'],
    [403, 'SignatureDoesNotMatch', 'invalid', 'object-store-credentials-refused'],
    [403, 'AccessDenied', 'invalid', 'object-store-access-denied'],
    [404, 'NoSuchBucket', 'invalid', 'object-store-bucket-missing'],
    [301, 'PermanentRedirect', 'invalid', 'object-store-wrong-region'],
    [507, 'XMinioStorageFull', 'exhausted', 'object-store-full'],
    [400, 'InvalidArgument', 'invalid', 'object-store-request-refused'],
  ])('%i %s', async (status, code, kind, floeCode) => {
    otherwise = failWith(status, code)
    const store = open()
    const refusal = {
      kind,
      code: floeCode,
      message: expect.stringMatching(/^cannot \w+ probe\/?\S* in s3:\/\/bucket\/pre\/fix at http:\S+: .*[^\n]$/),
    }
    await expect(checkPutIfAbsent(store, deps)).rejects.toMatchObject(refusal)
    expect(requests).toHaveLength(1)
    await expect(store.put('probe', utf8(''))).rejects.toMatchObject(refusal)
    await expect(store.putIfAbsent('probe', utf8(''))).rejects.toMatchObject(refusal)
    await expect(store.get('probe')).rejects.toMatchObject(refusal)
  })

  it('an endpoint where nobody listens', async () => {
    const probe = createTcpServer().listen(0, '127.0.0.1')
    await once(probe, 'listening')
    const port = portOf(probe)
    probe.close()
    await once(probe, 'close')
    await expect(checkPutIfAbsent(open({ endpoint: `http://127.0.0.1:${port}` }), deps)).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'object-store-unreachable',
      message: `cannot list probe/ in s3://bucket/pre/fix at http://127.0.0.1:${port}: the store cannot be reached (connect ECONNREFUSED 127.0.0.1:${port}); check the endpoint, the network and that the store runs`,
    })
  })

  it('an endpoint that is no S3 store', async () => {
    otherwise = answerWith('<html>Welcome!', { 'content-type': 'text/html' })
    await expect(open({ attemptCountMax: 1 }).list('')).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'object-store-answer-malformed',
    })
    otherwise = answerWith('<html>Not here</html>', { 'content-type': 'text/html' }, 404)
    await expect(open({ attemptCountMax: 1 }).list('')).rejects.toMatchObject({ code: 'object-store-bucket-missing' })
  })

  it('a store that ignores If-None-Match is refused by the start-up check', async () => {
    const objects = new Map<string, Buffer>()
    otherwise = (request, response) => {
      if (request.query.has('list-type')) return answerWith('<ListBucketResult/>')(request, response)
      if (request.method === 'POST') return answerWith('<DeleteResult/>')(request, response)
      if (request.method === 'PUT') objects.set(request.path, request.body)
      response.writeHead(request.method === 'DELETE' ? 204 : 200).end(objects.get(request.path))
    }
    await expect(checkPutIfAbsent(open(), deps)).rejects.toMatchObject({
      kind: 'unsupported',
      code: 'put-if-absent-ignored',
      message: expect.stringContaining('it overwrote an object that existed'),
    })
  })

  it('a prefix that is none', () => {
    for (const prefix of ['/a', 'a/', '../a', 'a b', 'x'.repeat(201)]) {
      expect(() => open({ prefix })).toThrow('is not valid')
    }
  })
})
