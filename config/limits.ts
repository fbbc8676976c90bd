/** Limits of a configuration. Those of names, depth and width are the table model's (table/schema.ts), stated here for messages. */
export const configLimits = {
  tableCountMax: 1_000,
  clusterCountMax: 100,
  brokerCountMax: 100,
  fieldsPerTableMax: 2_000,
  /** Structs, lists and maps inside each other; a top-level column has depth 1. */
  fieldDepthMax: 16,
  fieldNameLengthMax: 255,
  /** Ids from 1,000,000,000 up belong to Floe's own columns. */
  fieldIdMax: 999_999_999,
  partitionFieldCountMax: 4,
  inputSchemaLengthMax: 512 * 1024,
  topicNameLengthMax: 249,
} as const

/** The source cluster that needs no entry in `source_clusters`: the broker inside this Floe. */
export const ownClusterName = 'floe'
/** The provenance column that every table gets. */
export const provenanceColumnName = 'floe'
