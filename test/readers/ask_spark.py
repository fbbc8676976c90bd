"""Spark answers a job through Iceberg's REST catalog and through Delta: ask_spark.py JOB ANSWERS."""
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import SparkSession

import canonical

# A query is mostly planning on one thread.
QUERIES_AT_ONCE = 3
spark = SparkSession.builder.getOrCreate()


def numbers_for_times(kind, column, depth=0):
    """The column as Spark reads it, with dates as days and timestamps as microseconds: Python's datetime fails at year 1."""
    if kind == 'date':
        return f'unix_date({column})'
    if kind in ('timestamp', 'timestamptz'):
        return f'unix_micros(CAST({column} AS TIMESTAMP))'
    if not has_times(kind):
        return column
    (name, inner), = kind.items()
    if name == 'struct':
        fields = ', '.join(f"'{field}', {numbers_for_times(type_, f'{column}.`{field}`', depth)}" for field, type_ in inner)
        return f'IF({column} IS NULL, NULL, named_struct({fields}))'
    if name == 'list':
        return f"transform({column}, e{depth} -> {numbers_for_times(inner, f'e{depth}', depth + 1)})"
    return f"transform_values({column}, (k{depth}, e{depth}) -> {numbers_for_times(inner, f'e{depth}', depth + 1)})"


def has_times(kind):
    if isinstance(kind, str):
        return kind in ('date', 'timestamp', 'timestamptz')
    (name, inner), = kind.items()
    if name == 'decimal':
        return False
    return any(has_times(type_) for _, type_ in inner) if name == 'struct' else has_times(inner)


def ask_one(table, source, question):
    where = question['sql']['spark']
    tail = f'FROM {source}' + (f' WHERE {where}' if where else '')
    if question['kind'] == 'keys':
        return sorted(row[0] for row in spark.sql(f'SELECT k {tail}').collect())
    if question['kind'] == 'count':
        return spark.sql(f'SELECT count(*) {tail}').collect()[0][0]
    # Two steps: what is read is every column as it is, and only then are the times turned into numbers.
    columns = ', '.join(f"{numbers_for_times(kind, f'`{name}`')} AS `{name}`" for name, kind in table['columns'])
    rows = spark.sql(f'SELECT {columns} FROM (SELECT * {tail})').collect()
    return canonical.answer_rows(table['columns'], question, rows)


def opener(newest_of, version_of):
    """newest_of: table -> its name in SQL; version_of: (name, version) -> the name of a version, or None for none."""
    def open_table(job, table):
        newest = newest_of(table)

        def try_one(question):
            source = newest if question['version'] is None else version_of(newest, question['version'])
            try:
                return None if source is None else ask_one(table, source, question)
            except Exception as error:
                return canonical.describe(error)

        with ThreadPoolExecutor(QUERIES_AT_ONCE) as pool:
            answers = dict(zip((question['id'] for question in table['questions']),
                               pool.map(try_one, table['questions'])))
        return lambda question: answers[question['id']]
    return open_table


def iceberg_version(name, version):
    return None if version['snapshot'] is None else f"{name} VERSION AS OF {version['snapshot']}"


canonical.answer_job({
    'Spark, Iceberg REST catalog': opener(lambda table: f"floe.`default`.`{table['name']}`", iceberg_version),
    'Spark, Delta': opener(
        lambda table: f"delta.`{table['location']}`", lambda name, version: f"{name} VERSION AS OF {version['delta']}"),
})
