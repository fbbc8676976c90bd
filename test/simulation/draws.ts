/** What is drawn at random, from a stream of numbers that a seed gives. */
import type { Random } from '../../core/random.ts'

export class Draws {
  readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  /** A number from `least` to `most`, whole. */
  between(least: number, most: number): number {
    return least + Math.floor(this.random.fraction() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.random.fraction() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random.fraction() * items.length)]!
  }
}
