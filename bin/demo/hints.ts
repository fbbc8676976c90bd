/** How to look at what the demo made, as commands to copy. */
import { tableFolder } from '../../catalog/object-names.ts'
import type { FloeServer } from '../server/floe-server.ts'

export async function describeWaysToLook(server: FloeServer, dataDir: string): Promise<string> {
  const orders = await server.catalog.tableByName('orders')
  const folder = orders === undefined ? '' : `${server.store.uri}/${tableFolder('orders', orders.tableUuid)}`
  const uri = `http://127.0.0.1:${server.httpPort}/catalog/iceberg`
  const where = dataDir === './floe-data' ? '' : ` --data-dir ${dataDir}`
  return [
    `records   kcat -b 127.0.0.1:${server.kafkaPort} -t orders -C -o -5 -c 5`,
    `SQL       npx floe sql${where} 'select country, count(*), sum(amount) from orders group by 1 order by 2 desc'`,
    `proof     npx floe verify${where} orders clicks payments`,
    `rejected  npx floe dlq show${where} orders`,
    `DuckDB    duckdb -c "install delta; load delta; select count(*) from delta_scan('${folder}')"`,
    `PyIceberg python -c "from pyiceberg.catalog import load_catalog as c; print(c('floe', uri='${uri}').load_table('default.orders').scan().to_arrow())"`,
    'Spark     spark-sql --packages org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.0 \\',
    '            --conf spark.sql.catalog.floe=org.apache.iceberg.spark.SparkCatalog --conf spark.sql.catalog.floe.type=rest \\',
    `            --conf spark.sql.catalog.floe.uri=${uri} -e 'select count(*) from floe.default.orders'`,
    `API       curl http://127.0.0.1:${server.httpPort}/api/v1/tables`,
  ].join('\n')
}
