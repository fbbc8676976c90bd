/**
 * The largest of what was said of the numbers before one, in logarithmic time.
 *
 * source  Fenwick, "A New Data Structure for Cumulative Frequency Tables", 1994
 */
export class PrefixMax {
  /** Element i, counted from 1, holds the largest of the i & -i numbers up to i. */
  readonly #tree: Float64Array

  constructor(length: number) {
    this.#tree = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY)
  }

  raise(index: number, value: number): void {
    const tree = this.#tree
    for (let at = index + 1; at < tree.length; at += at & -at) if (value > tree[at]!) tree[at] = value
  }

  /** Of [0, end); negative infinity when nothing was said of any. */
  before(end: number): number {
    const tree = this.#tree
    let most = Number.NEGATIVE_INFINITY
    for (let at = end; at > 0; at -= at & -at) if (tree[at]! > most) most = tree[at]!
    return most
  }
}
