#!/usr/bin/env bash
# Runs a Python script with PySpark, Iceberg and Delta at hand.
#
#   scripts/peers/spark.sh [--conf name=value]... SCRIPT [ARGUMENT]...
set -euo pipefail
# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

conf=()
while [[ ${1:-} == --conf ]]; do
  [[ $# -gt 1 ]] || die '--conf needs name=value'
  conf+=("$(printf -- '--conf %q' "$2")")
  shift 2
done
[[ $# -gt 0 ]] || die 'needs a script'
require_peer spark

use_python_env
export SPARK_CONF_DIR=$PEERS_DIR/spark/conf SPARK_LOCAL_IP=127.0.0.1
export PYSPARK_SUBMIT_ARGS="${conf[*]} pyspark-shell"
exec "$PEERS_DIR/spark/venv/bin/python" "$@"
