/** JSON Schema (2020-12) of the configuration file, for editors that complete and check YAML. Printed into floe.schema.json. */
import { configOption } from './config.ts'
import type { Option, RecordOption } from './option.ts'

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

export function renderJsonSchema(): string {
  const definitions = new Map<string, Json>()
  const root = describeRecord(configOption, definitions)
  const schema: Json = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Floe',
    description: 'Kafka topics that become Iceberg and Delta tables.',
    ...root,
    $defs: Object.fromEntries([...definitions].sort(([a], [b]) => (a < b ? -1 : 1))),
  }
  return `${JSON.stringify(schema, null, 2)}\n`
}

function describe(option: Option, definitions: Map<string, Json>): Record<string, Json> {
  switch (option.kind) {
    case 'text':
      return {
        type: 'string',
        ...(option.mayBeEmpty === true ? {} : { minLength: 1 }),
        ...(option.lengthMax === undefined ? {} : { maxLength: option.lengthMax }),
        // JSON Schema patterns have no flags: one that ignores case would refuse what Floe takes.
        ...(option.pattern === undefined || option.pattern.flags.includes('i')
          ? {}
          : { pattern: option.pattern.source }),
      }
    case 'integer':
      return { type: 'integer', minimum: option.min, maximum: option.max }
    case 'boolean':
      return { type: 'boolean' }
    case 'choice':
      return { enum: option.values }
    case 'duration':
      return {
        type: ['string', 'integer'],
        pattern: '^\\d+(\\.\\d+)?\\s*[A-Za-z]*$',
        examples: ['250ms', '10s', '1h', '7d'],
      }
    case 'size':
      return { type: ['string', 'integer'], pattern: '^\\d+(\\.\\d+)?\\s*[A-Za-z]*$', examples: ['4MiB', '256MB'] }
    case 'list':
      return {
        type: 'array',
        ...(option.countMin === 0 ? {} : { minItems: option.countMin }),
        maxItems: option.countMax,
        items: describe(option.item, definitions),
      }
    case 'record': {
      const record = describeRecord(option, definitions)
      return option.shorthand === undefined ? record : { anyOf: [{ type: 'string', minLength: 1 }, record] }
    }
    case 'lazy':
      if (!definitions.has(option.name)) {
        // Claimed before it is described: the description contains itself.
        definitions.set(option.name, {})
        definitions.set(option.name, describe(option.get(), definitions))
      }
      return { $ref: `#/$defs/${option.name}` }
  }
}

function describeRecord(option: RecordOption, definitions: Map<string, Json>): Record<string, Json> {
  const properties: Record<string, Json> = {}
  const required: string[] = []
  for (const [name, key] of Object.entries(option.keys)) {
    const described = { description: key.doc, ...describe(key.option, definitions) }
    const isScalar = !['list', 'record', 'lazy'].includes(key.option.kind)
    properties[name] =
      key.presence === 'default' && isScalar
        ? { ...described, default: defaultOf(key.option, key.defaultText ?? '') }
        : described
    if (key.presence === 'required') required.push(name)
  }
  return {
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
}

function defaultOf(option: Option, text: string): Json {
  if (option.kind === 'integer') return Number(text)
  if (option.kind === 'boolean') return text === 'true'
  return text
}
