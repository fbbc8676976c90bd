/**
 * Each reader returns the rows of one small Iceberg and one Delta table which PyIceberg and delta-rs wrote, from the local
 * file system and from S3. This proves the installation, not Floe.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runPython, runSpark, type S3, sparkDeltaS3Conf, sparkIcebergConf, startS3, startTrino } from './index.ts'
import { type FixtureTable, type RestFixture, startRestFixture } from './rest-fixture.ts'

/** Writes the tables below `root` (a file: or s3: URI) and prints the Iceberg table's metadata. */
const WRITE = `
import datetime, decimal, json, sys
import pyarrow as pa
from deltalake import write_deltalake
from pyiceberg.catalog.sql import SqlCatalog
root, database, s3 = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
utc = datetime.timezone.utc
rows = pa.table({
    'id': pa.array([9007199254740993, 2, 3], pa.int64()),
    'name': ['a', 'ünï — 漢字', None],
    'amount': pa.array([decimal.Decimal('1.50'), None, decimal.Decimal('-9.99')], pa.decimal128(10, 2)),
    'ts': pa.array([datetime.datetime(2024, 1, 1, tzinfo=utc), None,
                    datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=utc)], pa.timestamp('us', tz='UTC')),
    'tags': pa.array([['x', None], [], None], pa.list_(pa.string())),
})
properties = {} if s3 is None else {
    's3.endpoint': s3['endpoint'], 's3.access-key-id': s3['accessKeyId'],
    's3.secret-access-key': s3['secretAccessKey'], 's3.region': s3['region'], 's3.force-virtual-addressing': 'False'}
catalog = SqlCatalog('fixture', uri='sqlite:///' + database, warehouse=root + '/iceberg', **properties)
catalog.create_namespace('ns')
table = catalog.create_table('ns.t', rows.schema)
table.append(rows.slice(0, 2))
table.append(rows.slice(2, 1))
storage = None if s3 is None else {
    'AWS_ENDPOINT_URL': s3['endpoint'], 'AWS_ACCESS_KEY_ID': s3['accessKeyId'], 'AWS_ALLOW_HTTP': 'true',
    'AWS_SECRET_ACCESS_KEY': s3['secretAccessKey'], 'AWS_REGION': s3['region']}
write_deltalake(root + '/delta', rows.slice(0, 2), storage_options=storage)
write_deltalake(root + '/delta', rows.slice(2, 1), mode='append', storage_options=storage)
print(json.dumps({'metadataLocation': table.metadata_location, 'metadata': json.loads(table.metadata.model_dump_json())}))
`

/** Prints what PyIceberg, delta-rs and DuckDB read, one JSON object of rows by reader. */
const READ_PYTHON = `
import json, os, sys
import duckdb
from deltalake import DeltaTable
from pyiceberg.catalog.rest import RestCatalog
uri, delta, s3 = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
def text(rows):
    return sorted([[None if v is None else v if isinstance(v, list) else
        str(int(v.timestamp() * 1000000) if hasattr(v, 'timestamp') else v) for v in row] for row in rows], key=str)
def dicts(table):
    return [list(row.values()) for row in table.to_pylist()]
properties, storage = {}, None
if s3 is not None:
    properties = {'s3.endpoint': s3['endpoint'], 's3.access-key-id': s3['accessKeyId'],
        's3.secret-access-key': s3['secretAccessKey'], 's3.region': s3['region']}
    storage = {'AWS_ENDPOINT_URL': s3['endpoint'], 'AWS_ACCESS_KEY_ID': s3['accessKeyId'], 'AWS_ALLOW_HTTP': 'true',
        'AWS_SECRET_ACCESS_KEY': s3['secretAccessKey'], 'AWS_REGION': s3['region']}
out = {}
table = RestCatalog('floe', uri=uri, **properties).load_table('ns.t')
out['pyiceberg'] = text(dicts(table.scan().to_arrow()))
out['pyiceberg, first snapshot'] = table.scan(snapshot_id=table.history()[0].snapshot_id).to_arrow().num_rows
out['delta-rs'] = text(dicts(DeltaTable(delta, storage_options=storage).to_pyarrow_table()))
out['delta-rs, version 0'] = DeltaTable(delta, version=0, storage_options=storage).to_pyarrow_table().num_rows
duck = duckdb.connect(config={'extension_directory': os.environ['FLOE_DUCKDB_EXTENSIONS']})
for extension in ('httpfs', 'avro', 'iceberg', 'delta'):
    duck.execute('LOAD ' + extension)
duck.execute("SET TimeZone = 'UTC'")
if s3 is not None:
    duck.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{s3['accessKeyId']}', SECRET '{s3['secretAccessKey']}', "
        f"REGION '{s3['region']}', ENDPOINT '{s3['endpoint'].removeprefix('http://')}', URL_STYLE 'path', USE_SSL false)")
duck.execute(f"ATTACH '' AS floe (TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none', ACCESS_DELEGATION_MODE 'none')")
out['duckdb iceberg, rest'] = text(duck.execute('SELECT * FROM floe.ns.t').fetchall())
out['duckdb iceberg, metadata file'] = text(
    duck.execute('SELECT * FROM iceberg_scan(?)', [table.metadata_location]).fetchall())
out['duckdb delta'] = text(duck.execute('SELECT * FROM delta_scan(?)', [delta]).fetchall())
print(json.dumps(out))
`

const READ_SPARK = `
import json, sys
from pyspark.sql import SparkSession
delta = sys.argv[1]
spark = SparkSession.builder.getOrCreate()
columns = 'CAST(id AS STRING), name, CAST(amount AS STRING), CAST(unix_micros(ts) AS STRING), tags'
def rows(source):
    return sorted([list(row) for row in spark.sql(f'SELECT {columns} FROM {source}').collect()], key=str)
snapshots = spark.sql('SELECT snapshot_id FROM floe.ns.t.snapshots ORDER BY committed_at').collect()
print(json.dumps({
    'spark iceberg': rows('floe.ns.t'),
    'spark iceberg, first snapshot': spark.sql(f'SELECT * FROM floe.ns.t VERSION AS OF {snapshots[0][0]}').count(),
    'spark delta': rows(f'delta.\`{delta}\`'),
    'spark delta, version 0': spark.sql(f'SELECT * FROM delta.\`{delta}\` VERSION AS OF 0').count(),
}))
`

const ROWS = [
  ['2', 'ünï — 漢字', null, null, []],
  ['3', null, '-9.99', '-1', null],
  ['9007199254740993', 'a', '1.50', '1704067200000000', ['x', null]],
]

for (const place of ['local files', 'S3'] as const) {
  describe(place, () => {
    const dir = mkdtempSync(join(tmpdir(), 'floe-readers-'))
    let s3: S3 | undefined
    let fixture: RestFixture
    let delta: string
    let table: FixtureTable

    beforeAll(async () => {
      if (place === 'S3') s3 = await startS3()
      const root = s3 ? `s3://${s3.bucket}/lake` : `file://${dir}`
      delta = `${root}/delta`
      const written = await runPython(WRITE, [root, join(dir, 'catalog.db'), JSON.stringify(s3 ?? null)])
      table = JSON.parse(written.stdout) as FixtureTable
      fixture = await startRestFixture({ 'ns.t': table })
    })

    afterAll(async () => {
      await fixture?.stop()
      await s3?.stop()
      rmSync(dir, { recursive: true, force: true })
    })

    test('PyIceberg, delta-rs and DuckDB', async () => {
      const read = await runPython(READ_PYTHON, [fixture.uri, delta, JSON.stringify(s3 ?? null)])
      expect(JSON.parse(read.stdout)).toEqual({
        pyiceberg: ROWS,
        'pyiceberg, first snapshot': 2,
        'delta-rs': ROWS,
        'delta-rs, version 0': 2,
        'duckdb iceberg, rest': ROWS,
        'duckdb iceberg, metadata file': ROWS,
        'duckdb delta': ROWS,
      })
    })

    test('Spark with Iceberg and with Delta', async () => {
      const conf = { ...sparkIcebergConf('floe', fixture.uri, s3 ? { s3 } : {}), ...(s3 ? sparkDeltaS3Conf(s3) : {}) }
      const read = await runSpark(READ_SPARK, [delta], { conf })
      expect(JSON.parse(read.stdout)).toEqual({
        'spark iceberg': ROWS,
        'spark iceberg, first snapshot': 2,
        'spark delta': ROWS,
        'spark delta, version 0': 2,
      })
    })

    test('Trino', async () => {
      const trino = await startTrino({ icebergRestUri: fixture.uri, ...(s3 ? { s3 } : {}) })
      try {
        expect((await trino.query('SELECT 1, 9007199254740993')).rows).toEqual([[1, 9007199254740993n]])
        const micros = 'CAST(CAST(to_unixtime(ts) * 1000000 AS BIGINT) AS VARCHAR)'
        const columns = `CAST(id AS VARCHAR), name, CAST(amount AS VARCHAR), ${micros}, tags`
        const read = await trino.query(`SELECT ${columns} FROM floe.ns.t ORDER BY CAST(id AS VARCHAR)`)
        expect(read.rows).toEqual(ROWS)
        const [first] = (
          await trino.query('SELECT CAST(snapshot_id AS VARCHAR) FROM floe.ns."t$snapshots" ORDER BY committed_at')
        ).rows
        const old = await trino.query(`SELECT count(*) FROM floe.ns.t FOR VERSION AS OF ${first![0]}`)
        expect(old.rows).toEqual([[2]])
      } finally {
        await trino.stop()
      }
    })
  })
}
