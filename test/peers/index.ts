/** Everything a test needs to start and ask the peers that `scripts/peers/install.sh` installs; see docs/peers.md. */

export { type Kafka, type KafkaOptions, kafkaTool, kcat, startKafka } from './kafka.ts'
export { isInstalled, PeerMissing, type PeerName, peerPath, peersDir } from './peers.ts'
export { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts'
export { type Finished, freePorts, type RunOptions, run, type Server, startServer, waitUntilReady } from './process.ts'
export { runPython } from './python.ts'
export { type S3, type S3Connection, type S3Options, startS3 } from './s3.ts'
export { runSpark, type SparkOptions, sparkDeltaS3Conf, sparkIcebergConf } from './spark.ts'
export { startTrino, type Trino, type TrinoOptions, type TrinoResult, type TrinoValue } from './trino.ts'
