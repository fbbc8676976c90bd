/** Certificates that openssl makes for a test. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PeerTls } from '../../bin/server/peer-network.ts'

/** An authority of its own and a certificate for 127.0.0.1, which lie in `directory` as NAME-ca, NAME-cert and NAME-key. */
export function makeTls(directory: string, name: string): PeerTls {
  const file = (kind: string): string => join(directory, `${name}-${kind}`)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca'),
    '-days',
    '2',
    '-subj',
    `/CN=${name} authority`,
  )
  openssl('req', ...key, '-keyout', file('key'), '-out', file('csr'), '-subj', `/CN=${name}`)
  writeFileSync(file('ext'), 'subjectAltName=IP:127.0.0.1\n')
  const signer = ['-CA', file('ca'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', file('ext')]
  openssl('x509', '-req', '-in', file('csr'), ...signer, '-out', file('cert'))
  const read = (kind: string): string => readFileSync(file(kind), 'utf8')
  return { ca: read('ca'), cert: read('cert'), key: read('key') }
}
