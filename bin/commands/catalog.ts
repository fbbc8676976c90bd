/** `floe catalog inspect`, `check` and `export`: the catalog as it lies in the store, beside a running server and without one. */

import { checkCatalog } from '../../catalog/offline/check-catalog.ts'
import { exportCatalog } from '../../catalog/offline/export-catalog.ts'
import { type CatalogInspection, inspectCatalog } from '../../catalog/offline/inspect-catalog.ts'
import { ToldFailure } from '../cli/failure.ts'
import { formatCount, type Output } from '../cli/output.ts'
import { openPlace, openPlaceParts } from '../cli/place.ts'
import type { PlaceOptions } from '../main.ts'

export async function runCatalogInspect(place: PlaceOptions, output: Output): Promise<void> {
  const found = await inspectCatalog(await openPlaceParts(place))
  const nodes = found.nodes.map(({ instanceId, ...node }) => ({
    ...node,
    instanceId: Buffer.from(instanceId).toString('hex'),
  }))
  output.result({ ...found, nodes }, () => {
    const facts = [
      ['cluster', found.clusterId],
      ['leader', found.leaderAddress === '' ? 'takes no connections' : found.leaderAddress],
      [
        'journal',
        `in ${found.journal}, entry ${formatCount(found.sequence)}, epoch ${found.epoch}, last batch ${new Date(found.lastBatchMs).toISOString()}`,
      ],
      ['format level', describeFormatLevel(found)],
      ['snapshots', found.snapshots.map(({ sequence }) => `at ${formatCount(sequence)}`).join(', ') || 'none yet'],
      ...nodes.map(node => [`node ${node.nodeId}`, `${node.kafkaHost}:${node.kafkaPort}, ${node.roles.join(', ')}`]),
      ...Object.entries(found.counts).map(([name, count]) => [
        name.replaceAll(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`),
        formatCount(count),
      ]),
    ]
    const width = Math.max(...facts.map(([name]) => name!.length))
    return facts.map(([name, value]) => `${name!.padEnd(width)}  ${value}`).join('\n')
  })
}

/** Which processes hold it back, when others know a newer one. */
export function describeFormatLevel({ formatLevel, nodes }: Pick<CatalogInspection, 'formatLevel' | 'nodes'>): string {
  const newest = Math.max(formatLevel, ...nodes.map(node => node.formatLevelMax))
  if (newest === formatLevel) return String(formatLevel)
  const behind = nodes.filter(node => node.formatLevelMax < newest)
  if (behind.length === 0) return `${formatLevel}, ${newest} soon: all processes know it`
  const older = behind.map(
    ({ nodeId, kafkaHost, kafkaPort, formatLevelMax }) =>
      `node ${nodeId} at ${kafkaHost}:${kafkaPort} (knows ${formatLevelMax})`,
  )
  return `${formatLevel}, ${newest} once these run the newer version or are gone: ${older.join(', ')}`
}

export async function runCatalogCheck(place: PlaceOptions, output: Output): Promise<void> {
  const check = await checkCatalog(await openPlaceParts(place))
  const isWhole = check.problems.length === 0
  output.result({ isWhole, ...check }, () =>
    [
      ...check.problems,
      `${isWhole ? 'whole' : 'damaged'}: ${check.snapshotsRead} snapshots read, ${formatCount(check.entriesReplayed)} entries replayed up to entry ${formatCount(check.sequence)}`,
    ].join('\n'),
  )
  if (!isWhole) throw new ToldFailure()
}

export async function runCatalogExport(place: PlaceOptions, output: Output): Promise<void> {
  const { catalog } = await openPlace(place)
  await output.jsonLines(exportCatalog(catalog))
}
