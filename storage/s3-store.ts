/**
 * Objects in an S3 bucket, or in any store that speaks S3 and honours `If-None-Match: *` on PUT.
 *
 * Each call makes a bounded number of attempts, each with a deadline. What may be repeated is repeated. A conditional put is
 * repeated only after the store's own word that it did nothing (409 ConditionalRequestConflict): when an answer is lost the
 * outcome is `unknown`, because after a repeat a 412 could be the answer to our own first write.
 *
 * source  Amazon S3 API reference: PutObject, "Conditional writes"; ListObjectsV2; DeleteObjects; CreateMultipartUpload
 */
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Clock } from '../core/clock.ts'
import { FloeError, isFloeError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import { checkRange, joinBody, MultipartRules } from './object-body.ts'
import { checkKey, checkPrefix, isKey, prefixBytesMax } from './object-key.ts'
import {
  type ByteRange,
  listPageObjectCountMax,
  type MultipartUpload,
  type ObjectBody,
  type ObjectInfo,
  type ObjectPage,
  type ObjectStore,
  type WriteOutcome,
} from './object-store.ts'
import { createS3Client, type S3StoreOptions, s3Defaults } from './s3-client.ts'
import { explainS3Error, nameOf, type S3Place, statusOf } from './s3-errors.ts'

export interface S3StoreDeps {
  readonly clock: Clock
  readonly random: Random
}

/** Answers 409 by which the store says that it did nothing because of another request under way. */
const conflictNames = ['ConditionalRequestConflict', 'OperationAborted']
const backoffMsFirst = 100
const backoffMsMax = 3_000
const deleteKeyCountMax = 1_000
const deleteConcurrencyMax = 4

/** One attempt: its deadline as a signal, and a way to grant time for bytes that turn out to be on their way. */
interface Attempt {
  readonly abortSignal: AbortSignal
  grantTransfer(bytes: number): void
}

export class S3Store implements ObjectStore {
  readonly uri: string
  readonly #client: S3Client
  readonly #clock: Clock
  readonly #random: Random
  readonly #bucket: string
  /** Empty, or with a trailing slash. */
  readonly #base: string
  readonly #place: S3Place
  readonly #requestMsMax: number
  readonly #transferBytesPerMsMin: number
  readonly #attemptCountMax: number

  constructor(options: S3StoreOptions, deps: S3StoreDeps) {
    const prefix = options.prefix ?? ''
    if (prefix !== '' && (prefix.length > prefixBytesMax || !isKey(prefix))) {
      throw new FloeError(
        'invalid',
        'object-store-prefix-invalid',
        `prefix ${JSON.stringify(prefix)} of bucket ${options.bucket} is not valid: use up to ${prefixBytesMax} characters of A-Z a-z 0-9 . _ - in parts joined by /`,
      )
    }
    this.uri = prefix === '' ? `s3://${options.bucket}` : `s3://${options.bucket}/${prefix}`
    this.#bucket = options.bucket
    this.#base = prefix === '' ? '' : `${prefix}/`
    this.#place = {
      bucket: options.bucket,
      region: options.region,
      text: options.endpoint === undefined ? this.uri : `${this.uri} at ${options.endpoint}`,
    }
    this.#client = createS3Client(options)
    this.#clock = deps.clock
    this.#random = deps.random
    this.#requestMsMax = options.requestMsMax ?? s3Defaults.requestMsMax
    this.#transferBytesPerMsMin = (options.transferBytesPerSecondMin ?? s3Defaults.transferBytesPerSecondMin) / 1000
    this.#attemptCountMax = options.attemptCountMax ?? s3Defaults.attemptCountMax
  }

  /** Closes idle connections; calls under way fail. */
  close(): void {
    this.#client.destroy()
  }

  async put(key: string, body: ObjectBody): Promise<void> {
    checkKey(key)
    const bytes = joinBody(body)
    await this.#repeat(`cannot write ${key}`, bytes.length, ({ abortSignal }) =>
      this.#client.send(new PutObjectCommand({ ...this.#target(key), Body: bytes }), { abortSignal }),
    )
  }

  putOwned(key: string, body: ObjectBody): Promise<void> {
    return this.put(key, body)
  }

  async putIfAbsent(key: string, body: ObjectBody): Promise<WriteOutcome> {
    checkKey(key)
    const bytes = joinBody(body)
    const request = { ...this.#target(key), Body: bytes, IfNoneMatch: '*' }
    for (let attempt = 1; attempt <= this.#attemptCountMax; attempt++) {
      try {
        await this.#attempt(bytes.length, ({ abortSignal }) =>
          this.#client.send(new PutObjectCommand(request), { abortSignal }),
        )
        return 'applied'
      } catch (error) {
        if (statusOf(error) === 412) return 'refused'
        if (!conflictNames.includes(nameOf(error))) {
          const failure = explainS3Error(`cannot create ${key}`, this.#place, error)
          if (failure.kind === 'unavailable') return 'unknown'
          throw failure
        }
      }
      if (attempt < this.#attemptCountMax) await this.#backOff(attempt)
    }
    return 'unknown'
  }

  async get(key: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    checkKey(key)
    checkRange(range)
    if (range !== undefined && range.start === range.end) {
      // HTTP has no empty range.
      return (await this.head(key)) === undefined ? undefined : new Uint8Array(0)
    }
    const request = { ...this.#target(key), ...(range && { Range: `bytes=${range.start}-${range.end - 1}` }) }
    return this.#repeat(`cannot read ${key}`, 0, async attempt => {
      let answer: GetObjectCommandOutput
      try {
        answer = await this.#client.send(new GetObjectCommand(request), { abortSignal: attempt.abortSignal })
      } catch (error) {
        if (nameOf(error) === 'NoSuchKey') return undefined
        if (statusOf(error) === 416) return new Uint8Array(0)
        throw error
      }
      const bytes = await readAnswer(key, answer, attempt)
      // A server may ignore the range and send everything.
      return range !== undefined && answer.ContentRange === undefined ? bytes.slice(range.start, range.end) : bytes
    })
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key)
    return this.#repeat(`cannot look up ${key}`, 0, async ({ abortSignal }) => {
      try {
        const answer = await this.#client.send(new HeadObjectCommand(this.#target(key)), { abortSignal })
        return { key, bytes: answer.ContentLength ?? 0, modifiedMs: answer.LastModified?.getTime() ?? 0 }
      } catch (error) {
        // The answer to HEAD has no body to name the reason.
        if (statusOf(error) === 404) return undefined
        throw error
      }
    })
  }

  async list(prefix: string, after?: string): Promise<ObjectPage> {
    checkPrefix(prefix)
    const request = {
      Bucket: this.#bucket,
      Prefix: this.#base + prefix,
      MaxKeys: listPageObjectCountMax,
      ...(after !== undefined && { StartAfter: this.#base + after }),
    }
    const answer = await this.#repeat(`cannot list ${prefix === '' ? 'all keys' : prefix}`, 0, ({ abortSignal }) =>
      this.#client.send(new ListObjectsV2Command(request), { abortSignal }),
    )
    const objects: ObjectInfo[] = []
    let last: string | undefined
    for (const { Key, Size, LastModified } of answer.Contents ?? []) {
      if (Key === undefined || !Key.startsWith(this.#base + prefix)) continue
      const key = Key.slice(this.#base.length)
      if (last !== undefined && key <= last) throw this.#notInOrder(last, key)
      last = key
      // Objects that others put there under names Floe would never give are passed over.
      if (isKey(key)) objects.push({ key, bytes: Size ?? 0, modifiedMs: LastModified?.getTime() ?? 0 })
    }
    return { objects, next: answer.IsTruncated === true ? last : undefined }
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey(key)
    if (keys.length === 1) return this.#deleteOne(keys[0]!)
    const groups: (readonly string[])[] = []
    for (let at = 0; at < keys.length; at += deleteKeyCountMax) groups.push(keys.slice(at, at + deleteKeyCountMax))
    for (let at = 0; at < groups.length; at += deleteConcurrencyMax) {
      await Promise.all(groups.slice(at, at + deleteConcurrencyMax).map(group => this.#deleteGroup(group)))
    }
  }

  async startMultipart(key: string): Promise<MultipartUpload> {
    checkKey(key)
    const doing = `cannot write ${key}`
    const { UploadId } = await this.#repeat(doing, 0, ({ abortSignal }) =>
      this.#client.send(new CreateMultipartUploadCommand(this.#target(key)), { abortSignal }),
    )
    const target = { ...this.#target(key), UploadId }
    const rules = new MultipartRules(key)
    const parts: Promise<{ PartNumber: number; ETag: string | undefined }>[] = []
    let bytes = 0
    const abort = async (): Promise<void> => {
      await this.#repeat(`cannot abort the upload of ${key}`, 0, async ({ abortSignal }) => {
        try {
          await this.#client.send(new AbortMultipartUploadCommand(target), { abortSignal })
        } catch (error) {
          if (statusOf(error) !== 404) throw error
        }
      })
    }
    return {
      writePart: async body => {
        const part = joinBody(body)
        const PartNumber = rules.addPart(part.length) + 1
        bytes += part.length
        const send = this.#repeat(doing, part.length, ({ abortSignal }) =>
          this.#client.send(new UploadPartCommand({ ...target, PartNumber, Body: part }), { abortSignal }),
        ).then(({ ETag }) => ({ PartNumber, ETag }))
        parts.push(send)
        await send
      },
      complete: async () => {
        rules.complete()
        const Parts = await Promise.all(parts)
        if (Parts.length === 0) {
          await this.put(key, new Uint8Array(0))
          return abort()
        }
        await this.#complete(key, new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts } }), bytes)
      },
      abort: async () => {
        if (!rules.abort()) return
        await Promise.allSettled(parts)
        await abort()
      },
    }
  }

  /** A repeat after a lost answer finds no upload when the first attempt completed it: then the object must be there. */
  async #complete(key: string, command: CompleteMultipartUploadCommand, bytes: number): Promise<void> {
    let attempts = 0
    await this.#repeat(`cannot write ${key}`, 0, async ({ abortSignal }) => {
      attempts++
      try {
        await this.#client.send(command, { abortSignal })
      } catch (error) {
        if (nameOf(error) !== 'NoSuchUpload' || attempts === 1) throw error
        const info = await this.head(key)
        if (info?.bytes !== bytes) throw error
      }
    })
  }

  async #deleteOne(key: string): Promise<void> {
    await this.#repeat(`cannot delete ${key}`, 0, ({ abortSignal }) =>
      this.#client.send(new DeleteObjectCommand(this.#target(key)), { abortSignal }),
    )
  }

  async #deleteGroup(keys: readonly string[]): Promise<void> {
    const Objects = [...new Set(keys)].map(key => ({ Key: this.#base + key }))
    const request = { Bucket: this.#bucket, Delete: { Objects, Quiet: true } }
    await this.#repeat(`cannot delete ${keys[0]} and ${keys.length - 1} more`, 0, async ({ abortSignal }) => {
      const { Errors = [] } = await this.#client.send(new DeleteObjectsCommand(request), { abortSignal })
      // The answer is 200 even when some keys were not deleted.
      const failed = Errors.filter(({ Code }) => Code !== 'NoSuchKey')
      const first = failed[0]
      if (first === undefined) return
      throw new FloeError(
        first.Code === 'AccessDenied' ? 'invalid' : 'unavailable',
        'object-delete-failed',
        `cannot delete ${failed.length} of ${Objects.length} objects in ${this.#place.text}: ${first.Key}: ${first.Code} ${first.Message ?? ''}`.trim(),
        { key: first.Key, s3: first.Code },
      )
    })
  }

  #target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#base + key }
  }

  /** For requests that have the same effect twice as once. */
  async #repeat<T>(doing: string, bytes: number, send: (attempt: Attempt) => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await this.#attempt(bytes, send)
      } catch (error) {
        const failure = explainS3Error(doing, this.#place, error)
        if (!isFloeError(failure, 'unavailable') || count >= this.#attemptCountMax) throw failure
      }
      await this.#backOff(count)
    }
  }

  async #attempt<T>(bytes: number, send: (attempt: Attempt) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    const startTimer = (forBytes: number) => {
      const delayMs = this.#requestMsMax + forBytes / this.#transferBytesPerMsMin
      return this.#clock.startTimer(delayMs, () => controller.abort(new DeadlinePassed(delayMs)))
    }
    let timer = startTimer(bytes)
    const attempt: Attempt = {
      abortSignal: controller.signal,
      grantTransfer: count => {
        timer.cancel()
        timer = startTimer(count)
      },
    }
    try {
      return await send(attempt)
    } catch (error) {
      throw controller.signal.aborted ? controller.signal.reason : error
    } finally {
      timer.cancel()
    }
  }

  /** Exponential with full jitter, so that writers who were refused together do not come back together. */
  async #backOff(attempt: number): Promise<void> {
    const delayMs = Math.min(backoffMsFirst * 2 ** (attempt - 1), backoffMsMax)
    await this.#clock.sleep(delayMs * (0.5 + this.#random.fraction() / 2))
  }

  #notInOrder(last: string, key: string): FloeError {
    return new FloeError(
      'unsupported',
      'object-list-unordered',
      `${this.#place.text} lists ${key} after ${last}: Floe needs keys in byte order, as general purpose buckets return them`,
    )
  }
}

class DeadlinePassed extends Error {
  constructor(delayMs: number) {
    super(`no answer within ${Math.round(delayMs)} ms`)
  }
}

/** The answer's bytes, exactly as many as it announced. */
async function readAnswer(key: string, answer: GetObjectCommandOutput, attempt: Attempt): Promise<Uint8Array> {
  const { Body: body, ContentLength: length } = answer
  if (!(body instanceof Readable) || length === undefined) {
    throw new FloeError('unavailable', 'object-store-answer-malformed', `the answer for ${key} announces no length`, {
      key,
    })
  }
  attempt.grantTransfer(length)
  const stop = (): void => {
    body.destroy(new Error('deadline passed'))
  }
  attempt.abortSignal.addEventListener('abort', stop)
  try {
    const bytes = new Uint8Array(length)
    let filled = 0
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array) || chunk.length > length - filled) throw wrongLength(key, length)
      bytes.set(chunk, filled)
      filled += chunk.length
    }
    if (filled < length) throw wrongLength(key, length)
    return bytes
  } finally {
    attempt.abortSignal.removeEventListener('abort', stop)
  }
}

function wrongLength(key: string, length: number): FloeError {
  const message = `the answer for ${key} does not have the ${length} bytes it announces`
  return new FloeError('unavailable', 'object-store-answer-malformed', message, { key })
}
