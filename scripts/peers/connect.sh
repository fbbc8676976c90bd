#!/usr/bin/env bash
# Runs a Kafka Connect worker with the Apache Iceberg sink connector until it is stopped.
#
#   scripts/peers/connect.sh --bootstrap 127.0.0.1:19092 --port 8083 --data /tmp/connect --sink sink.properties
#
# Needs the peers kafka and connect. The topic `control-iceberg` must exist. JSON values without schemas; --set adds a
# worker property or replaces one. GET / on the port answers once it serves. A sink into a table below a directory:
#
#   name=iceberg-sink
#   connector.class=org.apache.iceberg.connect.IcebergSinkConnector
#   tasks.max=1
#   topics=logs
#   iceberg.tables=ns.logs
#   iceberg.tables.auto-create-enabled=true
#   iceberg.catalog.type=hadoop
#   iceberg.catalog.warehouse=file:///tmp/warehouse
#   iceberg.control.commit.interval-ms=10000
set -euo pipefail
# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

bootstrap='' port='' data='' sink='' extra=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --bootstrap) bootstrap=$2 ;;
    --port) port=$2 ;;
    --data) data=$2 ;;
    --sink) sink=$2 ;;
    --set) extra+=("$2") ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done
[[ $bootstrap && $port && $data && $sink ]] || die 'needs --bootstrap HOST:PORT, --port PORT, --data DIR and --sink FILE'
require_peer kafka
require_peer connect

mkdir -p "$data"
worker=$data/worker.properties
cat >"$worker" <<EOF
bootstrap.servers=$bootstrap
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
offset.storage.file.filename=$data/offsets
plugin.path=$PEERS_DIR/connect/plugins
plugin.discovery=service_load
listeners=http://127.0.0.1:$port
EOF
[[ ${#extra[@]} == 0 ]] || printf '%s\n' "${extra[@]}" >>"$worker"
exec java -Xmx"${FLOE_CONNECT_HEAP:-1g}" -Dorg.slf4j.simpleLogger.defaultLogLevel="${FLOE_KAFKA_LOG_LEVEL:-info}" \
  -cp "$PEERS_DIR/kafka/lib/*" org.apache.kafka.connect.cli.ConnectStandalone "$worker" "$sink"
