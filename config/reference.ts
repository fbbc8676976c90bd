/** The reference of every option, as the generated part of docs/configuration.md. */
import { configOption } from './config.ts'
import type { Key, Option, RecordOption } from './option.ts'
import { formatDuration, formatSize } from './units.ts'

export const referenceBegin = '<!-- reference: written by scripts/write-config-reference.ts, do not edit by hand -->'
export const referenceEnd = '<!-- end of reference -->'

export function renderReference(): string {
  const sections: string[] = []
  const seen = new Set<string>()
  renderSection('', configOption, sections, seen)
  return `${sections.join('\n\n')}\n`
}

/** The document with the part between the two marks replaced by the reference. */
export function replaceReference(document: string): string {
  const begin = document.indexOf(referenceBegin)
  const end = document.indexOf(referenceEnd)
  if (begin === -1 || end < begin) return document
  return `${document.slice(0, begin + referenceBegin.length)}\n\n${renderReference()}\n${document.slice(end)}`
}

/** One table per group of keys, then the groups inside it. */
function renderSection(path: string, option: RecordOption, sections: string[], seen: Set<string>): void {
  const rows = Object.entries(option.keys).map(([name, key]) => renderRow(name, key))
  const title = path === '' ? 'The file' : `\`${path}\``
  const shorthand = option.shorthand === undefined ? '' : `A plain text stands for \`{${option.shorthand}: text}\`.\n\n`
  sections.push(
    `### ${title}\n\n${shorthand}| key | value | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}`,
  )
  for (const [name, key] of Object.entries(option.keys)) {
    const inner = findGroup(key.option)
    if (inner === undefined) continue
    const at = path === '' ? `${name}${inner.suffix}` : `${path}.${name}${inner.suffix}`
    if (inner.name !== undefined) {
      if (seen.has(inner.name)) continue
      seen.add(inner.name)
    }
    renderSection(at, inner.option, sections, seen)
  }
}

function findGroup(option: Option): { option: RecordOption; suffix: string; name: string | undefined } | undefined {
  if (option.kind === 'record') return { option, suffix: '', name: undefined }
  if (option.kind === 'lazy') return { option: option.get(), suffix: '', name: option.name }
  if (option.kind !== 'list') return undefined
  const inner = findGroup(option.item)
  return inner === undefined ? undefined : { ...inner, suffix: '[]' }
}

function renderRow(name: string, key: Key): string {
  const isScalar = !['list', 'record', 'lazy'].includes(key.option.kind)
  let shown = ''
  if (key.presence === 'required') shown = '**required**'
  if (key.presence === 'default' && isScalar) shown = `\`${key.defaultText ?? ''}\``
  return `| \`${name}\` | ${describeValue(key.option)} | ${shown} | ${key.doc.replaceAll('|', '\\|')} |`
}

function describeValue(option: Option): string {
  switch (option.kind) {
    case 'text':
      return 'text'
    case 'integer':
      return `${option.min} to ${option.max}`
    case 'boolean':
      return 'true or false'
    case 'choice':
      return option.values.map(value => `\`${value}\``).join(', ')
    case 'duration':
      return `duration, ${formatDuration(option.minMs)} to ${formatDuration(option.maxMs)}`
    case 'size':
      return `size, ${formatSize(option.minBytes)} to ${formatSize(option.maxBytes)}`
    case 'list':
      return `list, at most ${option.countMax}`
    case 'record':
      return 'group'
    case 'lazy':
      return option.name
  }
}
