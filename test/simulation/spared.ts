/**
 * Which faults a life is lived without, by their numbers. As text: `3,7-9,40-` are 3, 7 to 9, and all from 40 on.
 */
export class Spared {
  readonly #numbers: ReadonlySet<number>
  /** All from this one on. */
  readonly #from: number

  constructor(numbers: Iterable<number> = [], from: number = Number.POSITIVE_INFINITY) {
    this.#numbers = new Set(numbers)
    this.#from = from
  }

  has(number: number): boolean {
    return number >= this.#from || this.#numbers.has(number)
  }

  with(numbers: Iterable<number>): Spared {
    return new Spared([...this.#numbers, ...numbers], this.#from)
  }

  withAllFrom(from: number): Spared {
    return new Spared(this.#numbers, Math.min(from, this.#from))
  }

  toString(): string {
    const parts: string[] = []
    const numbers = [...this.#numbers].filter(number => number < this.#from).sort((a, b) => a - b)
    for (let at = 0; at < numbers.length; at++) {
      const first = numbers[at]!
      while (numbers[at + 1] === numbers[at]! + 1) at++
      parts.push(first === numbers[at] ? `${first}` : `${first}-${numbers[at]}`)
    }
    if (this.#from !== Number.POSITIVE_INFINITY) parts.push(`${this.#from}-`)
    return parts.join(',')
  }

  /** errors  a RangeError that names what cannot be read */
  static parse(text: string): Spared {
    const numbers: number[] = []
    let from = Number.POSITIVE_INFINITY
    for (const part of text === '' ? [] : text.split(',')) {
      const [, first, dash, last] = /^(\d+)(-?)(\d*)$/.exec(part) ?? []
      if (first === undefined) throw new RangeError(`${part} is not a number of a fault, nor a range of them`)
      if (dash === '-' && last === '') from = Math.min(from, Number(first))
      else for (let number = Number(first); number <= Number(last || first); number++) numbers.push(number)
    }
    return new Spared(numbers, from)
  }
}
