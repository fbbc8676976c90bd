/**
 * The provenance column: where each row came from. Its ids lie far above any a user would choose, so that user columns can be
 * added later without a clash, and below Iceberg's reserved ids (2147483447 up).
 */
import { type Field, primitive } from './types.ts'

export const provenanceFieldIdBase = 1_000_000_000
export const provenanceFieldName = 'floe'

export const provenanceField: Field = {
  id: provenanceFieldIdBase,
  name: provenanceFieldName,
  required: true,
  type: {
    kind: 'struct',
    fields: [
      { id: provenanceFieldIdBase + 1, name: 'partition', required: true, type: primitive('int') },
      { id: provenanceFieldIdBase + 2, name: 'offset', required: true, type: primitive('long') },
      { id: provenanceFieldIdBase + 3, name: 'timestamp', required: false, type: primitive('timestamptz') },
      { id: provenanceFieldIdBase + 4, name: 'key', required: false, type: primitive('binary') },
    ],
  },
  doc: 'Where the row came from: source partition, record offset, record timestamp and record key.',
}
