import avro from 'avsc'
import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { loadConfig } from '../../../bin/cli/load-config.ts'
import { createSampleTopics, type SampleTopic } from '../../../bin/demo/sample-data.ts'

const { tables } = loadConfig(new URL('../../../examples/demo.yaml', import.meta.url).pathname)
const samples = createSampleTopics(tables)
const nowMs = 1_800_000_000_000

/** How many of the first 10,000 records a strict decoder refuses. */
function countBad(name: string, decode: (value: Buffer) => unknown): number {
  const sample = samples.find(each => each.topic === name) as SampleTopic
  let bad = 0
  for (let number = 0; number < 10_000; number++) {
    try {
      decode(sample.makeRecord(number, nowMs).value)
    } catch {
      bad++
    }
  }
  return bad
}

test('the shares of the topics make a whole', () => {
  expect(samples.map(each => each.topic)).toEqual(tables.map(table => table.sourceTopic))
  expect(samples.reduce((sum, each) => sum + each.percent, 0)).toBe(100)
})

test('a record is the same in every run', () => {
  for (const sample of samples) {
    expect(sample.makeRecord(41, nowMs)).toEqual(sample.makeRecord(41, nowMs))
    expect(sample.makeRecord(41, nowMs)).not.toEqual(sample.makeRecord(42, nowMs))
  }
})

test('almost every record fits its table, and a few do not', () => {
  const orders = (value: Buffer): void => {
    const order = JSON.parse(value.toString())
    if (typeof order.order_id !== 'string' || Number.isNaN(Date.parse(order.created))) throw new Error('does not fit')
    const total = order.items.reduce(
      (sum: number, item: { quantity: number; price: string }) => sum + item.quantity * Number(item.price),
      0,
    )
    expect(Number(order.amount)).toBeCloseTo(total, 2)
  }
  expect(countBad('orders', orders)).toBe(11)
  const click = avro.Type.forSchema(JSON.parse(tables[1]?.inputSchema ?? ''))
  expect(countBad('clicks', value => click.fromBuffer(value))).toBe(11)
  const payment = protobuf.parse(tables[2]?.inputSchema ?? '').root.lookupType('shop.Payment')
  expect(countBad('payments', value => payment.decode(value))).toBe(11)
})
