#!/usr/bin/env bash
# Runs Python with PyIceberg, pyarrow, deltalake, DuckDB, confluent-kafka, trino and boto3 at hand.
#
#   scripts/peers/python.sh SCRIPT [ARGUMENT]...
#
# FLOE_DUCKDB_EXTENSIONS names where DuckDB finds its extensions iceberg, delta, avro and httpfs.
set -euo pipefail
# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ $# -gt 0 ]] || die 'needs a script'
require_peer python

use_python_env
export FLOE_DUCKDB_EXTENSIONS=$PEERS_DIR/python/duckdb-extensions
exec "$PEERS_DIR/python/venv/bin/python" "$@"
