"""The aggregates of expected.sh from Spark: through the Iceberg REST catalog `floe`, and through the Delta log.

spark_readers.py TABLES READERS      as python_readers.py; READERS: spark-iceberg, spark-delta
"""

import json
import sys

from pyspark.sql import SparkSession

SQL_GROUPS = """
    SELECT author, coalesce(date_format(authored_at, 'yyyy-MM'), ''), count(*), coalesce(sum(lines_added), 0),
        coalesce(sum(lines_deleted), 0), count(*) - count(lines_added), count(DISTINCT path)
    FROM {source} GROUP BY 1, 2"""
SQL_TOTAL = """
    SELECT count(*), coalesce(sum(lines_added), 0), coalesce(sum(lines_deleted), 0), count(*) - count(lines_added),
        count(DISTINCT path), count(DISTINCT commit_id) FROM {source}"""


def escape(author):
    return author.replace('\\', '\\\\').replace('\t', '\\t')


def read(spark, source):
    total = spark.sql(SQL_TOTAL.format(source=source)).collect()[0]
    groups = spark.sql(SQL_GROUPS.format(source=source)).collect()
    lines = ['\t'.join(['total', '-', '-', *map(str, total)])]
    return lines + ['\t'.join(['group', escape(group[0]), *map(str, group[1:])]) for group in groups]


def main():
    tables, readers = json.loads(sys.argv[1]), sys.argv[2].split(',')
    spark = SparkSession.builder.getOrCreate()
    spark.conf.set('spark.sql.session.timeZone', 'UTC')
    for reader in readers:
        for name, location in tables.items():
            source = f'floe.default.{name}' if reader == 'spark-iceberg' else f'delta.`{location}`'
            answer = {'reader': reader, 'table': name, 'lines': []}
            try:
                answer['lines'] = read(spark, source)
            except Exception as error:
                answer['error'] = f'{type(error).__name__}: {error}'
            print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
