/**
 * Any bytes into every decoder of the catalog.
 *
 * Strategy: bytes made up, and valid bytes with a few of them changed, cut short or repeated. Invariants: only a FloeError comes
 * out; a checksummed object is either what was written or `corrupt`; a command that is refused changes nothing but its receipt;
 * whatever was applied can be encoded and decoded again.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyBatch, BatchAnswers, type BatchBody } from '../../catalog/apply-batch.ts'
import { commandIds } from '../../catalog/command-ids.ts'
import { readDataFileDetails, writeDataFileDetails } from '../../catalog/data-file-codec.ts'
import { journalInStore } from '../../catalog/journal/journal.ts'
import { decodeEntry, encodeEntry, entryKinds, positionAfter } from '../../catalog/journal/journal-entry.ts'
import { OpenBatch } from '../../catalog/journal/open-batch.ts'
import { decodeManifest, encodeManifest } from '../../catalog/snapshot/snapshot-manifest.ts'
import { SnapshotReader } from '../../catalog/snapshot/snapshot-reader.ts'
import { SnapshotWriter } from '../../catalog/snapshot/snapshot-writer.ts'
import { CatalogState } from '../../catalog/state/catalog-state.ts'
import { ClientSessions } from '../../catalog/state/client-sessions.ts'
import { ByteWriter } from '../../core/byte-writer.ts'
import { isFloeError } from '../../core/errors.ts'
import { workloadClientId, workloadSteps } from '../contract/journal-harness.ts'
import { pendingCommand } from '../support/pending-command.ts'

const nowMs = 1_800_000_000_000

/** What `decode` gives, or undefined when it refuses with one of `kinds`. Anything else fails the test. */
function attempt<T>(decode: () => T, ...kinds: readonly string[]): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (isFloeError(error) && kinds.includes(error.kind)) return undefined
    throw error
  }
}

const change = fc.record({ at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }) })

/** The largest whole number a catalog keeps, as int53 and as uvarint: where one of them is read, every sum and scale is at its edge. */
const extremes = [
  [0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
]

/** Valid bytes with an extreme number in the place of some of them. */
function withExtreme(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .record({ extreme: fc.constantFrom(...extremes), at: fc.nat(valid.length), replaced: fc.constantFrom(0, 1, 2, 8) })
    .map(({ extreme, at, replaced }) =>
      Uint8Array.from([...valid.subarray(0, at), ...extreme, ...valid.subarray(at + replaced)]),
    )
}

/** Valid bytes with some damage. */
function damaged(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .record({ changes: fc.array(change, { maxLength: 4 }), cut: fc.option(fc.nat(valid.length)) })
    .map(({ changes, cut }) => {
      const bytes = valid.slice(0, cut ?? valid.length)
      for (const { at, bits } of changes) if (bytes.length > 0) bytes[at % bytes.length]! ^= bits
      return bytes
    })
}

function filledState(): CatalogState {
  const state = new CatalogState(new Uint8Array(16).fill(1), nowMs)
  for (const [index, { command, encode }] of workloadSteps.entries()) {
    const batch = new OpenBatch(new ByteWriter())
    batch.add(pendingCommand(workloadClientId, index + 1, { id: command.id, name: command.name, encode }, undefined))
    const body = { nowMs, clientIds: batch.clientIds, commandCount: 1, bytes: batch.body.view() }
    applyBatch(state, body, new ByteWriter(), new BatchAnswers())
  }
  return state
}

/** As if its processes knew newer format levels. */
function raised(state: CatalogState): CatalogState {
  for (const node of state.nodes.all()) state.nodes.register({ ...node, formatLevelMax: 5 })
  state.formatLevel = 4
  return state
}

function encodeState(state: CatalogState): Uint8Array {
  const writer = SnapshotWriter.forSnapshot()
  state.encode(writer)
  return new Uint8Array(Buffer.concat(writer.finish().pieces))
}

test('journal entries: damage is always noticed', () => {
  const header = {
    kind: entryKinds.batch,
    epoch: 3,
    sequence: 9,
    writerId: new Uint8Array(16).fill(5),
    nowMs,
    previousCrc: 77,
  }
  const { parts } = encodeEntry(header, [workloadClientId], 2, new Uint8Array(100).fill(9))
  const valid = new Uint8Array(Buffer.concat(parts))
  expect(decodeEntry(valid, 'key')).toMatchObject(header)
  fc.assert(
    fc.property(fc.oneof(damaged(valid), fc.uint8Array({ maxLength: 200 })), bytes => {
      const entry = attempt(() => decodeEntry(bytes, 'key'), 'corrupt')
      if (entry !== undefined) expect(Buffer.compare(bytes, valid)).toBe(0)
    }),
    { numRuns: 1000 },
  )
})

test.each(['seal', 'move'] as const)('%ss: a next epoch that does not follow is corrupt', kind => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 24, maxLength: 24 }), body => {
      const header = {
        kind: entryKinds[kind],
        epoch: 1,
        sequence: 2,
        writerId: body.slice(0, 16),
        nowMs,
        previousCrc: 0,
      }
      const { parts } = encodeEntry(header, [], 0, body)
      const entry = decodeEntry(new Uint8Array(Buffer.concat(parts)), 'key')
      const before = {
        epoch: 1,
        sequence: 1,
        crc: 0,
        writerId: new Uint8Array(16),
        leaderAddress: '',
        journal: journalInStore,
      }
      const position = attempt(() => positionAfter(entry, before, 'key'), 'corrupt')
      if (position !== undefined) expect(position.epoch).toBe(2)
    }),
  )
})

test.each([
  ['in the store', journalInStore],
  ['outside it', { id: new Uint8Array(16).fill(5), name: 'postgres://127.0.0.1:5432/floe' }],
])('snapshot manifests, journal %s: damage is always noticed', (_name, journal) => {
  const position = {
    epoch: 2,
    sequence: 40,
    crc: 123,
    writerId: new Uint8Array(16).fill(3),
    leaderAddress: '127.0.0.1:9190',
    journal,
  }
  const manifest = {
    position,
    chunks: [
      { bytes: 8_000_000, crc: 5 },
      { bytes: 17, crc: 0xffff_ffff },
    ],
  }
  const valid = encodeManifest(manifest)
  expect(decodeManifest(valid, 'key')).toEqual(manifest)
  fc.assert(
    fc.property(fc.oneof(damaged(valid), fc.uint8Array({ maxLength: 100 })), bytes => {
      const found = attempt(() => decodeManifest(bytes, 'key'), 'corrupt')
      if (found !== undefined) expect(found).toEqual(manifest)
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['at the first format level', filledState()],
  ['at a newer one', raised(filledState())],
])('snapshots %s: any bytes decode to a state or are refused, and a state encodes again', (_name, filled) => {
  const decode = (bytes: Uint8Array): CatalogState => CatalogState.decode(new SnapshotReader([bytes], 'fuzz'), 5)
  const valid = encodeState(filled)
  expect(decode(valid).hash()).toBe(filled.hash())
  fc.assert(
    fc.property(damaged(valid), bytes => {
      const state = attempt(() => decode(bytes), 'corrupt', 'unsupported')
      if (state !== undefined) expect(encodeState(state).length).toBeGreaterThan(0)
    }),
    { numRuns: 400 },
  )
})

test('batches: any body is applied or refused as a whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5), (bytes, commandCount) => {
      const batch = { nowMs, clientIds: [workloadClientId], commandCount, bytes }
      const state = filledState()
      attempt(() => applyBatch(state, batch, new ByteWriter(), new BatchAnswers()), 'corrupt', 'unsupported')
    }),
    { numRuns: 200 },
  )
})

const ids = Object.values(commandIds)
const payloads = workloadSteps.map(({ command, encode }) => {
  const writer = new ByteWriter()
  encode(writer)
  return { id: command.id, payload: writer.take() }
})
const anyCommand = fc.oneof(
  fc.record({ id: fc.constantFrom(...ids), payload: fc.uint8Array({ maxLength: 120 }) }),
  fc
    .nat(payloads.length - 1)
    .chain(index =>
      fc
        .oneof(damaged(payloads[index]!.payload), withExtreme(payloads[index]!.payload))
        .map(payload => ({ id: payloads[index]!.id, payload })),
    ),
  fc
    .tuple(fc.constantFrom(...ids), fc.nat(payloads.length - 1))
    .map(([id, index]) => ({ id, payload: payloads[index]!.payload })),
)

test('commands: hostile payloads are refused without a trace, or applied to a state that encodes again', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { minLength: 1, maxLength: 12 }), commands => {
      const state = filledState()
      let requestNumber = 1000
      for (const { id, payload } of commands) {
        const before = hashWithoutReceipts(state)
        const batch = new OpenBatch(new ByteWriter())
        const raw = { id, name: 'fuzzed', encode: (writer: ByteWriter) => writer.raw(payload) }
        batch.add(pendingCommand(workloadClientId, ++requestNumber, raw, undefined))
        const out = new ByteWriter()
        const body = { nowMs, clientIds: batch.clientIds, commandCount: 1, bytes: batch.body.view() }
        // A process that knows levels beyond this Floe's, and the catalog raised to one.
        const isApplied = attempt(() => applyAll(state, body, out), 'unsupported')
        if (isApplied === undefined) return
        if (out.view()[0] === 1) expect(hashWithoutReceipts(state)).toBe(before)
      }
      const again = CatalogState.decode(new SnapshotReader([encodeState(state)], 'fuzz'))
      expect(again.hash()).toBe(state.hash())
    }),
    { numRuns: 250 },
  )
})

function applyAll(state: CatalogState, body: BatchBody, out: ByteWriter): true {
  applyBatch(state, body, out, new BatchAnswers())
  return true
}

function hashWithoutReceipts(state: CatalogState): string {
  const { sessions } = state
  state.sessions = new ClientSessions()
  const hash = state.hash()
  state.sessions = sessions
  return hash
}

test('data file details come back, and damage is a corrupt error or other details', () => {
  const bound = fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined })
  const column = fc.record({
    fieldId: fc.nat(),
    columnBytes: fc.maxSafeNat(),
    valueCount: fc.nat(),
    nullCount: fc.nat(),
    nanCount: fc.option(fc.nat(), { nil: undefined }),
    lower: bound,
    upper: bound,
    lowerExact: fc.boolean(),
    upperExact: fc.boolean(),
  })
  const details = fc.record({
    partition: fc.array(fc.option(fc.uint8Array({ maxLength: 9 }), { nil: null }), { maxLength: 4 }),
    splitOffsets: fc.array(fc.nat(), { maxLength: 5 }).map(offsets => offsets.sort((left, right) => left - right)),
    columns: fc.array(
      column.filter(({ fieldId, columnBytes, valueCount }) => fieldId + columnBytes + valueCount < 2 ** 52),
      { maxLength: 5 },
    ),
  })
  fc.assert(
    fc.property(details, fc.array(change, { maxLength: 3 }), (given, changes) => {
      const writer = new ByteWriter()
      writeDataFileDetails(writer, given)
      const bytes = writer.take()
      expect(readDataFileDetails(bytes)).toEqual(given)
      for (const { at, bits } of changes) bytes[at % bytes.length]! ^= bits
      attempt(() => readDataFileDetails(bytes), 'corrupt')
    }),
    { numRuns: 300 },
  )
})
