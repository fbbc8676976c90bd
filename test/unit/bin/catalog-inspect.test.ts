import { expect, test } from 'vitest'
import { describeFormatLevel } from '../../../bin/commands/catalog.ts'

function node(nodeId: number, formatLevelMax: number) {
  const place = { kafkaHost: `host-${nodeId}`, kafkaPort: 9092 }
  return { nodeId, instanceId: new Uint8Array(16), roles: [], ...place, registeredMs: 0, formatLevelMax }
}

test.each([
  ['1', 1, []],
  ['1', 1, [node(0, 1), node(1, 1)]],
  [
    '1, 3 once these run the newer version or are gone: node 0 at host-0:9092 (knows 1), node 2 at host-2:9092 (knows 2)',
    1,
    [node(0, 1), node(1, 3), node(2, 2)],
  ],
  ['1, 2 soon: all processes know it', 1, [node(0, 2), node(1, 2)]],
  ['2', 2, [node(0, 2)]],
])('the format level is shown as %s', (text, formatLevel, nodes) => {
  expect(describeFormatLevel({ formatLevel, nodes })).toBe(text)
})
