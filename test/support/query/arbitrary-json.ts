/** Texts of JSON as nobody would write them, and texts that are almost JSON. */
import fc from 'fast-check'

/** Of these names objects are made, so that fields are found, found twice, and found where something else was expected. */
export const memberNames = [
  'a',
  'b',
  'c',
  'data',
  'log_level',
  'log_levels',
  'a longer name',
  'größe',
  'q"\\\n',
  '',
  '😀',
]

const space = fc.constantFrom('', '', '', ' ', '\n', '\t\r ', '  ')

/** A string between quotes, some characters of it as escapes; halves of surrogate pairs always. */
export function writtenString(text: string): fc.Arbitrary<string> {
  const characters = [...text]
  return fc.array(fc.nat(5), { minLength: characters.length, maxLength: characters.length }).map(ways => {
    const written = characters.map((character, index) => {
      if (ways[index] === 0) return escapeUnits(character)
      if (ways[index] === 1 && character === '/') return '\\/'
      return JSON.stringify(character).slice(1, -1)
    })
    return `"${written.join('')}"`
  })
}

function escapeUnits(character: string): string {
  return character
    .split('')
    .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')
}

const string = fc
  .oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(...memberNames, '\ud800', '\udc00x'),
  )
  .chain(writtenString)

const number = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => JSON.stringify(value)),
  fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map(String),
  fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.nat(999_999)).map(([whole, part]) => `${whole}.${part}`),
  fc.constantFrom(
    '-0',
    '0',
    '-0.0',
    '1e3',
    '1E+3',
    '12e-2',
    '1.50',
    '999999999999999',
    '9999999999999999',
    '0.1',
    '123456789012345.6',
    '1e999',
  ),
)

const documents = fc.letrec<{ value: string; object: string }>(tie => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false'),
    number,
    string,
    fc
      .tuple(space, fc.array(fc.tuple(tie('value'), space), { maxLength: 4 }))
      .map(([before, items]) => `[${before}${items.map(item => item.join('')).join(',')}]`),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(space, fc.constantFrom(...memberNames).chain(writtenString), space, space, tie('value'), space), {
      maxLength: 5,
    })
    .map(members => `{${members.map(([a, name, b, c, of, d]) => `${a}${name}${b}:${c}${of}${d}`).join(',')}}`),
}))

/** Objects mostly; valid. */
export const jsonText: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: documents.object },
  {
    weight: 1,
    arbitrary: fc.tuple(space, documents.value, space).map(([before, value, after]) => before + value + after),
  },
)

/** Cut, or with something put in the place of a character: valid now and then. */
export const damagedJsonText: fc.Arbitrary<string> = fc
  .tuple(
    jsonText,
    fc.nat(),
    fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '.', '-', 'e', '\u0001', 'tru', '\\u12', ' '),
    fc.nat(2),
  )
  .map(([text, at, piece, way]) => {
    const place = at % (text.length + 1)
    const rest = way === 0 ? '' : piece + text.slice(place + (way === 1 ? 1 : 0))
    // Half of a pair is no text.
    return (text.slice(0, place) + rest).toWellFormed()
  })
