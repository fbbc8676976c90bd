import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int8, int16, int32, string, struct } from '../schema.ts'

/**
 * DescribeConfigs (key 32), versions 1-4, flexible from 4. v3 configuration type and documentation (KIP-569).
 */
export const describeConfigsRequest = struct({
  resources: array(
    struct({
      /** 2 topic, 4 broker. */
      resourceType: int8(),
      resourceName: string(),
      /** Null: all keys. */
      configurationKeys: array(string(), { nullable: 0 }),
    }),
  ),
  includeSynonyms: bool(),
  includeDocumentation: bool({ from: 3 }),
})

export const describeConfigsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  results: array(
    struct({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      resourceType: int8(),
      resourceName: string(),
      configs: array(
        struct({
          name: string(),
          value: string({ nullable: 0 }),
          readOnly: bool(),
          /** 1 topic, 4 static broker, 5 default. */
          configSource: int8({ default: -1 }),
          isSensitive: bool(),
          synonyms: array(struct({ name: string(), value: string({ nullable: 0 }), source: int8() })),
          /** 0 unknown, 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password. */
          configType: int8({ from: 3 }),
          documentation: string({ from: 3, nullable: 3 }),
        }),
      ),
    }),
  ),
})

export type DescribeConfigsRequest = Decoded<typeof describeConfigsRequest>
export type DescribeConfigsResponse = Encodable<typeof describeConfigsResponse>
