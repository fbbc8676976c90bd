import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { ByteBudget } from '../../../broker/byte-budget.ts'
import { type Answer, Connection } from '../../../broker/connection.ts'
import { BrokerMetrics } from '../../../broker/metrics.ts'
import { brokerOptionDefaults } from '../../../broker/options.ts'
import { systemClock } from '../../../core/clock.ts'
import { silentLog } from '../../../core/log.ts'

type WriteDone = (error?: Error | null) => void

/** A socket whose writes end when the test says so. */
class HeldSocket extends Duplex {
  readonly writes: WriteDone[] = []
  override _read(): void {}
  override _writev(_chunks: unknown, done: WriteDone): void {
    this.writes.push(done)
  }
  override _write(_chunk: unknown, _encoding: string, done: WriteDone): void {
    this.writes.push(done)
  }
}

interface Served {
  readonly socket: HeldSocket
  /** Of each request, in order. */
  readonly answers: ((answer: Omit<Answer, 'leases'>) => void)[]
  /** How the leases of each answer ended. */
  readonly endings: string[][]
}

function serve(): Served {
  const socket = new HeldSocket()
  const answers: Served['answers'] = []
  const endings: string[][] = []
  const session = {
    clientHost: '127.0.0.1',
    signal: new AbortController().signal,
    isAuthenticated: true,
    principal: 'ANONYMOUS',
    sasl: 'none' as const,
    clientSoftware: '',
    closeAfterAnswer: false,
    orderTail: Promise.resolve(),
  }
  const connection = new Connection({
    stream: socket,
    session,
    dispatch: () => {
      const ended: string[] = []
      endings.push(ended)
      const leases = { giveBack: () => void ended.push('given back'), abandon: () => void ended.push('abandoned') }
      return new Promise(resolve => answers.push(answer => resolve({ ...answer, leases })))
    },
    budget: new ByteBudget(1_000_000),
    clock: systemClock,
    log: silentLog,
    options: brokerOptionDefaults,
    metrics: new BrokerMetrics(),
    abort: () => {},
  })
  void connection.serve()
  return { socket, answers, endings }
}

const frame = Buffer.from([0, 0, 0, 1, 7])
const parts = [Uint8Array.of(1), Uint8Array.of(2)]
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

async function request(socket: HeldSocket, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) socket.push(frame)
  await turn()
}

describe('the memory that answers borrow', () => {
  it('is given back when the answer was written, not before', async () => {
    const { socket, answers, endings } = serve()
    await request(socket, 1)
    answers[0]!({ parts })
    await turn()
    expect(socket.writes).toHaveLength(1)
    expect(endings).toEqual([[]])
    socket.writes[0]!()
    await turn()
    expect(endings).toEqual([['given back']])
    socket.destroy()
    await turn()
    expect(endings).toEqual([['given back']])
  })

  it('is abandoned when the write fails, and when the connection is cut while it is pending', async () => {
    const failed = serve()
    await request(failed.socket, 1)
    failed.answers[0]!({ parts })
    await turn()
    failed.socket.writes[0]!(new Error('EPIPE'))
    await turn()
    expect(failed.endings).toEqual([['abandoned']])
    const cut = serve()
    await request(cut.socket, 1)
    cut.answers[0]!({ parts })
    await turn()
    cut.socket.destroy()
    await turn()
    expect(cut.endings).toEqual([['abandoned']])
    cut.socket.writes[0]!()
    await turn()
    expect(cut.endings).toEqual([['abandoned']])
  })

  it('is given back when the answer waits for one before it, or comes, after the connection was cut', async () => {
    const { socket, answers, endings } = serve()
    await request(socket, 3)
    answers[1]!({ parts })
    await turn()
    expect(endings).toEqual([[], [], []])
    socket.destroy()
    await turn()
    expect(endings).toEqual([[], ['given back'], []])
    answers[0]!({ parts })
    answers[2]!({ parts })
    await turn()
    expect(endings).toEqual([['given back'], ['given back'], ['given back']])
  })

  it('is given back at once when the answer takes no bytes', async () => {
    const { socket, answers, endings } = serve()
    await request(socket, 1)
    answers[0]!({ parts: [] })
    await turn()
    expect(endings).toEqual([['given back']])
    expect(socket.writes).toHaveLength(0)
    socket.destroy()
  })
})
