/** Names of fields: which may stand bare, and how all others are written. */
import type { Field, PathStep } from './ast.ts'
import { quoteString } from './strings.ts'
import { isReserved } from './words.ts'

/** Letters, digits, `_`, `$`, and hyphens inside; not a digit first. Letters of all scripts that need no surrogates. */
export const bareNameSource =
  '[A-Za-z_$\\u00c0-\\u1fff\\u2c00-\\u2dff\\u3040-\\ud7ff\\uf900-\\ufdff][\\w$\\u00c0-\\u1fff\\u2c00-\\u2dff\\u3040-\\ud7ff\\uf900-\\ufdff]*(?:-+[\\w$\\u00c0-\\u1fff\\u2c00-\\u2dff\\u3040-\\ud7ff\\uf900-\\ufdff]+)*'

const bareName = new RegExp(`^${bareNameSource}$`)

export function isBareName(name: string): boolean {
  return bareName.test(name)
}

/** A name that anything may stand before: after a dot, after `as`. */
export function formatName(name: string): string {
  return isBareName(name) ? name : quoteString(name)
}

/** The one way to write a field; also the name of the column it makes. */
export function formatField(field: Field): string {
  if (field.kind === 'metadata') return `@${field.name}`
  if (field.kind === 'header') return `@headers.${formatName(field.name)}`
  return field.steps.map(formatStep).join('')
}

function formatStep(step: PathStep, position: number): string {
  if (step.kind === 'each') return '[*]'
  if (step.kind === 'index') return `[${step.index}]`
  if (position > 0) return `.${formatName(step.name)}`
  return isReserved(step.name) ? quoteString(step.name) : formatName(step.name)
}

/** Whether the field may yield several values of one event. */
export function hasEach(field: Field): boolean {
  return field.kind === 'path' && field.steps.some(step => step.kind === 'each')
}
