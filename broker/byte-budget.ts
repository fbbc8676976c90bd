/**
 * Bytes of requests held in memory by all connections together. A connection asks before it takes another frame; over the limit
 * it is called back, first come first served, once there is room again.
 *
 * The limit may be passed by one frame per connection, since a frame is known only when it is there.
 */
export class ByteBudget {
  readonly #bytesMax: number
  #bytesHeld = 0
  readonly #waiting: Set<() => void> = new Set()
  readonly #report: (bytesHeld: number) => void

  constructor(bytesMax: number, report: (bytesHeld: number) => void = () => {}) {
    this.#bytesMax = bytesMax
    this.#report = report
  }

  /** When false, `onRoom` is called once there is room. */
  hasRoom(onRoom: () => void): boolean {
    if (this.#bytesHeld < this.#bytesMax) return true
    this.#waiting.add(onRoom)
    return false
  }

  take(bytes: number): void {
    this.#bytesHeld += bytes
    this.#report(this.#bytesHeld)
  }

  release(bytes: number): void {
    this.#bytesHeld -= bytes
    this.#report(this.#bytesHeld)
    for (const onRoom of this.#waiting) {
      if (this.#bytesHeld >= this.#bytesMax) return
      this.#waiting.delete(onRoom)
      onRoom()
    }
  }

  forget(onRoom: () => void): void {
    this.#waiting.delete(onRoom)
  }
}
