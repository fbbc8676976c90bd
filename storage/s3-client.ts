/** Makes the SDK's client from Floe's options. Here alone the SDK's own defaults are decided on. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface S3StoreOptions {
  readonly bucket: string
  /** All keys are put below `prefix/`; empty for the whole bucket. */
  readonly prefix?: string
  /** For stores other than AWS: `http://127.0.0.1:9000`. */
  readonly endpoint?: string
  /** From the environment or profile when left out; `us-east-1` when an endpoint is given. */
  readonly region?: string
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly forcePathStyle?: boolean
  /** Left out: the SDK's chain of environment, profile, container and instance roles. */
  readonly credentials?: S3Credentials
  /** How long connecting may take. */
  readonly connectMsMax?: number
  /** How long one attempt of a request may take, on top of the time its bytes need at `transferBytesPerSecondMin`. */
  readonly requestMsMax?: number
  readonly transferBytesPerSecondMin?: number
  /** Attempts of one call, the first included. */
  readonly attemptCountMax?: number
  readonly connectionCountMax?: number
}

export const s3Defaults = {
  connectMsMax: 5_000,
  requestMsMax: 30_000,
  transferBytesPerSecondMin: 500_000,
  attemptCountMax: 4,
  connectionCountMax: 64,
} as const

export function createS3Client(options: S3StoreOptions): S3Client {
  const maxSockets = options.connectionCountMax ?? s3Defaults.connectionCountMax
  const config: S3ClientConfig = {
    // A retry inside the SDK would hide that a conditional put's first answer was lost: its own object would look like another
    // writer's. S3Store retries itself and keeps count.
    maxAttempts: 1,
    forcePathStyle: options.forcePathStyle ?? false,
    // The newer checksum headers are refused by several S3-compatible stores; bodies are covered by the signature's SHA-256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    // The deadline of an attempt is S3Store's.
    requestHandler: {
      connectionTimeout: options.connectMsMax ?? s3Defaults.connectMsMax,
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
    },
  }
  if (options.endpoint !== undefined) config.endpoint = options.endpoint
  const region = options.region ?? (options.endpoint === undefined ? undefined : 'us-east-1')
  if (region !== undefined) config.region = region
  if (options.credentials !== undefined) config.credentials = { ...options.credentials }
  return new S3Client(config)
}
