/** A table of numbered records (record-ledger.ts), as ingestion is given it and as it stands in a YAML file. */
import type { TableIngestConfig } from '../../ingest/table-config.ts'
import { provenanceField } from '../../table/provenance.ts'
import { primitive } from '../../table/types.ts'

export function numberedTable(topic: string, { freshnessMs }: { readonly freshnessMs: number }): TableIngestConfig {
  return {
    definition: {
      name: `floe__${topic}`,
      source: { clusterName: 'floe', topic },
      schema: {
        schemaId: 0,
        fields: [
          { id: 1, name: 'session', required: true, type: primitive('string') },
          { id: 2, name: 'n', required: true, type: primitive('long') },
          { id: 3, name: 'text', required: false, type: primitive('string') },
          { id: 4, name: 'weight', required: true, type: primitive('int') },
          provenanceField,
        ],
      },
      spec: { specId: 0, fields: [] },
      properties: {},
      settings: '{}',
    },
    format: { kind: 'json' },
    codec: 'zstd',
    deadLetterMode: 'capture',
    onGap: 'stop',
    startOffset: 'earliest',
    freshnessMs,
    fileBytesTarget: 32 * 1024 * 1024,
  }
}

/** One entry of `tables`. */
export function numberedTableYaml(topic: string, freshness: string, extra = ''): string {
  return `
  - source_cluster_name: floe
    source_topic: ${topic}
    source_format: json
    freshness: ${freshness}
    schema:
      fields:
        - { name: session, id: 1, type: string, required: true }
        - { name: n, id: 2, type: long, required: true }
        - { name: text, id: 3, type: string }
        - { name: weight, id: 4, type: int, required: true }
${extra}`
}
