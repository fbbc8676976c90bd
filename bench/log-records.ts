/** Sample data of the ingest benchmarks: JSON log records of about 300 bytes, the same for the same seed. */
import { seededRandom } from '../core/random.ts'
import { type Field, primitive } from '../table/types.ts'

export const logFields: readonly Field[] = [
  { id: 1, name: 'ts', required: false, type: primitive('timestamptz') },
  { id: 2, name: 'level', required: false, type: primitive('string') },
  { id: 3, name: 'service', required: false, type: primitive('string') },
  { id: 4, name: 'host', required: false, type: primitive('string') },
  { id: 5, name: 'trace_id', required: false, type: primitive('string') },
  { id: 6, name: 'user_id', required: false, type: primitive('long') },
  { id: 7, name: 'method', required: false, type: primitive('string') },
  { id: 8, name: 'path', required: false, type: primitive('string') },
  { id: 9, name: 'status', required: false, type: primitive('int') },
  { id: 10, name: 'duration_ms', required: false, type: primitive('double') },
  { id: 11, name: 'bytes', required: false, type: primitive('long') },
  { id: 12, name: 'message', required: false, type: primitive('string') },
]

const levels = ['info', 'info', 'info', 'info', 'debug', 'warn', 'error']
const services = ['checkout', 'payments', 'inventory', 'search', 'profile', 'gateway', 'mailer', 'pricing']
const methods = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']
const paths = ['/api/v1/orders', '/api/v1/orders/items', '/api/v1/users', '/health', '/api/v1/search', '/static/app.js']
const words =
  'request completed cache miss upstream timeout retry connection pool user session token order item stock price queue'.split(
    ' ',
  )
const startMs = 1_760_000_000_000

/** Newline-free JSON texts. */
export function makeLogRecords(count: number, seed = 1): string[] {
  const random = seededRandom(seed)
  const pick = (list: readonly string[]): string => list[Math.floor(random.fraction() * list.length)]!
  const records: string[] = []
  for (let index = 0; index < count; index++) {
    const message = Array.from({ length: 8 }, () => pick(words)).join(' ')
    records.push(
      JSON.stringify({
        ts: `${new Date(startMs + index * 7).toISOString().slice(0, -1)}${Math.floor(random.fraction() * 900) + 100}Z`,
        level: pick(levels),
        service: pick(services),
        host: `node-${Math.floor(random.fraction() * 200)}`,
        trace_id: Buffer.from(random.bytes(16)).toString('hex'),
        user_id: Math.floor(random.fraction() * 5_000_000),
        method: pick(methods),
        path: pick(paths),
        status: random.fraction() < 0.9 ? 200 : 500,
        duration_ms: Math.round(random.fraction() * 1_000_000) / 1000,
        bytes: Math.floor(random.fraction() * 100_000),
        message: random.fraction() < 0.2 ? `${message} "quoted"` : message,
      }),
    )
  }
  return records
}
