/**
 * The Kafka calls Floe describes: key, versions served, and the first flexible version (KIP-482). The one table behind
 * decoding, dispatch and the ApiVersions answer.
 *
 * Invariants: `min` to `max` are decoded and encoded; `advertisedMin` is what ApiVersions names. They differ for Produce alone:
 * librdkafka before KAFKA-18659 looks for Produce v0 and otherwise sends every batch uncompressed without a word.
 * `flexibleFrom` Infinity: never.
 */
export interface ApiSpec {
  readonly key: number
  readonly min: number
  readonly max: number
  readonly advertisedMin: number
  readonly flexibleFrom: number
}

function api(key: number, min: number, max: number, flexibleFrom: number, advertisedMin = min): ApiSpec {
  return { key, min, max, advertisedMin, flexibleFrom }
}

/** By Kafka's own names. */
export const apis = {
  Produce: api(0, 3, 12, 9, 0),
  Fetch: api(1, 4, 17, 12),
  ListOffsets: api(2, 1, 9, 6),
  Metadata: api(3, 0, 13, 9),
  ApiVersions: api(18, 0, 4, 3),
  CreateTopics: api(19, 2, 7, 5),
  InitProducerId: api(22, 0, 5, 2),
} as const satisfies Record<string, ApiSpec>

export type ApiName = keyof typeof apis

export const apiNames = Object.keys(apis) as readonly ApiName[]

const namesByKey: ReadonlyMap<number, ApiName> = new Map(apiNames.map(name => [apis[name].key, name]))

/** Undefined: a key that Floe does not describe. */
export function findApi(key: number): ApiName | undefined {
  return namesByKey.get(key)
}

export function isVersionServed(name: ApiName, version: number): boolean {
  return version >= apis[name].min && version <= apis[name].max
}

export function isFlexible(name: ApiName, version: number): boolean {
  return version >= apis[name].flexibleFrom
}
