import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * ApiVersions (key 18), versions 0-4, flexible from 3.
 *
 * The response always has header v0, in every version, because a client asks before it knows what we speak. A request in a
 * version we do not know is answered in v0 with UNSUPPORTED_VERSION (KIP-511).
 */
export const apiVersionsRequest = struct({
  clientSoftwareName: string({ from: 3 }),
  clientSoftwareVersion: string({ from: 3 }),
})

export const apiVersionsResponse = struct({
  errorCode: int16(),
  apiKeys: array(struct({ apiKey: int16(), minVersion: int16(), maxVersion: int16() })),
  throttleTimeMs: int32({ from: 1 }),
  supportedFeatures: array(struct({ name: string(), minVersion: int16(), maxVersion: int16() }), { from: 3, tag: 0 }),
  finalizedFeaturesEpoch: int64({ from: 3, default: -1n, tag: 1 }),
  finalizedFeatures: array(struct({ name: string(), maxVersionLevel: int16(), minVersionLevel: int16() }), {
    from: 3,
    tag: 2,
  }),
  zkMigrationReady: bool({ from: 3, default: false, tag: 3 }),
})

export type ApiVersionsRequest = Decoded<typeof apiVersionsRequest>
export type ApiVersionsResponse = Encodable<typeof apiVersionsResponse>
