/** What a process looks at before it trusts what it found in a store: does the catalog account for what lies beside it? */
import { FloeError } from '../../core/errors.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import { catalogPrefix, journalKey } from '../journal/journal-keys.ts'
import { dataFilePath, segmentKey, segmentsPrefix, tableFolder, tablesPrefix } from '../object-names.ts'
import type { CatalogState } from '../state/catalog-state.ts'
import { type ReadOnParts, readOn } from './read-on.ts'
import type { Replica } from './replica.ts'

/** Who serves takes a grant at once, for segments or for data files, and uses its first name first. */
const grantsLookedAt = 8
const tablesLookedAtMax = 16

const genesisKey = journalKey(1, 1)

/** Before an empty catalog is created: an object that only a catalog can have named, other than what creating one begins with. */
export async function findDataWithoutCatalog(store: ObjectStore): Promise<string | undefined> {
  for (const prefix of [catalogPrefix, segmentsPrefix, tablesPrefix]) {
    const first = (await store.list(prefix)).objects.find(({ key }) => key !== genesisKey)
    if (first !== undefined) return first.key
  }
  return undefined
}

export function catalogMissingError(store: ObjectStore, key: string): FloeError {
  return new FloeError(
    'invalid',
    'catalog-missing-beside-data',
    `${store.uri} has no catalog, but it holds ${key}. If the beginning of the catalog's journal was removed, restore it; for a ` +
      'new cluster choose an empty place. Floe does not start an empty catalog over existing data',
    { key },
  )
}

/**
 * A catalog that was restored from an older copy gives names out again that are in use, and would write over the objects of the
 * lost time. The names that come next must be free.
 *
 * replica  at the end of the journal; read on where others grant names meanwhile
 * returns  'behind' as readOn does
 * errors   corrupt `catalog-older-than-store`
 */
export async function checkNamesAreFree(replica: Replica, parts: ReadOnParts): Promise<'behind' | undefined> {
  for (;;) {
    const key = await findUngrantedObject(replica.state, parts.store)
    if (key === undefined) return undefined
    const { sequence } = replica.position
    if ((await readOn(replica, parts)) === 'behind') return 'behind'
    if (replica.position.sequence === sequence) throw catalogOlderError(parts.store, key)
  }
}

async function findUngrantedObject(state: CatalogState, store: ObjectStore): Promise<string | undefined> {
  const folders = [...state.tables.all()]
    .slice(0, tablesLookedAtMax)
    .map(({ definition, tableUuid }) => tableFolder(definition.name, tableUuid))
  const keys: string[] = []
  for (let index = 0; index < grantsLookedAt; index++) {
    const grantId = state.grants.nextId + index
    keys.push(segmentKey(grantId, 0), ...folders.map(folder => `${folder}/${dataFilePath(grantId, 0)}`))
  }
  const found = await Promise.all(keys.map(key => store.head(key)))
  return found.find(info => info !== undefined)?.key
}

function catalogOlderError(store: ObjectStore, key: string): FloeError {
  return new FloeError(
    'corrupt',
    'catalog-older-than-store',
    `the catalog in ${store.uri} is older than what lies beside it: it never gave out the name of ${key}. Restore the newest ` +
      'journal and snapshots, or the whole prefix as it was at one time; Floe does not write over objects that it cannot ' +
      'account for',
    { key },
  )
}
