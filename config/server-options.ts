/** Settings of the program: where things are stored, where it listens, how eager it is. Every key is optional. */
import {
  boolean,
  choice,
  duration,
  integer,
  optional,
  type RecordValue,
  record,
  required,
  size,
  text,
  withDefault,
} from './option.ts'

const hostname = text({ lengthMax: 255, pattern: /^[A-Za-z0-9._:-]+$/, patternHint: 'a host name or an IP address' })
const port = integer(0, 65_535)
const environmentName = text({
  lengthMax: 255,
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  patternHint: 'the name of an environment variable',
})
const hourMs = 3_600_000
const dayMs = 24 * hourMs

export const serverKeys = {
  data_dir: withDefault(
    text({ lengthMax: 4096 }),
    './floe-data',
    'Directory that holds the store when `destination_bucket_url` is left out. Relative to the working directory.',
  ),
  destination_bucket_url: optional(
    text({
      lengthMax: 2048,
      pattern: /^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]([/?].*)?|file:\/\/\/.+|memory:)$/,
      patternHint: 'a URL such as s3://bucket/prefix?region=eu-central-1 or file:///var/lib/floe',
    }),
    'The one store of this Floe: topics, tables and the catalog. `s3://bucket[/prefix][?region=...]`, `file:///path`, or `memory:` (gone with the process). Left out, it is the directory `store` in `data_dir`.',
  ),
  storage: withDefault(
    record({
      endpoint: optional(
        text({
          lengthMax: 2048,
          pattern: /^https?:\/\/[^/?#]+\/?$/,
          patternHint: 'a URL such as http://localhost:9000',
        }),
        'URL of an S3-compatible server (MinIO, R2 and others). Left out: AWS.',
      ),
      region: optional(text({ lengthMax: 100 }), 'S3 region. The `region` of the bucket URL wins.'),
      path_style: withDefault(
        boolean,
        'false',
        'Put the bucket into the path instead of the host name, as most self-hosted servers want.',
      ),
      access_key_id_env: optional(
        environmentName,
        'Environment variable with the access key id. Left out: the AWS default chain.',
      ),
      secret_access_key_env: optional(environmentName, 'Environment variable with the secret access key.'),
      session_token_env: optional(
        environmentName,
        'Environment variable with the session token of temporary credentials.',
      ),
    }),
    '',
    'How the S3 store is reached.',
  ),
  kafka: withDefault(
    record({
      hostname: withDefault(hostname, '127.0.0.1', 'Address the Kafka listener binds to. Loopback unless changed.'),
      port: withDefault(port, '9092', 'Port of the Kafka listener; 0 takes a free one.'),
      advertised_hostname: optional(hostname, 'Host name clients are told to connect to. Left out: `hostname`.'),
      advertised_port: optional(
        integer(1, 65_535),
        'Port clients are told to connect to. Left out: the port listened on.',
      ),
      sasl_username_env: optional(
        environmentName,
        'Environment variable with the user name clients must give (SASL PLAIN). Left out: no sign-in.',
      ),
      sasl_password_env: optional(environmentName, "Environment variable with that user's password."),
    }),
    '',
    'The Kafka listener of the included broker.',
  ),
  http: withDefault(
    record({
      hostname: withDefault(hostname, '127.0.0.1', 'Address the HTTP listener binds to. Loopback unless changed.'),
      port: withDefault(
        port,
        '8080',
        'Port of the HTTP listener (Iceberg REST catalog, API, metrics, health); 0 takes a free one.',
      ),
      bearer_token_env: optional(
        environmentName,
        'Environment variable with the token that the Iceberg catalog and `/api/v1` ask for. Left out: no sign-in.',
      ),
    }),
    '',
    'The HTTP listener.',
  ),
  cluster: optional(
    record({
      secret_env: required(
        environmentName,
        'Environment variable with the secret that every process of the cluster knows and strangers do not.',
      ),
      hostname: withDefault(hostname, '127.0.0.1', 'Address that other processes connect to. Loopback unless changed.'),
      port: withDefault(port, '9190', 'Port for other processes; 0 takes a free one.'),
      advertised_hostname: optional(hostname, 'Host name the others are told. Left out: `hostname`.'),
      advertised_port: optional(integer(1, 65_535), 'Port the others are told. Left out: the port listened on.'),
      tls_ca_file: optional(text({ lengthMax: 4096 }), 'Certificate authority (PEM) of all processes; turns TLS on.'),
      tls_cert_file: optional(
        text({ lengthMax: 4096 }),
        "This process's certificate (PEM), which names `advertised_hostname`.",
      ),
      tls_key_file: optional(text({ lengthMax: 4096 }), "The certificate's private key (PEM)."),
    }),
    'Several processes over one store: one leads the catalog, the others follow and take over. Left out, this process is alone.',
  ),
  catalog: withDefault(
    record({
      journal_url: optional(
        text({
          lengthMax: 2048,
          pattern: /^postgres(ql)?:\/\/[^@/?#]+@[^@/?#]+\/[^/?#]+(\?[^#]*)?$/,
          patternHint: 'a URL such as postgres://floe@db.example.net/floe',
        }),
        'Where the journal of the catalog lies: `postgres://user@host[:5432]/database[?table=floe_journal][&sslmode=verify-full|require|disable][&sslrootcert=/path/ca.pem]`, on PostgreSQL or a database that speaks its protocol. Without `sslmode`, TLS with a checked certificate, except on loopback. Left out: in the store. Only `floe catalog move` moves a catalog from one to the other.',
      ),
      journal_password_env: optional(environmentName, 'Environment variable with the password for `journal_url`.'),
      vend_credentials: withDefault(
        boolean,
        'false',
        'Hand the S3 keys of `storage` to readers of the Iceberg REST catalog, so that they need none of their own. Only with `http.bearer_token_env`.',
      ),
    }),
    '',
    'Where the catalog keeps its journal, and what it tells readers.',
  ),
  broker: withDefault(
    record({
      flush_interval: withDefault(
        duration(5, 60_000),
        '250ms',
        'The least time between two objects of produced records: after a pause the first records are written at once, those that follow sooner wait for company. Shorter is faster and costs more requests.',
      ),
      flush_size: withDefault(
        size(64 * 1024, 256 * 2 ** 20),
        '4MiB',
        'An object is written early when it reaches this size.',
      ),
      auto_create_topics: withDefault(boolean, 'true', 'Asking for an unknown topic creates it.'),
      default_partitions: withDefault(integer(1, 10_000), '1', 'Partitions of a topic created without a count.'),
      connections_max: withDefault(integer(1, 100_000), '10000', 'Open client connections; one more is closed.'),
      request_size_max: withDefault(
        size(1024 * 1024, 1024 * 2 ** 20),
        '100MiB',
        'A larger request closes its connection.',
      ),
      requests_in_flight_size_max: withDefault(
        size(1024 * 1024, 16 * 2 ** 30),
        '128MiB',
        'Requests taken from clients and not yet answered, over all connections; beyond it sockets are not read.',
      ),
      cache_size: withDefault(
        size(8 * 2 ** 20, 64 * 2 ** 30),
        '64MiB',
        'Memory for segment objects, shared by consumers and ingestion.',
      ),
      offsets_retention: withDefault(
        duration(60_000, 3650 * dayMs),
        '7d',
        'Committed offsets of an empty group are kept this long.',
      ),
    }),
    '',
    'The included broker.',
  ),
  ingest: withDefault(
    record({
      threads: withDefault(integer(1, 256), '1', 'Worker threads that decode records and write Parquet.'),
    }),
    '',
    'Turning topics into tables.',
  ),
  log: withDefault(
    record({
      level: withDefault(choice('debug', 'info', 'warn', 'error'), 'info', 'Least severity that is written.'),
    }),
    '',
    "The program's own log, JSON lines on standard error.",
  ),
} as const

export const serverOption = record(serverKeys)
export type ServerOptions = RecordValue<typeof serverKeys>

export { environmentName, hostname }
