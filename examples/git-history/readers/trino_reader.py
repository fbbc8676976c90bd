"""The aggregates of expected.sh from Trino, which is started for it and stopped again.

trino_reader.py CATALOG_URI TABLES      as python_readers.py
"""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

from trino.dbapi import connect
from trino.exceptions import TrinoQueryError

START = pathlib.Path(__file__).resolve().parents[3] / 'scripts/peers/trino.sh'
READY_SECONDS_MAX = 180
SHOWN_LOG_CHARS_MAX = 4000

# Trino's own local file system knows only local:/ locations; Hadoop's reads the file:/ of the metadata.
CATALOG = """\
connector.name=iceberg
iceberg.catalog.type=rest
iceberg.rest-catalog.uri={uri}
fs.hadoop.enabled=true
"""
SUMS = 'count(*), coalesce(sum(lines_added), 0), coalesce(sum(lines_deleted), 0), count(*) - count(lines_added)'
SQL_GROUPS = f"""
    SELECT author, coalesce(format_datetime(at_timezone(authored_at, 'UTC'), 'yyyy-MM'), ''), {SUMS}, count(DISTINCT path)
    FROM {{source}} GROUP BY 1, 2"""
SQL_TOTAL = f'SELECT {SUMS}, count(DISTINCT path), count(DISTINCT commit_id) FROM {{source}}'


def escape(author):
    return author.replace('\\', '\\\\').replace('\t', '\\t')


def query(port, sql):
    """Rows of the answer. A node takes queries of a catalog only once it has announced that catalog, some time after its start."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while True:
        try:
            with connect(host='127.0.0.1', port=port, user='floe') as connection:
                return connection.cursor().execute(sql).fetchall()
        except TrinoQueryError as error:
            if error.error_name != 'NO_NODES_AVAILABLE' or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def read(port, name):
    source = f'floe."default".{name}'
    lines = ['\t'.join(['total', '-', '-', *map(str, row)]) for row in query(port, SQL_TOTAL.format(source=source))]
    groups = query(port, SQL_GROUPS.format(source=source))
    return lines + ['\t'.join(['group', escape(group[0]), *map(str, group[1:])]) for group in groups]


def wait_until_ready(server, port, log):
    deadline = time.monotonic() + READY_SECONDS_MAX
    while server.poll() is None and time.monotonic() < deadline:
        try:
            query(port, 'SELECT 1')
            return
        except Exception:
            time.sleep(0.5)
    sys.exit(f'Trino did not start\n{log.read_text()[-SHOWN_LOG_CHARS_MAX:]}')


def find_free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def main():
    uri, tables = sys.argv[1], json.loads(sys.argv[2])
    # Ends the server too: `finally` is not reached otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix='floe-trino-') as directory:
        catalogs = pathlib.Path(directory, 'catalogs')
        catalogs.mkdir()
        (catalogs / 'floe.properties').write_text(CATALOG.format(uri=uri))
        log = pathlib.Path(directory, 'log')
        port = find_free_port()
        command = [START, '--port', str(port), '--data', f'{directory}/data', '--catalogs', catalogs]
        with log.open('w') as output:
            server = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            wait_until_ready(server, port, log)
            for name in tables:
                answer = {'reader': 'trino', 'table': name, 'lines': []}
                try:
                    answer['lines'] = read(port, name)
                except Exception as error:
                    answer['error'] = f'{type(error).__name__}: {error}'
                print(json.dumps(answer), flush=True)
        finally:
            # A graceful end of Trino waits for minutes; it holds nothing that must be kept.
            server.kill()
            server.wait()


if __name__ == '__main__':
    main()
