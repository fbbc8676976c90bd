/** Writes what is generated from the option tables: floe.schema.json and the reference in docs/configuration.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { renderJsonSchema } from '../config/json-schema.ts'
import { replaceReference } from '../config/reference.ts'

const root = new URL('../', import.meta.url)
writeFileSync(new URL('floe.schema.json', root), renderJsonSchema())
const page = new URL('docs/configuration.md', root)
writeFileSync(page, replaceReference(readFileSync(page, 'utf8')))
