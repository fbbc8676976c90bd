/** Columns grow, are emptied, undone and gathered without losing or keeping anything. */
import { describe, expect, test } from 'vitest'
import { ColumnSet, createEmptyCopy, gatherColumn } from '../../../../ingest/columns/column-set.ts'
import { type Field, primitive } from '../../../../table/types.ts'
import { decodeRows, sampleFields, sampleRows } from '../../table/parquet/sample-columns.ts'
import { checkColumn, readRows, readSlot } from '../read-columns.ts'

const rows = Array.from({ length: 300 }, (_, index) => sampleRows[index % sampleRows.length]!)

describe('ColumnSet', () => {
  test('grows beyond its first capacity and keeps every value', () => {
    const set = decodeRows(sampleFields, rows)
    const few = readRows(sampleFields, decodeRows(sampleFields, sampleRows))
    expect(readRows(sampleFields, set)).toEqual(rows.map((_, index) => few[index % few.length]))
  })

  test('gathering takes the rows asked for, in that order, after those already there', () => {
    const set = decodeRows(sampleFields, rows)
    const target = decodeRows(sampleFields, sampleRows)
    const picked = Int32Array.of(299, 0, 2, 2, 1)
    target.gather(set, picked, 5)
    for (const column of target.columns) checkColumn(column, 9)
    const all = readRows(sampleFields, set)
    expect(readRows(sampleFields, target).slice(4)).toEqual([...picked].map(row => all[row]))
  })

  test('a gathered column shares nothing with its source', () => {
    const set = decodeRows(sampleFields, rows)
    const before = readRows(sampleFields, set)
    for (const [index, column] of set.columns.entries()) {
      const copy = createEmptyCopy(column)
      gatherColumn(copy, column, Int32Array.of(0, 2), 2)
      column.pushNull()
      expect(readSlot(sampleFields[index]!.type, copy, 0)).toEqual(before[0]![sampleFields[index]!.name])
    }
  })

  test('rollback forgets what came after the last complete row, at any depth', () => {
    const set = decodeRows(sampleFields, rows)
    const before = readRows(sampleFields, set)
    for (const column of set.columns) {
      column.pushNull()
      if (column.kind === 'list') column.element.pushNull()
      if (column.kind === 'struct') column.children[0]!.pushNull()
      if (column.kind === 'map') column.key.push(Buffer.from('k'), 0, 1)
    }
    set.rollback()
    for (const column of set.columns) checkColumn(column, 300)
    expect(readRows(sampleFields, set)).toEqual(before)
  })

  test('reset empties and keeps memory, unless one value was huge', () => {
    const fields: Field[] = [
      { id: 1, name: 's', required: false, type: primitive('string') },
      {
        id: 2,
        name: 'l',
        required: false,
        type: { kind: 'list', elementId: 3, elementRequired: true, element: primitive('int') },
      },
    ]
    const set = new ColumnSet(fields)
    const [text, list] = set.columns
    if (text?.kind !== 'bytes' || list?.kind !== 'list' || list.element.kind !== 'int32') throw new Error('other kinds')
    text.push(new Uint8Array(100_000), 0, 100_000)
    const { bytes } = text
    set.reset()
    expect(text.bytes).toBe(bytes)
    text.reserve(33 * 1024 * 1024)
    for (let at = 0; at < 1_100_000; at++) list.element.push(at)
    list.pushValid()
    set.reset()
    expect(text.bytes.length).toBeLessThan(10_000)
    expect(list.element.values.length).toBeLessThan(10_000)
    expect(set.measureBytes()).toBe(0)
  })
})
