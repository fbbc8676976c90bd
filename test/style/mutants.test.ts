/** Each mutant of the simulation changes what is there, or `npm run sim:mutants` would prove nothing by it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { mutants } from '../simulation/mutant-list.ts'

const root = join(import.meta.dirname, '../..')

it.each(mutants.flatMap(({ name, edits }) => edits.map(edit => ({ name, ...edit }))))(
  '$name: $file has the text that is changed, once',
  ({ file, from }) => {
    expect(readFileSync(join(root, file), 'utf8').split(from)).toHaveLength(2)
  },
)
