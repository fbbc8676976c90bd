#!/usr/bin/env bash
# Runs Trino as one node on 127.0.0.1 until it is stopped.
#
#   scripts/peers/trino.sh --port 8085 --data /tmp/trino --catalogs DIR
#
# DIR holds one NAME.properties per catalog; the connectors here are iceberg, memory and tpch. GET /v1/info says
# `"starting":false` once it serves. The heap is FLOE_TRINO_HEAP (1500m).
set -euo pipefail
# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

port='' data='' catalogs=''
while [[ $# -gt 0 ]]; do
  case $1 in
    --port) port=$2 ;;
    --data) data=$2 ;;
    --catalogs) catalogs=$2 ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done
[[ $port && $data && $catalogs ]] || die 'needs --port PORT, --data DIR and --catalogs DIR'
[[ -d $catalogs ]] || die "there is no directory $catalogs"
require_peer trino

mkdir -p "$data"
cat >"$data/config.properties" <<EOF
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port=$port
discovery.uri=http://127.0.0.1:$port
query.max-memory=600MB
query.max-memory-per-node=600MB
memory.heap-headroom-per-node=300MB
catalog.config-dir=$(cd "$catalogs" && pwd)
plugin.dir=$PEERS_DIR/trino/server/plugin
EOF
cat >"$data/log.properties" <<EOF
io.trino=${FLOE_TRINO_LOG_LEVEL:-INFO}
Bootstrap=WARN
EOF
java=(
  "$PEERS_DIR/trino/java/bin/java"
  "-Xmx${FLOE_TRINO_HEAP:-1500m}" -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError -XX:ReservedCodeCacheSize=256M
  -XX:+EnableDynamicAgentLoading -Djdk.attach.allowAttachSelf=true -Dfile.encoding=UTF-8
  --sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED
  -Dnode.environment=floe "-Dnode.data-dir=$data" -Dnode.bind-ip=127.0.0.1 -Dnode.internal-address=127.0.0.1
  "-Dconfig=$data/config.properties" "-Dlog.levels-file=$data/log.properties"
  -cp "$PEERS_DIR/trino/server/lib/*" io.trino.server.TrinoServer
)
exec "${java[@]}"
