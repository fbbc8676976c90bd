/** Runs the rules of the house over every source file that git knows of; part of `npm run lint`. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { checkSource } from './rules.ts'

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter(file => file !== '')
let count = 0
for (const file of files) {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    continue // deleted in the work tree, still in the index
  }
  for (const finding of checkSource(file, text)) {
    count++
    process.stderr.write(`${finding.file}:${finding.line}: ${finding.message}\n`)
  }
}
if (count > 0) {
  process.stderr.write(`${count} breaches of the rules of the house (docs/architecture.md)\n`)
  process.exit(1)
}
