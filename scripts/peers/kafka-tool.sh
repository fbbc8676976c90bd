#!/usr/bin/env bash
# Runs one of Apache Kafka's own command line tools.
#
#   scripts/peers/kafka-tool.sh kafka-topics --bootstrap-server 127.0.0.1:9092 --list
#   scripts/peers/kafka-tool.sh --list
set -euo pipefail
# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

declare -A TOOLS=(
  [kafka-acls]=org.apache.kafka.tools.AclCommand
  [kafka-broker-api-versions]=org.apache.kafka.tools.BrokerApiVersionsCommand
  [kafka-configs]=kafka.admin.ConfigCommand
  [kafka-console-consumer]=org.apache.kafka.tools.consumer.ConsoleConsumer
  [kafka-console-producer]=org.apache.kafka.tools.ConsoleProducer
  [kafka-consumer-groups]=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
  [kafka-consumer-perf-test]=org.apache.kafka.tools.ConsumerPerformance
  [kafka-delete-records]=org.apache.kafka.tools.DeleteRecordsCommand
  [kafka-dump-log]=org.apache.kafka.tools.DumpLogSegments
  [kafka-e2e-latency]=org.apache.kafka.tools.EndToEndLatency
  [kafka-features]=org.apache.kafka.tools.FeatureCommand
  [kafka-get-offsets]=org.apache.kafka.tools.GetOffsetShell
  [kafka-groups]=org.apache.kafka.tools.GroupsCommand
  [kafka-leader-election]=org.apache.kafka.tools.LeaderElectionCommand
  [kafka-log-dirs]=org.apache.kafka.tools.LogDirsCommand
  [kafka-metadata-quorum]=org.apache.kafka.tools.MetadataQuorumCommand
  [kafka-producer-perf-test]=org.apache.kafka.tools.ProducerPerformance
  [kafka-reassign-partitions]=org.apache.kafka.tools.reassign.ReassignPartitionsCommand
  [kafka-storage]=kafka.tools.StorageTool
  [kafka-topics]=org.apache.kafka.tools.TopicCommand
  [kafka-transactions]=org.apache.kafka.tools.TransactionsCommand
  [kafka-verifiable-consumer]=org.apache.kafka.tools.VerifiableConsumer
  [kafka-verifiable-producer]=org.apache.kafka.tools.VerifiableProducer
)

[[ $# -gt 0 ]] || die 'needs the name of a tool, or --list'
if [[ $1 == --list ]]; then
  printf '%s\n' "${!TOOLS[@]}" | sort
  exit
fi
main_class=${TOOLS[${1%.sh}]:-}
[[ $main_class ]] || die "unknown tool '$1'; --list shows them"
shift
require_peer kafka
# The small-machine compiler settings halve the start of a tool that lives for a second; a perf test keeps both tiers.
flags=(-XX:TieredStopAtLevel=1 -XX:+UseSerialGC)
[[ $main_class != *Performance && $main_class != *Latency ]] || flags=()
exec java -Xmx"${FLOE_KAFKA_TOOL_HEAP:-256m}" "${flags[@]}" \
  -Dorg.slf4j.simpleLogger.defaultLogLevel="${FLOE_KAFKA_LOG_LEVEL:-warn}" -cp "$PEERS_DIR/kafka/lib/*" "$main_class" "$@"
