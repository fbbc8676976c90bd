/** Turns what the SDK throws into what the caller should do, in one line that says what, where and what to do. */
import { errorMessage, FloeError } from '../core/errors.ts'

export interface S3Place {
  readonly bucket: string
  /** `s3://bucket/prefix`, with the endpoint where one is configured. */
  readonly text: string
  readonly region: string | undefined
}

interface Rule {
  readonly kind: FloeError['kind']
  readonly code: string
  readonly advise: (place: S3Place, detail: string) => string
}

/** `doing` reads like `cannot write journal/7`. */
export function explainS3Error(doing: string, place: S3Place, error: unknown): FloeError {
  if (error instanceof FloeError) return error
  const rule = findRule(error)
  const detail = errorMessage(error)
  const context = { s3: nameOf(error), status: statusOf(error) }
  return new FloeError(rule.kind, rule.code, `${doing} in ${place.text}: ${rule.advise(place, detail)}`, context, error)
}

export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

/** The HTTP status of an answer that was an error. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function findRule(error: unknown): Rule {
  const byName = rulesByName[nameOf(error)]
  if (byName !== undefined) return byName
  const byCode = rulesByCode[codeOf(error)]
  if (byCode !== undefined) return byCode
  if (errorMessage(error).includes('Region is missing')) return regionMissing
  const status = statusOf(error)
  if (status === undefined) return connectionFailed
  if (status === 401 || status === 403) return accessDenied
  if (status === 404) return bucketMissing
  if (status === 301 || status === 307) return wrongRegion
  if (status === 507) return storeFull
  if (status >= 500 || status === 408 || status === 429) return storeBusy
  if (status < 300) return notS3
  return refused
}

const credentialsRefused: Rule = {
  kind: 'invalid',
  code: 'object-store-credentials-refused',
  advise: (_, detail) => `the store refuses the credentials (${detail}); check access key id and secret access key`,
}
const credentialsMissing: Rule = {
  kind: 'invalid',
  code: 'object-store-credentials-missing',
  advise: (_, detail) =>
    `no credentials were found (${detail}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, use a profile or a role, or name credentials in the configuration`,
}
const credentialsExpired: Rule = {
  kind: 'unavailable',
  code: 'object-store-credentials-expired',
  advise: (_, detail) => `the credentials have expired (${detail}); renew them`,
}
const clockSkewed: Rule = {
  kind: 'unavailable',
  code: 'object-store-clock-skewed',
  advise: (_, detail) => `the store refuses this machine's time (${detail}); set the clock right`,
}
const accessDenied: Rule = {
  kind: 'invalid',
  code: 'object-store-access-denied',
  advise: (_, detail) =>
    `access denied (${detail}); allow s3:GetObject, PutObject, DeleteObject, ListBucket and AbortMultipartUpload there, see docs/object-stores.md`,
}
const bucketMissing: Rule = {
  kind: 'invalid',
  code: 'object-store-bucket-missing',
  advise: (place, detail) =>
    `there is no bucket ${place.bucket} (${detail}); create it or correct the name or the endpoint`,
}
const wrongRegion: Rule = {
  kind: 'invalid',
  code: 'object-store-wrong-region',
  advise: place =>
    `the bucket is not in region ${place.region ?? '(default)'}; name its region, as in ?region=eu-west-1`,
}
const regionMissing: Rule = {
  kind: 'invalid',
  code: 'object-store-region-missing',
  advise: () => 'no region is known; name it, as in ?region=eu-west-1, or set AWS_REGION',
}
const storeFull: Rule = {
  kind: 'exhausted',
  code: 'object-store-full',
  advise: (_, detail) => `the store is full (${detail}); free some space or raise the quota`,
}
const storeBusy: Rule = {
  kind: 'unavailable',
  code: 'object-store-busy',
  advise: (_, detail) => `the store cannot answer now (${detail})`,
}
const notS3: Rule = {
  kind: 'unavailable',
  code: 'object-store-answer-malformed',
  advise: (_, detail) => `the answer is not one of an S3 store (${detail}); check the endpoint`,
}
const refused: Rule = {
  kind: 'invalid',
  code: 'object-store-request-refused',
  advise: (_, detail) => `the store refuses the request (${detail})`,
}
const uploadMissing: Rule = {
  kind: 'invalid',
  code: 'multipart-upload-missing',
  advise: () => 'the multipart upload does not exist any more; start it again',
}
const connectionFailed: Rule = {
  kind: 'unavailable',
  code: 'object-store-unreachable',
  advise: (_, detail) =>
    `the store cannot be reached (${detail}); check the endpoint, the network and that the store runs`,
}
const certificateRefused: Rule = {
  kind: 'invalid',
  code: 'object-store-certificate-refused',
  advise: (_, detail) =>
    `the store's certificate is not trusted (${detail}); add its authority with NODE_EXTRA_CA_CERTS or mend the certificate`,
}

const rulesByName: Readonly<Record<string, Rule | undefined>> = {
  InvalidAccessKeyId: credentialsRefused,
  SignatureDoesNotMatch: credentialsRefused,
  InvalidToken: credentialsRefused,
  // versitygw
  XAdminUserNotFound: credentialsRefused,
  AuthorizationHeaderMalformed: wrongRegion,
  CredentialsProviderError: credentialsMissing,
  ExpiredToken: credentialsExpired,
  RequestExpired: credentialsExpired,
  RequestTimeTooSkewed: clockSkewed,
  AccessDenied: accessDenied,
  AllAccessDisabled: accessDenied,
  NoSuchBucket: bucketMissing,
  NoSuchUpload: uploadMissing,
  InvalidBucketName: bucketMissing,
  PermanentRedirect: wrongRegion,
  XMinioStorageFull: storeFull,
  QuotaExceeded: storeFull,
  SlowDown: storeBusy,
  ConditionalRequestConflict: storeBusy,
  OperationAborted: storeBusy,
  RequestTimeout: storeBusy,
}

const rulesByCode: Readonly<Record<string, Rule | undefined>> = {
  SELF_SIGNED_CERT_IN_CHAIN: certificateRefused,
  DEPTH_ZERO_SELF_SIGNED_CERT: certificateRefused,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificateRefused,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificateRefused,
  CERT_HAS_EXPIRED: certificateRefused,
  ERR_TLS_CERT_ALTNAME_INVALID: certificateRefused,
}
