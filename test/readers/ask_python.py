"""PyIceberg, delta-rs and DuckDB answer a job: ask_python.py JOB ANSWERS."""
import datetime
import decimal

import pyarrow
import pyarrow.compute
from deltalake import DeltaTable, QueryBuilder
from pyiceberg import expressions
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.table import StaticTable

import canonical
from duckdb_place import add_s3_secret, attach_iceberg, open_duckdb, s3_vended, sql_text

UTC = datetime.timezone.utc


def python_value(kind, text):
    if isinstance(kind, dict):
        return decimal.Decimal(text)
    if kind == 'boolean':
        return text == 'true'
    if kind in ('int', 'long'):
        return int(text)
    if kind in ('float', 'double'):
        return float(text.replace('Infinity', 'inf'))
    if kind == 'date':
        return datetime.date.fromisoformat(text)
    if kind in ('timestamp', 'timestamptz'):
        value = datetime.datetime.fromisoformat(text)
        return value.replace(tzinfo=UTC) if kind == 'timestamptz' else value
    return bytes.fromhex(text) if kind == 'binary' else text


def answer_arrow(table, question, rows):
    """rows: a pyarrow table, of all columns or of k only."""
    if question['kind'] == 'keys':
        return sorted(rows.column('k').to_pylist())
    return canonical.answer_rows(table['columns'], question, rows.to_pylist())


# ── PyIceberg ────────────────────────────────────────────────────────────────────────────────────────────────────────

COMPARISONS = {
    '=': expressions.EqualTo,
    '>=': expressions.GreaterThanOrEqual,
    '<=': expressions.LessThanOrEqual,
}


def iceberg_filter(where):
    terms = []
    for condition in where:
        column = '.'.join(condition['path'])
        if condition['op'] == 'is null':
            terms.append(expressions.IsNull(column))
        elif condition['op'] == 'is not null':
            terms.append(expressions.NotNull(column))
        else:
            terms.append(COMPARISONS[condition['op']](column, python_value(condition['type'], condition['value'])))
    if not terms:
        return expressions.AlwaysTrue()
    return terms[0] if len(terms) == 1 else expressions.And(*terms)


def ask_iceberg(described, table, question):
    snapshot = None
    if question['version'] is not None:
        if question['version']['snapshot'] is None:
            return None
        snapshot = int(question['version']['snapshot'])
    fields = ('k',) if question['kind'] == 'keys' else ('*',)
    scan = table.scan(row_filter=iceberg_filter(question['where']), selected_fields=fields, snapshot_id=snapshot)
    return scan.count() if question['kind'] == 'count' else answer_arrow(described, question, scan.to_arrow())


def s3_properties(job):
    """With a token Floe hands out keys; without, readers bring their own."""
    if job['s3'] is None or job['token'] is not None:
        return {}
    return s3_keys(job)


def s3_keys(job):
    s3 = job['s3']
    return {'s3.endpoint': s3['endpoint'], 's3.access-key-id': s3['accessKeyId'],
            's3.secret-access-key': s3['secretAccessKey'], 's3.region': s3['region']}


def open_pyiceberg_rest(job, described):
    properties = s3_properties(job)
    if job['token'] is not None:
        properties['token'] = job['token']
    catalog = RestCatalog('floe', uri=job['catalog'], **properties)
    table = catalog.load_table(('default', described['name']))
    return lambda question: ask_iceberg(described, table, question)


def open_pyiceberg_file(job, described):
    properties = {} if job['s3'] is None else s3_keys(job)

    def ask(question):
        if question['kind'] == 'keys':
            return None
        version = question['version']
        location = described['metadata'] if version is None else version['metadata']
        table = StaticTable.from_metadata(location, properties)
        return ask_iceberg(described, table, {**question, 'version': None})
    return ask


# ── delta-rs ─────────────────────────────────────────────────────────────────────────────────────────────────────────

def delta_storage(job):
    s3 = job['s3']
    return None if s3 is None else {
        'AWS_ENDPOINT_URL': s3['endpoint'], 'AWS_ACCESS_KEY_ID': s3['accessKeyId'], 'AWS_ALLOW_HTTP': 'true',
        'AWS_SECRET_ACCESS_KEY': s3['secretAccessKey'], 'AWS_REGION': s3['region']}


def open_delta(job, described, version):
    return DeltaTable(described['location'], version=version, storage_options=delta_storage(job))


ARROW_TYPES = {
    'boolean': pyarrow.bool_(), 'int': pyarrow.int32(), 'long': pyarrow.int64(), 'float': pyarrow.float32(),
    'double': pyarrow.float64(), 'date': pyarrow.date32(), 'timestamp': pyarrow.timestamp('us'),
    'timestamptz': pyarrow.timestamp('us', tz='UTC'), 'string': pyarrow.string(), 'binary': pyarrow.binary()}


def arrow_filter(where):
    result = None
    for condition in where:
        field = pyarrow.compute.field(*condition['path'])
        if condition['op'] == 'is null':
            term = field.is_null()
        elif condition['op'] == 'is not null':
            term = field.is_valid()
        else:
            kind = condition['type']
            arrow_type = pyarrow.decimal128(*kind['decimal']) if isinstance(kind, dict) else ARROW_TYPES[kind]
            value = pyarrow.scalar(python_value(kind, condition['value']), arrow_type)
            term = field == value if condition['op'] == '=' else field >= value if condition['op'] == '>=' \
                else field <= value
        result = term if result is None else result & term
    return result


def open_delta_dataset(job, described):
    newest = open_delta(job, described, None).to_pyarrow_dataset()

    def ask(question):
        version = question['version']
        dataset = newest if version is None else open_delta(job, described, version['delta']).to_pyarrow_dataset()
        condition = arrow_filter(question['where'])
        if question['kind'] == 'count':
            return dataset.count_rows(filter=condition)
        fields = ['k'] if question['kind'] == 'keys' else None
        return answer_arrow(described, question, dataset.to_table(columns=fields, filter=condition))
    return ask


def open_delta_sql(job, described):
    newest = QueryBuilder().register('t', open_delta(job, described, None))

    def ask(question):
        version = question['version']
        builder = newest if version is None \
            else QueryBuilder().register('t', open_delta(job, described, version['delta']))
        where = question['sql']['datafusion']
        fields = {'keys': 'k', 'count': 'count(*) AS n', 'rows': '*', 'digest': '*'}[question['kind']]
        text = f'SELECT {fields} FROM t' + (f' WHERE {where}' if where else '')
        rows = pyarrow.table(builder.execute(text).read_all())
        return rows.column('n')[0].as_py() if question['kind'] == 'count' else answer_arrow(described, question, rows)
    return ask


# ── DuckDB ───────────────────────────────────────────────────────────────────────────────────────────────────────────

def ask_duckdb(described, duck, source, question):
    where = question['sql']['duckdb']
    fields = {'keys': 'k', 'count': 'count(*)', 'rows': '*', 'digest': '*'}[question['kind']]
    result = duck.execute(f'SELECT {fields} FROM {source}' + (f' WHERE {where}' if where else ''))
    if question['kind'] == 'count':
        return result.fetchone()[0]
    return answer_arrow(described, question, result.to_arrow_table())


def open_duckdb_rest(job, described):
    duck = open_duckdb(job, 'iceberg')
    if not s3_vended(job):
        add_s3_secret(job, duck)
    attach_iceberg(job, duck)
    name = f'floe."default"."{described["name"]}"'

    def ask(question):
        version = question['version']
        if version is not None and version['snapshot'] is None:
            return None
        source = name if version is None else f"{name} AT (VERSION => {version['snapshot']})"
        return ask_duckdb(described, duck, source, question)
    return ask


def open_duckdb_file(job, described):
    duck = open_duckdb(job, 'iceberg')
    add_s3_secret(job, duck)

    def ask(question):
        version = question['version']
        metadata = described['metadata'] if version is None else version['metadata']
        return ask_duckdb(described, duck, f'iceberg_scan({sql_text(metadata)})', question)
    return ask


def open_duckdb_delta(job, described):
    duck = open_duckdb(job, 'delta')
    add_s3_secret(job, duck)
    location = described['location']

    def ask(question):
        version = question['version']
        if version is None:
            return ask_duckdb(described, duck, f'delta_scan({sql_text(location)})', question)
        name = f"v{version['delta']}"
        duck.execute(f"ATTACH {sql_text(location)} AS {name} (TYPE delta, VERSION {version['delta']})")
        try:
            return ask_duckdb(described, duck, name, question)
        finally:
            duck.execute(f'DETACH {name}')
    return ask


canonical.answer_job({
    'PyIceberg, REST catalog': open_pyiceberg_rest,
    'PyIceberg, metadata file': open_pyiceberg_file,
    'delta-rs, PyArrow dataset': open_delta_dataset,
    'delta-rs, SQL': open_delta_sql,
    'DuckDB, Iceberg REST catalog': open_duckdb_rest,
    'DuckDB, Iceberg metadata file': open_duckdb_file,
    'DuckDB, Delta': open_duckdb_delta,
})
