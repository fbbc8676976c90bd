/** Completion: what may be written at the cursor, the likeliest first. For editors; works on every keystroke. */
import { resultColumns } from '../columns.ts'
import type { Edit } from '../diagnostic.ts'
import { formatColumn } from '../format.ts'
import { queryLimits } from '../limits.ts'
import { parseQuery } from '../parse.ts'
import { functionNames, needsField, stageNames } from '../words.ts'
import { isBareColumn } from './bare-column.ts'
import { fieldCandidates, operatorCandidates, unitCandidates, valueCandidates, widthCandidates } from './candidates.ts'
import { type FieldKnowledge, type Knowledge, metadataKnowledge } from './knowledge.ts'
import { type Cursor, findCursor } from './place.ts'
import { type Candidate, rankCandidates } from './rank.ts'

export interface Completions {
  /** What is completed. */
  readonly context: Cursor['place']['kind']
  readonly items: readonly CompletionItem[]
}

export interface CompletionItem {
  readonly label: string
  /** Type, counts: to be shown beside the label. */
  readonly detail?: string
  readonly kind: Candidate['kind']
  /** Replaces what stands at the cursor. */
  readonly edit: Edit
}

export const completionCountMax = 50

/** cursor  UTF-16 offset into the text */
export function completeQuery(text: string, cursor: number, knowledge: Knowledge): Completions {
  if (text.length > queryLimits.textLengthMax) return { context: 'test', items: [] }
  const at = Math.max(0, Math.min(cursor, text.length))
  const found = findCursor(text, at)
  const fields = knownFields(text, found, knowledge)
  const candidates = rankCandidates(found, collect(found, fields, knowledge))
  const items = candidates.slice(0, completionCountMax).map(({ label, detail, kind, insert }) => ({
    label,
    kind,
    edit: { span: found.span, text: insert },
    ...(detail === undefined ? {} : { detail }),
  }))
  return { context: found.place.kind, items }
}

/** Behind a stage that makes columns, the columns; else the fields of the events. */
function knownFields(text: string, { pipeAt }: Cursor, knowledge: Knowledge): readonly FieldKnowledge[] {
  const before = pipeAt === undefined ? undefined : parseQuery(text.slice(0, pipeAt)).query
  const columns = before === undefined ? undefined : resultColumns(before)
  if (columns === undefined) return [...knowledge.fields, ...metadataKnowledge]
  return columns.map(name => {
    const known = knowledge.fields.find(field => field.path === name)
    return { types: {}, ...known, path: isBareColumn(name) ? name : formatColumn(name) }
  })
}

function collect(cursor: Cursor, fields: readonly FieldKnowledge[], knowledge: Knowledge): Candidate[] {
  const { place } = cursor
  switch (place.kind) {
    case 'test':
      return cursor.isQuoted ? [] : [...fieldCandidates(fields), ...words('not', 'exists(')]
    case 'field':
      return fieldCandidates(fields)
    case 'operator':
      return operatorCandidates(fields, place)
    case 'value':
      return [...unitCandidates(cursor.prefix, cursor.isQuoted), ...valueCandidates(fields, place)]
    case 'list':
      return words('[')
    case 'words':
      return words(...place.words)
    case 'joined':
      // Another test may begin without a word between; offered once something of it is written.
      return [
        ...words('and', 'or', ...(place.isNested ? [')'] : ['|'])),
        ...(cursor.prefix === '' ? [] : [...fieldCandidates(fields), ...words('not', 'exists(')]),
      ]
    case 'stage':
      return stageNames.map(name => ({ label: name, insert: name, kind: 'stage' }))
    case 'aggregate':
      return [
        ...aggregates(),
        ...(place.allowsSpan ? widthCandidates(undefined) : []),
        ...unitCandidates(cursor.prefix, false),
      ]
    case 'width':
      return [
        ...widthCandidates(fields.find(field => field.path === place.field)),
        ...unitCandidates(cursor.prefix, false),
      ]
    case 'count':
      return place.counts.map(count => ({ label: count, insert: count, kind: 'value' }))
    case 'table':
      return (knowledge.tables ?? []).map(name => ({ label: name, insert: name, kind: 'table' }))
  }
}

function words(...list: readonly string[]): Candidate[] {
  return list.map(word => ({ label: word, insert: word, kind: 'word' }))
}

function aggregates(): Candidate[] {
  return functionNames.map(name => {
    const call = needsField(name) ? `${name}(` : `${name}()`
    return { label: call, insert: call, kind: 'aggregate' }
  })
}
