/** Kafka clusters to read from. */
import { configLimits } from './limits.ts'
import {
  boolean,
  choice,
  integer,
  list,
  optional,
  type RecordValue,
  record,
  required,
  text,
  withDefault,
} from './option.ts'
import { environmentName, hostname } from './server-options.ts'

export const clusterKeys = {
  name: required(
    text({ lengthMax: 100, pattern: /^[A-Za-z0-9_.-]+$/, patternHint: 'letters, digits, `_`, `.` and `-`' }),
    'Name that `tables[].source_cluster_name` refers to. It becomes part of the table name. `floe` is taken: it is the broker inside this Floe.',
  ),
  bootstrap_brokers: required(
    list(
      record({
        hostname: required(hostname, 'Host name or address of a broker.'),
        port: withDefault(integer(1, 65_535), '9092', 'Its port.'),
      }),
      1,
      configLimits.brokerCountMax,
    ),
    'Brokers to connect to first.',
  ),
  credentials: withDefault(
    record({
      sasl_username_env: optional(environmentName, 'Environment variable with the user name. Left out: no sign-in.'),
      sasl_password_env: optional(environmentName, 'Environment variable with the password.'),
      sasl_mechanism: withDefault(choice('plain', 'scram-sha-256', 'scram-sha-512'), 'plain', 'SASL mechanism.'),
      use_tls: withDefault(boolean, 'false', 'Encrypt the connection.'),
      tls_ca_file: optional(
        text({ lengthMax: 4096 }),
        'PEM file with the certificate authorities to trust. Left out: those Node.js trusts.',
      ),
      tls_cert_file: optional(text({ lengthMax: 4096 }), 'PEM file with the client certificate (mutual TLS).'),
      tls_key_file: optional(text({ lengthMax: 4096 }), 'PEM file with the key of the client certificate.'),
    }),
    '',
    'How to sign in.',
  ),
} as const

export const clusterOption = record(clusterKeys)
export type SourceCluster = RecordValue<typeof clusterKeys>
