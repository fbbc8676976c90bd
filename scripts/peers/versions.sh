# shellcheck shell=bash disable=SC2034
# Every peer's version, pinned in this one place. A peer is installed anew when its line here changes.

KAFKA_VERSION=4.3.1        # the newest 4.x; its broker runs on Java 17 and newer
SLF4J_VERSION=1.7.36       # the binding for the slf4j that Kafka brings
VERSITYGW_VERSION=v1.8.0   # the S3-compatible server; docs/peers.md says why this one
