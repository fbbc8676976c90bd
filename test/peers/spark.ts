/** PySpark with Iceberg and Delta, local and in one process. A start takes about ten seconds: ask much in one script. */

import { launcher } from './peers.ts'
import { type Finished, type RunOptions, run } from './process.ts'
import { program } from './python.ts'
import type { S3Connection } from './s3.ts'

export interface SparkOptions extends RunOptions {
  /** Spark properties; `sparkIcebergConf` and `sparkDeltaS3Conf` make the usual ones. */
  readonly conf?: Readonly<Record<string, string>>
}

/** Runs a Python script (a path ending in .py, or the text of one) with `pyspark` to import. */
export function runSpark(script: string, args: readonly string[] = [], options: SparkOptions = {}): Promise<Finished> {
  const conf = Object.entries(options.conf ?? {}).flatMap(([name, value]) => ['--conf', `${name}=${value}`])
  return run(launcher('spark'), [...conf, ...program(script), ...args], options)
}

/** A Spark catalog `name` on an Iceberg REST catalog; with `s3` its tables lie in a bucket. */
export function sparkIcebergConf(
  name: string,
  icebergRestUri: string,
  options: { readonly token?: string; readonly s3?: S3Connection } = {},
): Record<string, string> {
  const prefix = `spark.sql.catalog.${name}`
  const conf: Record<string, string> = {
    [prefix]: 'org.apache.iceberg.spark.SparkCatalog',
    [`${prefix}.type`]: 'rest',
    [`${prefix}.uri`]: icebergRestUri,
    // Each query asks the catalog again, so that a version published meanwhile is seen.
    [`${prefix}.cache-enabled`]: 'false',
  }
  if (options.token !== undefined) conf[`${prefix}.token`] = options.token
  if (options.s3) {
    conf[`${prefix}.io-impl`] = 'org.apache.iceberg.aws.s3.S3FileIO'
    conf[`${prefix}.s3.endpoint`] = options.s3.endpoint
    conf[`${prefix}.s3.path-style-access`] = 'true'
    conf[`${prefix}.s3.access-key-id`] = options.s3.accessKeyId
    conf[`${prefix}.s3.secret-access-key`] = options.s3.secretAccessKey
    conf[`${prefix}.client.region`] = options.s3.region
  }
  return conf
}

/** Lets Spark read `s3://` and `s3a://` paths through Hadoop, which is how it reads Delta tables. */
export function sparkDeltaS3Conf(s3: S3Connection): Record<string, string> {
  return {
    'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
    'spark.hadoop.fs.s3a.endpoint': s3.endpoint,
    'spark.hadoop.fs.s3a.endpoint.region': s3.region,
    'spark.hadoop.fs.s3a.path.style.access': 'true',
    'spark.hadoop.fs.s3a.access.key': s3.accessKeyId,
    'spark.hadoop.fs.s3a.secret.key': s3.secretAccessKey,
    'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
  }
}
