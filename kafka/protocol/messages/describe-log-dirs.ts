import type { Decoded, Encodable } from '../schema.ts'
import { array, bool, int16, int32, int64, string, struct } from '../schema.ts'

/**
 * DescribeLogDirs (key 35), versions 1-4, flexible from 2. v3 top-level error; v4 disk sizes (KIP-827).
 */
export const describeLogDirsRequest = struct({
  /** Null: all topics. */
  topics: array(struct({ topic: string(), partitions: array(int32()) }), { nullable: 0 }),
})

export const describeLogDirsResponse = struct({
  throttleTimeMs: int32({ default: 0 }),
  errorCode: int16({ from: 3 }),
  results: array(
    struct({
      errorCode: int16(),
      logDir: string(),
      topics: array(
        struct({
          name: string(),
          partitions: array(
            struct({ partitionIndex: int32(), partitionSize: int64(), offsetLag: int64(), isFutureKey: bool() }),
          ),
        }),
      ),
      totalBytes: int64({ from: 4, default: -1n }),
      usableBytes: int64({ from: 4, default: -1n }),
    }),
  ),
})

export type DescribeLogDirsRequest = Decoded<typeof describeLogDirsRequest>
export type DescribeLogDirsResponse = Encodable<typeof describeLogDirsResponse>
