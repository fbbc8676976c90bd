/** The questions as the scripts of readers in other languages get them: one JSON file, answered by another one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { S3Connection } from '../peers/index.ts'
import type { SampleColumn, SampleType } from './columns.ts'
import type { PublishedSample } from './publish-samples.ts'
import { type Answer, literalText, type Question } from './questions.ts'
import { type Dialect, whereText } from './sql.ts'

/** Where a place's tables are read from. */
export interface ReadingPlace {
  readonly icebergCatalog: string
  readonly token: string | undefined
  /** Undefined: tables lie in local files. */
  readonly s3: S3Connection | undefined
}

/** By reader, table and question. */
export type Answers = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Answer>>>>>>

export interface AskedSample {
  readonly sample: PublishedSample
  readonly questions: readonly Question[]
}

/** Writes the job, lets `run` have the names of both files, and reads the answers. */
export async function askByJob(
  place: ReadingPlace,
  asked: readonly AskedSample[],
  run: (jobPath: string, answersPath: string) => Promise<unknown>,
): Promise<Answers> {
  const directory = mkdtempSync(join(tmpdir(), 'floe-job-'))
  const jobPath = join(directory, 'job.json')
  const answersPath = join(directory, 'answers.json')
  try {
    writeFileSync(jobPath, JSON.stringify(describeJob(place, asked)))
    await run(jobPath, answersPath)
    return JSON.parse(readFileSync(answersPath, 'utf8')) as Answers
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function describeJob({ icebergCatalog, token, s3 }: ReadingPlace, asked: readonly AskedSample[]): object {
  return {
    catalog: icebergCatalog,
    token: token ?? null,
    s3: s3 ?? null,
    tables: asked.map(({ sample, questions }) => ({
      name: sample.table.name,
      location: sample.location,
      metadata: metadataUri(sample, undefined),
      columns: describeColumns(sample.columns),
      questions: questions.map(question => describeQuestion(sample, question)),
    })),
  }
}

/** Of the newest version when there is none in the question. */
export function metadataUri({ location, versions }: PublishedSample, question: Question | undefined): string {
  return `${location}/metadata/${(question?.version ?? versions.at(-1)!).metadataFile}`
}

const dialects: readonly Dialect[] = ['spark', 'duckdb', 'datafusion']

function describeQuestion(sample: PublishedSample, question: Question): object {
  const { id, kind, where, version } = question
  return {
    id,
    kind,
    where: where.map(({ path, type, op, value }) => ({
      path,
      type: describeType(type),
      op,
      value: value === null ? null : literalText(type, value),
    })),
    sql: Object.fromEntries(dialects.map(dialect => [dialect, whereText(dialect, where)])),
    version:
      version === undefined
        ? null
        : { snapshot: version.snapshotId, delta: version.deltaVersion, metadata: metadataUri(sample, question) },
  }
}

const describeColumns = (of: readonly SampleColumn[]): object[] =>
  of.map(({ name, type }) => [name, describeType(type)])

/** A name; or {decimal: [precision, scale]}, {struct: [[name, type]]}, {list: type}, {map: type}. */
function describeType(type: SampleType): unknown {
  switch (type.kind) {
    case 'decimal':
      return { decimal: [type.precision, type.scale] }
    case 'struct':
      return { struct: describeColumns(type.fields) }
    case 'list':
      return { list: describeType(type.element) }
    case 'map':
      return { map: describeType(type.value) }
    default:
      return type.kind
  }
}
