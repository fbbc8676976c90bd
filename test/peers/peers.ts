/**
 * Where the installed peers are. `scripts/peers/install.sh` puts them into a cache outside the checkout; a test that
 * needs one that is not there fails with the command that installs it, so that nothing is skipped in silence.
 */

import { existsSync, mkdtempSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

export type PeerName = 'kcat' | 's3' | 'postgres' | 'kafka' | 'python' | 'spark' | 'trino' | 'connect'

/** What `peerPath` names, below the peer's directory. */
const ENTRY_POINTS: Readonly<Record<PeerName, string>> = {
  kcat: 'kcat',
  s3: 'versitygw',
  postgres: 'server',
  kafka: 'lib',
  python: 'venv/bin/python',
  spark: 'venv/bin/python',
  trino: 'server',
  connect: 'plugins',
}

export class PeerMissing extends Error {
  readonly peer: PeerName

  constructor(peer: PeerName) {
    super(`run scripts/peers/install.sh ${peer}`)
    this.name = 'PeerMissing'
    this.peer = peer
  }
}

export function peersDir(): string {
  const { FLOE_PEERS_DIR, XDG_CACHE_HOME } = process.env
  return FLOE_PEERS_DIR || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'floe-peers')
}

export function isInstalled(name: PeerName): boolean {
  return existsSync(join(peersDir(), name, '.installed'))
}

/**
 * The program of a peer (kcat, s3, python, spark's Python) or the directory with its jars (kafka, trino, connect).
 *
 * errors  PeerMissing: it is not installed
 */
export function peerPath(name: PeerName): string {
  if (!isInstalled(name)) throw new PeerMissing(name)
  return join(peersDir(), name, ENTRY_POINTS[name])
}

/** The script `scripts/peers/NAME.sh` of a peer that is installed. */
export function launcher(name: PeerName, script: string = name): string {
  peerPath(name)
  return join(import.meta.dirname, '../../scripts/peers', `${script}.sh`)
}

export function makeTempDir(name: string): string {
  return mkdtempSync(join(tmpdir(), `floe-${name}-`))
}
