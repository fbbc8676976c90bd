import { type Duplex, duplexPair } from 'node:stream'

/** Two ends of a wire in memory. As with sockets, what arrives is a copy: either side may give the memory it sent or got back. */
export function createCopyingPair(): [Duplex, Duplex] {
  const pair = duplexPair()
  for (const side of pair) {
    const write = side._write
    side._write = (chunk: Uint8Array, encoding, done) => write.call(side, Buffer.from(chunk), encoding, done)
  }
  return pair
}
