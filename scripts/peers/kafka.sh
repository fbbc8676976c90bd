#!/usr/bin/env bash
# Runs Apache Kafka as one KRaft node on 127.0.0.1 until it is stopped; formats the data directory the first time.
#
#   scripts/peers/kafka.sh --port 19092 --data /tmp/kafka [--controller-port 19093] [--set name=value]...
#
# The controller's port is the broker's plus one unless given. --set adds a broker property, or replaces one set here.
# --scram 'SCRAM-SHA-256=[name=alice,password=secret]' adds a user when the directory is formatted. The heap is
# FLOE_KAFKA_HEAP (512m).
set -euo pipefail
# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

port='' data='' controller_port='' extra=() scram=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --port) port=$2 ;;
    --data) data=$2 ;;
    --controller-port) controller_port=$2 ;;
    --set) extra+=("$2") ;;
    --scram) scram+=(--add-scram "$2") ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done
[[ $port && $data ]] || die 'needs --port PORT and --data DIR'
require_peer kafka

controller_port=${controller_port:-$((port + 1))}
mkdir -p "$data"
properties=$data/server.properties
cat >"$properties" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller_port
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=PLAINTEXT://127.0.0.1:$port
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
log.dirs=$data/log
num.partitions=1
auto.create.topics.enable=true
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
EOF
[[ ${#extra[@]} == 0 ]] || printf '%s\n' "${extra[@]}" >>"$properties"

java=(java -Xmx"${FLOE_KAFKA_HEAP:-512m}" -XX:+UseG1GC -Djava.awt.headless=true
  -Dorg.slf4j.simpleLogger.defaultLogLevel="${FLOE_KAFKA_LOG_LEVEL:-info}" -Dorg.slf4j.simpleLogger.showDateTime=true
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS' -cp "$PEERS_DIR/kafka/lib/*")
if [[ ! -e $data/log/meta.properties ]]; then
  # A cluster id is 16 random bytes in URL-safe base64, and may not begin with a dash.
  id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '=')
  "${java[@]}" kafka.tools.StorageTool format --cluster-id "$id" --config "$properties" "${scram[@]}" >&2
fi
exec "${java[@]}" kafka.Kafka "$properties"
