/**
 * JSON for people and tools: 64-bit numbers are strings of digits, because most readers of JSON would round them. Bytes are base64.
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, replaceExact, indent)
}

function replaceExact(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return value
}
