/** Every reader returns exactly the rows that the topics hold: the same programs that answer `npm run test:readers`. */
import { expect } from 'vitest'
import { askEveryone, startTrinoAt } from '../readers/ask-everyone.ts'
import { columns, type SampleRow, scalar } from '../readers/columns.ts'
import type { ReadingPlace } from '../readers/job.ts'
import { type PublishedSample, provenanceColumns } from '../readers/publish-samples.ts'
import type { Question } from '../readers/questions.ts'
import { readers } from '../readers/readers.ts'
import type { TopicStory } from '../support/check-stories.ts'
import type { FloeProcess } from '../support/floe-process.ts'
import { isMisfit, parseValue } from '../support/record-ledger.ts'

/** As `numberedTableYaml` describes them. */
const numberedColumns = columns({
  session: scalar('string'),
  n: scalar('long'),
  text: scalar('string'),
  weight: scalar('int'),
})

const questions: readonly Question[] = (['count', 'digest'] as const).map(kind => ({
  id: kind,
  kind,
  where: [],
  version: undefined,
  forAll: true,
}))

/** The tables are numbered ones without options but `partition_by: [session]`, all of it published, on a local directory. */
export async function checkReaders(floe: FloeProcess, stories: readonly TopicStory[]): Promise<void> {
  const place: ReadingPlace = { icebergCatalog: floe.icebergCatalog, token: undefined, s3: undefined }
  const samples = await Promise.all(stories.map(story => describeTable(floe, story)))
  const trino = startTrinoAt(place)
  try {
    const asked = samples.map(sample => ({ sample, questions }))
    const answers = await askEveryone(place, asked, trino)
    const problems = readers.flatMap(reader =>
      asked.flatMap(({ sample }) =>
        questions.map(question => {
          const answer = answers[reader.name]?.[sample.table.name]?.[question.id]
          const problem = reader.judge(sample, question, answer)
          return problem && `${reader.name}: ${sample.table.name}: ${question.id}: ${problem}`
        }),
      ),
    )
    expect(problems.filter(problem => problem !== undefined)).toEqual([])
  } finally {
    await (await trino).stop()
  }
}

async function describeTable(floe: FloeProcess, { topic, records }: TopicStory): Promise<PublishedSample> {
  const name = `floe__${topic}`
  const answer = await fetch(`${floe.http}/api/v1/tables/${name}`)
  const { location, published } = (await answer.json()) as {
    location: string
    published: { icebergMetadata: string; icebergSnapshot: string; deltaVersion: number }
  }
  const rows = records.flatMap((ofPartition, partition) =>
    ofPartition
      .filter(({ value }) => !isMisfit(value))
      .map(({ offset, key, value, timestampMs }): SampleRow => {
        const { session, n, text, weight } = parseValue(value)
        const floe = { partition, offset, timestamp: timestampMs * 1000n, key: Buffer.from(key) }
        return { session, n: BigInt(n), text, weight: Number(weight), floe }
      }),
  )
  return {
    table: {
      name,
      format: 'json',
      columns: numberedColumns,
      batches: [],
      declaresColumns: true,
      partition: { partition_by: ['session'] },
      filteredColumns: [],
      probedColumns: [],
    },
    columns: [...numberedColumns, ...provenanceColumns],
    rows,
    versions: [
      {
        rowCount: rows.length,
        snapshotId: published.icebergSnapshot,
        deltaVersion: published.deltaVersion,
        metadataFile: published.icebergMetadata.split('/').at(-1)!,
      },
    ],
    location,
  }
}
