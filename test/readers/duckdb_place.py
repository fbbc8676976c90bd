"""DuckDB with its extensions, at a place that a job names."""
import os

import duckdb


def sql_text(text):
    return "'" + text.replace("'", "''") + "'"


def open_duckdb(job, *extensions):
    duck = duckdb.connect(config={'extension_directory': os.environ['FLOE_DUCKDB_EXTENSIONS']})
    for extension in ('httpfs', 'avro', *extensions):
        duck.execute('LOAD ' + extension)
    duck.execute("SET TimeZone = 'UTC'")
    return duck


def add_s3_secret(job, duck):
    s3 = job['s3']
    if s3 is not None:
        endpoint = s3['endpoint'].removeprefix('http://')
        duck.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{s3['accessKeyId']}', SECRET '{s3['secretAccessKey']}', "
                     f"REGION '{s3['region']}', ENDPOINT '{endpoint}', URL_STYLE 'path', USE_SSL false)")


def attach_iceberg(job, duck):
    if job['token'] is None:
        authorization = "AUTHORIZATION_TYPE 'none'"
    else:
        duck.execute(f"CREATE SECRET floe (TYPE iceberg, TOKEN {sql_text(job['token'])})")
        authorization = 'SECRET floe'
    delegation = 'none' if not s3_vended(job) else 'vended_credentials'
    duck.execute(f"ATTACH '' AS floe (TYPE iceberg, ENDPOINT {sql_text(job['catalog'])}, {authorization}, "
                 f"ACCESS_DELEGATION_MODE '{delegation}')")


def s3_vended(job):
    return job['s3'] is not None and job['token'] is not None
