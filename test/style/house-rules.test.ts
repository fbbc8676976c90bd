import { describe, expect, it } from 'vitest'
import { checkSource } from '../../scripts/house/rules.ts'

const messages = (file: string, text: string): string[] => checkSource(file, text).map(f => `${f.line}: ${f.message}`)

describe('import directions', () => {
  it('lets a folder import what lies below it and refuses what lies beside or above', () => {
    expect(messages('broker/a.ts', "import { x } from '../kafka/b.ts'")).toEqual([])
    expect(messages('broker/a.ts', "import { x } from '../ingest/b.ts'")).toEqual([
      '1: broker/ must not import ingest/',
    ])
    expect(messages('core/a.ts', "import type { x } from '../kafka/b.ts'")).toEqual(['1: core/ must not import kafka/'])
    expect(messages('ingest/deep/a.ts', "export { x } from '../../broker/b.ts'")).toEqual([
      '1: ingest/ must not import broker/',
    ])
  })

  it('tells types from values where only types are allowed', () => {
    expect(messages('catalog/a.ts', "import type { T } from '../table/types.ts'")).toEqual([])
    expect(messages('catalog/a.ts', "import { v } from '../table/types.ts'")).toEqual([
      '1: catalog/ may import only types from table/',
    ])
  })

  it('sees imports that span lines and dynamic ones', () => {
    expect(messages('storage/a.ts', "import {\n  a,\n  b,\n} from '../catalog/x.ts'")).toEqual([
      '4: storage/ must not import catalog/',
    ])
    expect(messages('storage/a.ts', "const x = await import('../bin/x.ts')")).toEqual([
      '1: storage/ must not import bin/',
    ])
  })
})

describe('what runs in browsers', () => {
  it('imports itself and chevrotain', () => {
    expect(messages('query/language/build/a.ts', "import { x } from '../b.ts'")).toEqual([])
    expect(messages('query/language/a.ts', "import { CstParser } from 'chevrotain'")).toEqual([])
    for (const specifier of ['node:util', 'yaml', '../engine/a.ts', '../../core/errors.ts']) {
      expect(messages('query/language/a.ts', `import { x } from '${specifier}'`)).toEqual([
        `1: query/language/ runs in browsers: it imports itself and chevrotain, not ${specifier}`,
      ])
      expect(messages('query/a.ts', `import { x } from '${specifier.replace('../', './')}'`)).toEqual([])
    }
  })

  it('has no Buffer and no process', () => {
    expect(messages('query/language/a.ts', "Buffer.from('a')")).toHaveLength(1)
    expect(messages('query/a.ts', "Buffer.from('a')")).toEqual([])
  })
})

describe('ambient state', () => {
  it.each([
    ['const t = Date.now()', 'Date.now'],
    ['const t = new Date()', 'new Date()'],
    ['setTimeout(f, 1)', 'setTimeout('],
    ['Math.random()', 'Math.random'],
    ['const x = process.env.HOME', 'process.env'],
  ])('refuses %s outside core and bin', (source, use) => {
    expect(messages('query/a.ts', source)[0]).toContain(`1: ${use} is ambient`)
    expect(messages('core/a.ts', source)).toEqual([])
    expect(messages('bin/a.ts', source)).toEqual([])
  })

  it('refuses modules of the operating system, but not their types', () => {
    expect(messages('storage/a.ts', "import { readFile } from 'node:fs/promises'")).toHaveLength(1)
    expect(messages('storage/a.ts', "import type { Stats } from 'node:fs'")).toEqual([])
  })

  it('ignores comments', () => {
    expect(messages('query/a.ts', '// Date.now() is banned\n/* Math.random() */')).toEqual([])
  })
})
