/** `floe catalog move`: takes the catalog's journal from the store into a database, or back, while nobody serves it. */
import { moveCatalog } from '../../catalog/offline/move-catalog.ts'
import { catalogDefaults } from '../../catalog/open-catalog.ts'
import { systemClock } from '../../core/clock.ts'
import { formatUuid, systemRandom } from '../../core/random.ts'
import { readSecret, storeUrl } from '../cli/load-config.ts'
import { formatCount, type Output } from '../cli/output.ts'
import { openPlaceStore, placeOptions } from '../cli/place.ts'
import { journalPassword, type OpenJournal, openJournal } from '../journal/open-journal.ts'
import type { PlaceOptions } from '../main.ts'
import { createLog } from '../server/log.ts'
import { lockStore } from '../server/store-lock.ts'

export interface CatalogMoveOptions extends PlaceOptions {
  /** `store` or a URL; `from` left out is where the configuration says. */
  readonly from?: string
  readonly to: string
  readonly passwordEnv?: string
  readonly fence?: boolean
}

export async function runCatalogMove(options: CatalogMoveOptions, output: Output): Promise<void> {
  const server = placeOptions(options)
  const configured = server.catalog.journalUrl ?? 'store'
  const { from = configured, to } = options
  const log = createLog('warn')
  const store = await openPlaceStore(server)
  const password =
    options.passwordEnv === undefined
      ? journalPassword(server, process.env)
      : readSecret(process.env, options.passwordEnv, '--password-env')
  const open = (place: string, mayCreate: boolean): Promise<OpenJournal> =>
    openJournal({ store, url: place === 'store' ? undefined : place, password, log, mayCreate })

  const url = storeUrl(server)
  const lock = url.startsWith('file://') ? lockStore(url.slice('file://'.length)) : undefined
  const opened: OpenJournal[] = []
  try {
    const source = await open(from, false)
    opened.push(source)
    const target = await open(to, true)
    opened.push(target)
    const moved = await moveCatalog({
      from: source.journal,
      to: target.journal,
      store,
      clock: systemClock,
      log,
      writerId: systemRandom.bytes(16),
      mayFence: options.fence === true,
      appendTimeoutMs: catalogDefaults.appendTimeoutMs,
    })
    const { outcome, clusterId, sequence, entriesCopied, stateHash } = moved
    const { name } = target.journal.identity
    output.result(
      { outcome, cluster: formatUuid(clusterId), journal: name, sequence, entriesCopied, stateHash },
      () => {
        const found = `catalog ${formatUuid(clusterId)}, entry ${formatCount(sequence)}, state ${stateHash}`
        if (outcome === 'not-needed') return `the journal is in ${name} already: ${found}`
        return [
          `the journal is in ${name} now: ${found}`,
          `${formatCount(entriesCopied)} entries were copied, read back and found to lead to the same state.`,
          to === 'store'
            ? 'Take catalog.journal_url out of the configuration of every process. Those that still have it refuse to start.'
            : `Set catalog.journal_url to ${to} in the configuration of every process. Those that still name the old one refuse to start.`,
        ].join('\n')
      },
    )
  } finally {
    for (const { close } of opened) await close()
    lock?.release()
  }
}
