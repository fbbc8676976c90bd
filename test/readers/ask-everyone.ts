/** Every reader answers questions about the same tables, each through its own program. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import {
  runPython,
  runSpark,
  type S3Connection,
  sparkDeltaS3Conf,
  sparkIcebergConf,
  startTrino,
  type Trino,
} from '../peers/index.ts'
import { askIcebird, type ReadUrl } from './ask-icebird.ts'
import { askTrino } from './ask-trino.ts'
import { type Answers, type AskedSample, askByJob, type ReadingPlace } from './job.ts'

/** Engines take seconds for a query when the machine is busy with other things. */
export const answersMsMax = 1_500_000

/** The plan of a small query costs Spark more than its rows: no compiled code, no shuffles, one task for a table's log. */
const sparkConf = {
  'spark.sql.codegen.wholeStage': 'false',
  'spark.sql.codegen.factoryMode': 'NO_CODEGEN',
  'spark.sql.adaptive.enabled': 'false',
  'spark.sql.shuffle.partitions': '1',
  'spark.databricks.delta.snapshotPartitions': '1',
}

export const readerScript = (name: string): string => join(import.meta.dirname, name)

/** Engines that take long for a question are asked only those that are for all. */
export async function askEveryone(
  place: ReadingPlace,
  asked: readonly AskedSample[],
  trino: Promise<Trino>,
): Promise<Answers> {
  const fewer = asked.map(({ sample, questions }) => ({ sample, questions: questions.filter(each => each.forAll) }))
  // It stands in for the network of this process while it asks.
  const icebird = askIcebird(asked, place.s3 === undefined ? readFile : readS3Url(place.s3))
  const parts = await Promise.all([
    icebird,
    icebird.then(() =>
      askByJob(place, asked, (job, out) =>
        runPython(readerScript('ask_python.py'), [job, out], { timeoutMs: answersMsMax }),
      ),
    ),
    askByJob(place, fewer, (job, out) =>
      runSpark(readerScript('ask_spark.py'), [job, out], { conf: describeSpark(place), timeoutMs: answersMsMax }),
    ),
    Promise.all([trino, icebird]).then(([started]) => askTrino(started, fewer)),
  ])
  return Object.assign({}, ...parts) as Answers
}

/** Trino 476 takes handed-out keys only when there are three of them: a session token, too, which lasting keys do not have. */
export function startTrinoAt({ icebergCatalog, token, s3 }: ReadingPlace): Promise<Trino> {
  return startTrino({
    icebergRestUri: icebergCatalog,
    ...(token !== undefined && { token }),
    ...(s3 !== undefined && { s3 }),
  })
}

/** Delta has no catalog that could hand out keys; Iceberg gets them from Floe. */
function describeSpark({ icebergCatalog, token, s3 }: ReadingPlace): Record<string, string> {
  if (s3 === undefined || token === undefined) return { ...sparkConf, ...sparkIcebergConf('floe', icebergCatalog) }
  const { region } = s3
  return {
    ...sparkConf,
    ...sparkIcebergConf('floe', icebergCatalog, { token }),
    'spark.sql.catalog.floe.io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
    'spark.sql.catalog.floe.header.X-Iceberg-Access-Delegation': 'vended-credentials',
    'spark.sql.catalog.floe.client.region': region,
    ...sparkDeltaS3Conf(s3),
  }
}

/** icebird asks Amazon for `s3://bucket/key`: https://bucket.s3.amazonaws.com/key. */
function readS3Url(s3: S3Connection): ReadUrl {
  const { endpoint, region, bucket: Bucket, accessKeyId, secretAccessKey } = s3
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
  return async url => {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: decodeURIComponent(url.pathname.slice(1)) }))
    return answer.Body!.transformToByteArray()
  }
}
