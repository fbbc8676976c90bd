"""The aggregates of expected.sh from PyIceberg, delta-rs and DuckDB.

python_readers.py CATALOG_URI TABLES READERS
    TABLES   JSON: {table name: its location}
    READERS  names with commas: pyiceberg, delta-rs, duckdb-iceberg, duckdb-delta
Prints one line of JSON for each reader and table: {"reader", "table", "lines"}, with lines as expected.sh prints them, or
{"reader", "table", "lines": [], "error"}.
"""

import json
import os
import sys

import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = ['commit_id', 'author', 'authored_at', 'path', 'lines_added', 'lines_deleted']

SQL_GROUPS = """
    SELECT author, coalesce(strftime(authored_at AT TIME ZONE 'UTC', '%Y-%m'), ''), count(*),
        coalesce(sum(lines_added), 0), coalesce(sum(lines_deleted), 0), count(*) - count(lines_added), count(DISTINCT path)
    FROM {source} GROUP BY ALL"""
SQL_TOTAL = """
    SELECT count(*), coalesce(sum(lines_added), 0), coalesce(sum(lines_deleted), 0), count(*) - count(lines_added),
        count(DISTINCT path), count(DISTINCT commit_id) FROM {source}"""


def escape(author):
    return author.replace('\\', '\\\\').replace('\t', '\\t')


def print_lines(reader, table, total, groups):
    lines = ['\t'.join(['total', '-', '-', *map(str, total)])]
    lines += ['\t'.join(['group', escape(group[0]), *map(str, group[1:])]) for group in groups]
    print(json.dumps({'reader': reader, 'table': table, 'lines': lines}), flush=True)


def aggregate_arrow(rows):
    month = pc.fill_null(pc.strftime(pc.cast(rows['authored_at'], pa.timestamp('us', tz='UTC')), '%Y-%m'), '')
    rows = rows.append_column('month', month).append_column('binary', pc.cast(pc.is_null(rows['lines_added']), pa.int64()))
    total = [rows.num_rows] + [pc.sum(rows[name]).as_py() or 0 for name in ('lines_added', 'lines_deleted', 'binary')]
    total += [pc.count_distinct(rows[name]).as_py() for name in ('path', 'commit_id')]
    groups = rows.group_by(['author', 'month']).aggregate([
        ([], 'count_all'), ('lines_added', 'sum'), ('lines_deleted', 'sum'), ('binary', 'sum'), ('path', 'count_distinct')])
    names = ['author', 'month', 'count_all', 'lines_added_sum', 'lines_deleted_sum', 'binary_sum', 'path_count_distinct']
    columns = [groups[name].to_pylist() for name in names]
    return total, [(author, when, *(number or 0 for number in rest)) for author, when, *rest in zip(*columns)]


def read_pyiceberg(uri, name, _location):
    from pyiceberg.catalog.rest import RestCatalog
    table = RestCatalog('floe', uri=uri).load_table(f'default.{name}')
    return aggregate_arrow(table.scan(selected_fields=tuple(COLUMNS)).to_arrow())


def read_delta(_uri, _name, location):
    from deltalake import DeltaTable
    return aggregate_arrow(DeltaTable(location).to_pyarrow_table(columns=COLUMNS))


def open_duckdb(*extensions):
    import duckdb
    duck = duckdb.connect(config={'extension_directory': os.environ['FLOE_DUCKDB_EXTENSIONS']})
    for extension in extensions:
        duck.execute('LOAD ' + extension)
    return duck


def query_duckdb(duck, source):
    total = duck.execute(SQL_TOTAL.format(source=source)).fetchone()
    return total, duck.execute(SQL_GROUPS.format(source=source)).fetchall()


def read_duckdb_iceberg(uri, name, _location):
    duck = open_duckdb('httpfs', 'avro', 'iceberg')
    options = "TYPE iceberg, AUTHORIZATION_TYPE 'none', ACCESS_DELEGATION_MODE 'none'"
    duck.execute(f"ATTACH '' AS floe ({options}, ENDPOINT '{uri}')")
    return query_duckdb(duck, f'floe."default".{name}')


def read_duckdb_delta(_uri, _name, location):
    return query_duckdb(open_duckdb('delta'), f"delta_scan('{location}')")


READERS = {
    'pyiceberg': read_pyiceberg,
    'delta-rs': read_delta,
    'duckdb-iceberg': read_duckdb_iceberg,
    'duckdb-delta': read_duckdb_delta,
}


def main():
    uri, tables, readers = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].split(',')
    for reader in readers:
        for name, location in tables.items():
            try:
                print_lines(reader, name, *READERS[reader](uri, name, location))
            except Exception as error:
                failure = {'reader': reader, 'table': name, 'lines': [], 'error': f'{type(error).__name__}: {error}'}
                print(json.dumps(failure), flush=True)


if __name__ == '__main__':
    main()
