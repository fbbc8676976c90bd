/** Trees without their places, to be compared or kept. */
import { emptySpan } from './ast.ts'

/** The same node with every place empty. */
export function withoutSpans<Node>(node: Node): Node {
  return strip(node) as Node
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, key === 'span' ? emptySpan : strip(part)]))
}
