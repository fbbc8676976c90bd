"""What clients of the REST catalog say beyond reading: names, what is not there, what is refused. ask_catalog.py JOB ANSWERS."""
import pyarrow
from pyiceberg.catalog.rest import RestCatalog

import canonical
import duckdb_place

job = canonical.read_job()
table = job['tables'][0]['name']


def attempt(action):
    try:
        return action()
    except Exception as error:
        return f'{type(error).__name__}: {error}'[:300]


def connect(token):
    properties = {} if token is None else {'token': token}
    return RestCatalog('floe', uri=job['catalog'], **properties)


def with_token(token):
    return attempt(lambda: connect(token).list_namespaces())


def duckdb_with_token(token):
    duck = duckdb_place.open_duckdb(job, 'iceberg')
    duckdb_place.attach_iceberg({**job, 'token': token}, duck)
    return duck.execute(f'SELECT count(*) > 0 FROM floe."default"."{table}"').fetchone()[0]


def duckdb_unknown():
    duck = duckdb_place.open_duckdb(job, 'iceberg')
    duckdb_place.attach_iceberg(job, duck)
    return duck.execute('SELECT * FROM floe."default".nothing').fetchall()


catalog = connect(job['token'])
rows = pyarrow.table({'k': pyarrow.array([1], pyarrow.int32())})
canonical.write_answers({
    'namespaces': attempt(catalog.list_namespaces),
    'tables': attempt(lambda: sorted(name for _, name in catalog.list_tables('default'))),
    'tables of nowhere': attempt(lambda: catalog.list_tables('nowhere')),
    'table exists': attempt(lambda: catalog.table_exists(('default', table))),
    'nothing exists': attempt(lambda: catalog.table_exists(('default', 'nothing'))),
    'load nothing': attempt(lambda: catalog.load_table(('default', 'nothing'))),
    'load from nowhere': attempt(lambda: catalog.load_table(('nowhere', table))),
    'views': attempt(lambda: catalog.list_views('default')),
    'create': attempt(lambda: str(catalog.create_table(('default', 'mine'), rows.schema))),
    'drop': attempt(lambda: catalog.drop_table(('default', table))),
    'set a property': attempt(lambda: str(catalog.load_table(('default', table)).transaction().set_properties(a='b')
                                          .commit_transaction())),
    'without token': with_token(None),
    'with a wrong token': with_token('wrong'),
    'DuckDB with a wrong token': attempt(lambda: duckdb_with_token('wrong')),
    'DuckDB asks for nothing': attempt(duckdb_unknown),
})
