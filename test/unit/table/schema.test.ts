import { describe, expect, test } from 'vitest'
import { provenanceField } from '../../../table/provenance.ts'
import {
  fieldsEqual,
  findColumn,
  findLastColumnId,
  findNodeById,
  findNodeByPath,
  formatType,
  listLeaves,
  parsePrimitiveType,
  schemaFieldCountMax,
  schemaNestingDepthMax,
  validateSchema,
} from '../../../table/schema.ts'
import { type Field, type FieldType, primitive, type Schema } from '../../../table/types.ts'

const string = primitive('string')
const field = (id: number, name: string, type: FieldType, required = false): Field => ({ id, name, required, type })
const schemaOf = (...fields: Field[]): Schema => ({ schemaId: 0, fields })

const nested = schemaOf(
  field(1, 'id', primitive('long'), true),
  field(2, 'profile', {
    kind: 'struct',
    fields: [field(3, 'country', string), field(4, 'price', { kind: 'decimal', precision: 9, scale: 2 })],
  }),
  field(5, 'tags', { kind: 'list', elementId: 6, elementRequired: false, element: string }),
  field(7, 'attributes', {
    kind: 'map',
    keyId: 8,
    key: string as never,
    valueId: 9,
    valueRequired: false,
    value: { kind: 'struct', fields: [field(10, 'n', primitive('int'))] },
  }),
  provenanceField,
)

describe('walking a schema', () => {
  test('leaves come in Parquet column order with their paths', () => {
    expect(listLeaves(nested).map(leaf => `${leaf.id} ${leaf.path}${leaf.insideRepeated ? ' *' : ''}`)).toEqual([
      '1 id',
      '3 profile.country',
      '4 profile.price',
      '6 tags.element *',
      '8 attributes.key *',
      '10 attributes.value.n *',
      '1000000001 floe.partition',
      '1000000002 floe.offset',
      '1000000003 floe.timestamp',
      '1000000004 floe.key',
    ])
  })

  test('places are found by id and by path', () => {
    expect(findNodeById(nested, 9)?.path).toBe('attributes.value')
    expect(findNodeByPath(nested, 'attributes.value.n')?.id).toBe(10)
    expect(findNodeById(nested, 11)).toBeUndefined()
    expect(findNodeByPath(nested, 'country')).toBeUndefined()
    expect(findColumn(nested, 'profile')?.id).toBe(2)
    expect(findColumn(nested, 'country')).toBeUndefined()
  })

  test('the last column id counts nested places of every schema', () => {
    expect(findLastColumnId([])).toBe(0)
    expect(findLastColumnId([schemaOf(field(1, 'a', string)), schemaOf(...nested.fields.slice(0, 4))])).toBe(10)
  })

  test('types print as in Iceberg', () => {
    expect(nested.fields.slice(0, 4).map(({ type }) => formatType(type))).toEqual([
      'long',
      'struct<country: string, price: decimal(9,2)>',
      'list<string>',
      'map<string, struct<n: int>>',
    ])
    expect(parsePrimitiveType('decimal(9, 2)')).toEqual({ kind: 'decimal', precision: 9, scale: 2 })
    expect(parsePrimitiveType('timestamptz')).toEqual(primitive('timestamptz'))
    expect(parsePrimitiveType('uuid')).toBeUndefined()
    expect(parsePrimitiveType('constructor')).toBeUndefined()
  })

  test('equality looks at ids, names, types and nullability', () => {
    expect(fieldsEqual(nested.fields, structuredClone(nested.fields))).toBe(true)
    expect(fieldsEqual([field(1, 'a', string)], [field(2, 'a', string)])).toBe(false)
    expect(fieldsEqual([field(1, 'a', string)], [field(1, 'b', string)])).toBe(false)
    expect(fieldsEqual([field(1, 'a', string)], [field(1, 'a', string, true)])).toBe(false)
    expect(fieldsEqual([field(1, 'a', string)], [field(1, 'a', primitive('binary'))])).toBe(false)
    expect(fieldsEqual([field(1, 'a', string)], [])).toBe(false)
  })
})

describe('validateSchema', () => {
  test('accepts a nested schema with the provenance column', () => {
    expect(() => validateSchema(nested)).not.toThrow()
  })

  const deep = (levels: number): FieldType =>
    levels === 0 ? string : { kind: 'struct', fields: [field(levels + 1, 'a', deep(levels - 1))] }
  const refused: [string, Schema, string][] = [
    ['id 0', schemaOf(field(0, 'a', string)), 'field "a": field id 0 is not a whole number from 1 to 2147483446'],
    [
      'a reserved id',
      schemaOf(field(2147483447, 'a', string)),
      'field "a": field id 2147483447 is not a whole number from 1 to 2147483446',
    ],
    [
      'an id used twice, once as list element',
      schemaOf(
        field(1, 'a', string),
        field(2, 'b', { kind: 'list', elementId: 1, elementRequired: true, element: string }),
      ),
      'field "b.element": field id 1 is already used by "a"',
    ],
    ['an empty name', schemaOf(field(1, '', string)), 'field "": a field name is empty'],
    [
      'names equal but for case, nested',
      schemaOf(field(1, 's', { kind: 'struct', fields: [field(2, 'Ab', string), field(3, 'aB', string)] })),
      'field "s.aB": the name differs from its neighbour "Ab" at most in upper and lower case',
    ],
    [
      'a space in a name',
      schemaOf(field(1, 'a b', string)),
      'field "a b": the name holds " ", which some readers refuse',
    ],
    [
      'a decimal of 39 digits',
      schemaOf(field(1, 'a', { kind: 'decimal', precision: 39, scale: 2 })),
      'field "a": decimal precision 39 is not from 1 to 38',
    ],
    [
      'a scale above the precision',
      schemaOf(field(1, 'a', { kind: 'decimal', precision: 3, scale: 4 })),
      'field "a": decimal scale 4 is not from 0 to the precision 3',
    ],
    [
      'an empty struct',
      schemaOf(field(1, 'a', { kind: 'struct', fields: [] })),
      'field "a": a struct needs at least one field',
    ],
    [
      'a map with int keys',
      schemaOf(
        field(1, 'a', {
          kind: 'map',
          keyId: 2,
          key: primitive('int'),
          valueId: 3,
          valueRequired: false,
          value: string,
        }),
      ),
      'field "a": map keys must be string, not int',
    ],
    [
      'types nested too deep',
      schemaOf(field(1_000, 'x', deep(schemaNestingDepthMax))),
      `field ${JSON.stringify(`x${'.a'.repeat(schemaNestingDepthMax)}`)}: types are nested more than ${schemaNestingDepthMax} levels deep`,
    ],
    [
      'too many fields',
      schemaOf(...Array.from({ length: schemaFieldCountMax + 1 }, (_, index) => field(index + 1, `c${index}`, string))),
      `field "c${schemaFieldCountMax}": the schema has more than ${schemaFieldCountMax} fields`,
    ],
  ]
  test.each(refused)('refuses %s and names the place', (_, schema, message) => {
    expect(() => validateSchema(schema)).toThrow(message)
  })
})
