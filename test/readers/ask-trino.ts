/** Trino answers through its Iceberg connector on Floe's REST catalog. Its rows come as JSON; here they become the common text. */
import type { Trino, TrinoValue } from '../peers/index.ts'
import { type Canonical, canonical, daysOf, microsOf, rowText, type SampleColumn, type SampleType } from './columns.ts'
import type { Answers, AskedSample } from './job.ts'
import { type Answer, answerRows, compareText, type Question } from './questions.ts'
import { whereText } from './sql.ts'

export const trinoReader = 'Trino, Iceberg REST catalog'
/** One query costs Trino more waiting than work. */
const queriesAtOnce = 4

export async function askTrino(trino: Trino, asked: readonly AskedSample[]): Promise<Answers> {
  const answers: Record<string, Record<string, Answer>> = {}
  const waiting = asked.flatMap(({ sample, questions }) => {
    answers[sample.table.name] = {}
    return questions.map(question => ({ sample, question }))
  })
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { sample, question } = next
      const { name } = sample.table
      // A version without data has no snapshot to name.
      if (question.version?.snapshotId === null) continue
      answers[name]![question.id] = await askOne(trino, name, sample.columns, question).catch((error: unknown) => ({
        error: String(error).slice(0, 1000),
      }))
    }
  }
  await Promise.all(Array.from({ length: queriesAtOnce }, work))
  return { [trinoReader]: answers }
}

async function askOne(
  trino: Trino,
  name: string,
  columns: readonly SampleColumn[],
  question: Question,
): Promise<Answer> {
  const { kind, where, version } = question
  const fields = { keys: 'k', count: 'count(*)', rows: '*', digest: '*' }[kind]
  const at = version === undefined ? '' : ` FOR VERSION AS OF ${version.snapshotId}`
  const filter = where.length === 0 ? '' : ` WHERE ${whereText('trino', where)}`
  const { rows } = await trino.query(`SELECT ${fields} FROM floe."default"."${name}"${at}${filter}`)
  if (kind === 'count') return Number(rows[0]![0])
  if (kind === 'keys') return rows.map(([k]) => Number(k)).sort((a, b) => a - b)
  return answerRows(
    kind,
    rows.map(row => rowText(structText(columns, row))),
  )
}

const structText = (columns: readonly SampleColumn[], row: readonly TrinoValue[]): Canonical[] =>
  columns.map(({ type }, index) => valueText(type, row[index] ?? null))

function valueText(type: SampleType, value: TrinoValue): Canonical {
  if (value === null) return null
  switch (type.kind) {
    case 'struct':
      return structText(type.fields, value as TrinoValue[])
    case 'list':
      return (value as TrinoValue[]).map(each => valueText(type.element, each))
    case 'map': {
      const entries = Object.entries(value as { [key: string]: TrinoValue })
      const texts = entries.map(([key, each]): [string, Canonical] => [key, valueText(type.value, each)])
      return texts.sort(([a], [b]) => compareText(a, b))
    }
    case 'float':
    case 'double':
      return canonical(type, Number(value))
    case 'date':
      return String(daysOf(String(value)))
    case 'timestamp':
      return String(microsOf(String(value)))
    case 'timestamptz':
      return String(microsOf(String(value).replace(/ UTC$/, '')))
    case 'binary':
      return Buffer.from(String(value), 'base64').toString('hex')
    default:
      return String(value)
  }
}
