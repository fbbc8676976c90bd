/**
 * Finds a small list of faults with which a seed still fails: lives it again without some of them, first without those of its end, then
 * without halves, quarters and so on down to each alone (delta debugging: Zeller and Hildebrandt, 2002). A life without one fault goes
 * another way from there on, so what is found is small, not the smallest.
 */
import { Spared } from './spared.ts'
import type { Fault } from './world.ts'

const attemptsMax = 300

/** What is looked at of a life. */
export interface Life {
  readonly violations: readonly string[]
  readonly faults: readonly Fault[]
}

export interface Minimized {
  readonly spared: Spared
  /** Without them. */
  readonly life: Life
  readonly attempts: number
}

/** `live` lives the seed without some faults. Undefined: it does not fail. */
export async function minimize(live: (spared: Spared) => Promise<Life>): Promise<Minimized | undefined> {
  const minimizer = new Minimizer(live)
  if (!(await minimizer.attempt(new Spared()))) return undefined
  await minimizer.cutEnd()
  await minimizer.thin()
  return minimizer.best
}

class Minimizer {
  readonly #live: (spared: Spared) => Promise<Life>
  #attempts = 0
  #spared = new Spared()
  #life: Life | undefined

  constructor(live: (spared: Spared) => Promise<Life>) {
    this.#live = live
  }

  get best(): Minimized {
    return { spared: this.#spared, life: this.#life!, attempts: this.#attempts }
  }

  /** Whether the life without these fails too; then it is the best so far. */
  async attempt(spared: Spared): Promise<boolean> {
    if (this.#attempts >= attemptsMax) return false
    this.#attempts++
    const life = await this.#live(spared)
    if (life.violations.length === 0) return false
    this.#spared = spared
    this.#life = life
    return true
  }

  #numbers(): number[] {
    return this.#life!.faults.map(({ number }) => number)
  }

  /** Nothing goes wrong any more from some fault on: up to there, the life stays as it is. */
  async cutEnd(): Promise<void> {
    let least = 0
    for (let most = this.#numbers().length; least < most; ) {
      const middle = (least + most) >> 1
      if (await this.attempt(this.#spared.withAllFrom(this.#numbers()[middle]!))) most = this.#numbers().length
      else least = middle + 1
    }
  }

  async thin(): Promise<void> {
    for (let size = Math.ceil(this.#numbers().length / 2); size >= 1; ) {
      const thinned = await this.#thinBy(size)
      if (size > 1) size = Math.ceil(size / 2)
      else if (!thinned) return
    }
  }

  /** From the end, so that those before stay what they are. */
  async #thinBy(size: number): Promise<boolean> {
    let thinned = false
    for (let end = this.#numbers().length; end > 0; end -= size) {
      const numbers = this.#numbers()
      const part = numbers.slice(Math.max(0, Math.min(end, numbers.length) - size), end)
      if (part.length > 0 && (await this.attempt(this.#spared.with(part)))) thinned = true
    }
    return thinned
  }
}
