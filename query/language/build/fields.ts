/** Fields of the tree. */
import type { CstNode, IToken } from 'chevrotain'
import type { Field, PathStep, Span } from '../ast.ts'
import { queryLimits } from '../limits.ts'
import { formatField } from '../names.ts'
import { findNearest } from '../nearest.ts'
import * as t from '../tokens.ts'
import { isMetadataName, metadataNames } from '../words.ts'
import { type BuildContext, isMadeUp, nodeOf, nodesOf, spanOf, spanOfNode, tokenOf } from './context.ts'
import { readNumber, readString } from './values.ts'

export function buildField(context: BuildContext, node: CstNode | undefined): Field | undefined {
  if (node === undefined) return undefined
  const span = spanOfNode(node)
  const steps = nodesOf(node, 'step').map(step => buildStep(context, step))
  if (steps.includes(undefined)) return undefined
  const known = steps.filter(step => step !== undefined)
  const metadata = tokenOf(node, t.Word)
  if (metadata !== undefined) return buildMetadata(context, metadata, known, span)
  const name = readName(context, tokenOf(node, t.Name), tokenOf(node, t.Text))
  if (name === undefined) return undefined
  if (known.length >= queryLimits.pathLengthMax) {
    context.report('path-too-long', `a field has at most ${queryLimits.pathLengthMax} steps`, span)
    return undefined
  }
  const field: Field = { kind: 'path', steps: [{ kind: 'name', name }, ...known], span }
  // JavaScript writes a name in brackets.
  if (nodesOf(node, 'step').some(step => tokenOf(step, t.Text) !== undefined)) {
    context.rewrites.replace(span, formatField(field))
  }
  return field
}

function buildStep(context: BuildContext, node: CstNode): PathStep | undefined {
  const segment = nodeOf(node, 'segment')
  if (segment !== undefined) {
    const name = buildSegment(context, segment)
    return name === undefined ? undefined : { kind: 'name', name }
  }
  if (tokenOf(node, t.Star) !== undefined) return { kind: 'each' }
  const text = tokenOf(node, t.Text)
  if (text !== undefined) return { kind: 'name', name: readString(context, text).value.text }
  const token = tokenOf(node, t.NumberToken)
  if (token === undefined) return undefined
  const measure = readNumber(context, token)
  if (measure === undefined) return undefined
  if (measure.kind === 'number' && /^\d{1,9}$/.test(token.image)) return { kind: 'index', index: Number(token.image) }
  context.report('bad-index', 'a place in an array is a whole number from 0', spanOf(token), {
    expected: ['number', '*'],
  })
  return undefined
}

/** The name of a segment or of an alias. */
export function buildSegment(context: BuildContext, node: CstNode): string | undefined {
  return readName(context, tokenOf(node, t.Word), tokenOf(node, t.Text))
}

function readName(context: BuildContext, word: IToken | undefined, text: IToken | undefined): string | undefined {
  if (word !== undefined) return isMadeUp(word) ? undefined : word.image
  if (text === undefined) return undefined
  const { value } = readString(context, text)
  if (value.ignoreCase) {
    const span = { from: value.span.to - 1, to: value.span.to }
    context.report('ignore-case-not-allowed', 'the name of a field is always compared exactly', span, {
      fixes: [{ label: 'leave out the i', edit: { span, text: '' } }],
    })
  }
  return value.text
}

function buildMetadata(context: BuildContext, word: IToken, steps: readonly PathStep[], span: Span): Field | undefined {
  const name = word.image.toLowerCase()
  const [step] = steps
  if (name === 'headers' || name === 'header') {
    if (step?.kind === 'name' && steps.length === 1) {
      if (word.image !== 'headers') context.rewrites.replace(spanOf(word), 'headers')
      return { kind: 'header', name: step.name, span }
    }
    context.report('expected-header', 'a header is written @headers.name', span, { expected: ['.'] })
    return undefined
  }
  if (isMetadataName(name)) {
    if (word.image !== name) context.rewrites.replace(spanOf(word), name)
    if (steps.length === 0) return { kind: 'metadata', name, span }
    context.report('field-has-no-parts', `@${name} has no parts`, span)
    return undefined
  }
  const nearest = findNearest(name, metadataNames)
  const known = [...metadataNames.map(each => `@${each}`), '@headers']
  context.report('unknown-metadata', `@${word.image} is not known of a record`, span, {
    expected: known,
    hint: `of a record are known ${known.join(', ')}; fields of its value are written without @`,
    fixes: [
      ...(nearest === undefined ? [] : [{ label: `write @${nearest}`, edit: { span: spanOf(word), text: nearest } }]),
      { label: 'leave out the @', edit: { span: { from: span.from, to: span.from + 1 }, text: '' } },
    ],
  })
  return undefined
}
