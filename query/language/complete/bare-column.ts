/** Columns that need no quotes. */
import { BuildContext } from '../build/context.ts'
import { buildField } from '../build/fields.ts'
import { formatField } from '../names.ts'
import { tokenize } from '../tokens.ts'
import { readTree } from '../tree.ts'

/** Whether the name reads as a field that is written just so. */
export function isBareColumn(name: string): boolean {
  const { tokens, unknown } = tokenize(name)
  const { tree, mistakes } = readTree(tokens, 'field')
  if (unknown.length > 0 || mistakes.length > 0) return false
  const field = buildField(new BuildContext(name), tree)
  return field !== undefined && formatField(field) === name
}
