/**
 * The sample stream of the demo: a small shop. Record n of a topic is the same in every run (a generator seeded by topic and n),
 * so that a restarted demo goes on where it was. About one record in a thousand does not fit its table, in ways that happen.
 */
import avro from 'avsc'
import protobuf from 'protobufjs'
import type { TableConfig } from '../../config/table-config.ts'
import { assert } from '../../core/assert.ts'
import { type Random, seededRandom } from '../../core/random.ts'

export interface SampleRecord {
  readonly key: Buffer
  readonly value: Buffer
}

export interface SampleTopic {
  readonly topic: string
  readonly partitionCount: number
  /** Of 100 records, how many are this topic's. */
  readonly percent: number
  makeRecord(number: number, nowMs: number): SampleRecord
}

/** Records whose number leaves this rest do not fit their table. */
const badEvery = 997
const badRest = 13

export function createSampleTopics(tables: readonly TableConfig[]): readonly SampleTopic[] {
  return [createOrders(), createClicks(findSchema(tables, 'clicks')), createPayments(findSchema(tables, 'payments'))]
}

function findSchema(tables: readonly TableConfig[], name: string): string {
  const schema = tables.find(table => table.name === name)?.inputSchema
  assert(schema !== undefined, `the demo has no input_schema for ${name}`)
  return schema
}

function createOrders(): SampleTopic {
  return {
    topic: 'orders',
    partitionCount: 3,
    percent: 40,
    makeRecord(number, nowMs) {
      const random = seededRandom(number * 3 + 1)
      const orderId = `o-${String(number).padStart(9, '0')}`
      const { country, currency } = pickCountry(random)
      const items = Array.from({ length: 1 + skewed(random, 5) }, () => ({
        sku: pick(random, products),
        quantity: 1 + skewed(random, 4),
        price: cents(random, 199, 24_900),
      }))
      const total = items.reduce((sum, item) => sum + item.quantity * item.price, 0)
      const order = {
        order_id: orderId,
        customer_id: customer(random),
        country,
        amount: formatCents(total),
        currency,
        express: random.fraction() < 0.2,
        created: new Date(nowMs).toISOString(),
        items: items.map(item => ({ ...item, price: formatCents(item.price) })),
      }
      const text = JSON.stringify(number % badEvery === badRest ? spoilOrder(order, number) : order)
      // A producer that was cut off in the middle of a write.
      const value = number % (2 * badEvery) === badRest ? text.slice(0, text.length >> 1) : text
      return { key: Buffer.from(orderId), value: Buffer.from(value) }
    },
  }
}

function spoilOrder(order: { readonly created: string }, number: number): object {
  return number % 2 === 0 ? { ...order, order_id: null } : { ...order, created: 'yesterday' }
}

function createClicks(schemaText: string): SampleTopic {
  const type = avro.Type.forSchema(JSON.parse(schemaText) as avro.Schema)
  return {
    topic: 'clicks',
    partitionCount: 4,
    percent: 50,
    makeRecord(number, nowMs) {
      const random = seededRandom(number * 3 + 2)
      const sessionId = `s-${(Math.floor(random.fraction() * 5000) + Math.floor(number / 200)).toString(36)}`
      const device = pick(random, ['PHONE', 'PHONE', 'DESKTOP', 'TABLET'])
      const value = type.toBuffer({
        session_id: sessionId,
        customer_id: random.fraction() < 0.4 ? customer(random) : null,
        happened: nowMs,
        path: random.fraction() < 0.5 ? pick(random, pages) : `/product/${pick(random, products)}`,
        referrer: random.fraction() < 0.3 ? pick(random, referrers) : null,
        device,
        load_ms: 40 + skewed(random, 3000),
      })
      return { key: Buffer.from(sessionId), value: number % badEvery === badRest ? value.subarray(0, 9) : value }
    },
  }
}

function createPayments(schemaText: string): SampleTopic {
  const type = protobuf.parse(schemaText, { keepCase: true }).root.lookupType('shop.Payment')
  return {
    topic: 'payments',
    partitionCount: 2,
    percent: 10,
    makeRecord(number, _nowMs) {
      const random = seededRandom(number * 3 + 3)
      const orderId = `o-${String(number * 4).padStart(9, '0')}`
      const payment = {
        payment_id: `p-${String(number).padStart(9, '0')}`,
        order_id: orderId,
        amount_cents: cents(random, 199, 90_000),
        currency: pickCountry(random).currency,
        method: 1 + Math.floor(random.fraction() * 3),
        accepted: random.fraction() < 0.97,
        labels: random.fraction() < 0.5 ? { channel: pick(random, ['web', 'app', 'store']) } : {},
      }
      const bytes = Buffer.from(type.encode(type.create(payment)).finish())
      return { key: Buffer.from(orderId), value: number % badEvery === badRest ? bytes.subarray(0, 7) : bytes }
    },
  }
}

const countries = [
  { country: 'DE', currency: 'EUR' },
  { country: 'FR', currency: 'EUR' },
  { country: 'GB', currency: 'GBP' },
  { country: 'US', currency: 'USD' },
  { country: 'JP', currency: 'JPY' },
  { country: 'BR', currency: 'BRL' },
  { country: 'SE', currency: 'SEK' },
] as const
const products = [
  'kettle-01',
  'lamp-brass',
  'notebook-a5',
  'tea-sencha',
  'mug-näsby',
  'chair-oak',
  'blanket-wool',
  'pen-fine-04',
  'poster-北斎',
  'socks-3p',
] as const
const pages = ['/', '/search', '/cart', '/checkout', '/account', '/sale'] as const
const referrers = ['https://news.example', 'https://search.example/?q=tea', 'https://social.example/post/7'] as const

function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[Math.floor(random.fraction() * values.length)]
  assert(value !== undefined, 'nothing to pick from')
  return value
}

/** The first countries are the likeliest. */
function pickCountry(random: Random): (typeof countries)[number] {
  return countries[skewed(random, countries.length)] ?? countries[0]
}

/** 0 to count - 1, small ones often. */
function skewed(random: Random, count: number): number {
  return Math.floor(random.fraction() ** 2 * count)
}

function customer(random: Random): number {
  return 1000 + skewed(random, 20_000)
}

function cents(random: Random, min: number, max: number): number {
  return min + skewed(random, max - min)
}

function formatCents(amount: number): string {
  return (amount / 100).toFixed(2)
}
