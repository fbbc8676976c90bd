#!/usr/bin/env bash
# Runs PostgreSQL on 127.0.0.1 until it is stopped.
#
#   scripts/peers/postgres.sh --port 5432 --data /tmp/postgres [--tls-cert FILE --tls-key FILE] [--set name=value]...
#
# User `floe`, password `floe-secret` (FLOE_POSTGRES_PASSWORD), database `postgres`, SCRAM. Everything lies below --data, and a
# second start goes on with it. PostgreSQL refuses to run as root: then it runs as `nobody`, from a copy of its programs below
# --data, since nobody else may look into root's cache.
set -euo pipefail
# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

port='' data='' tls_cert='' tls_key='' settings=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --port) port=$2 ;;
    --data) data=$2 ;;
    --tls-cert) tls_cert=$2 ;;
    --tls-key) tls_key=$2 ;;
    --set) settings+=(-c "$2") ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done
[[ $port && $data ]] || die 'needs --port PORT and --data DIR'
require_peer postgres

mkdir -p "$data"
server=$PEERS_DIR/postgres/server as_user=()
if [[ $(id -u) == 0 ]]; then
  [[ -e $data/server ]] || cp -r "$server" "$data/server"
  server=$data/server
  as_user=(setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups --)
fi
password=$(mktemp "$data/password.XXXXXX")
echo "${FLOE_POSTGRES_PASSWORD:-floe-secret}" >"$password"
if [[ $tls_cert ]]; then
  cp "$tls_cert" "$data/tls.crt"
  cp "$tls_key" "$data/tls.key"
  chmod 600 "$data/tls.key"
  settings+=(-c ssl=on -c "ssl_cert_file=$data/tls.crt" -c "ssl_key_file=$data/tls.key")
fi
[[ $(id -u) != 0 ]] || chown -R nobody "$data"
# Messages in English, whatever the machine speaks: tests read them.
export LC_ALL=C
if [[ ! -e $data/cluster/PG_VERSION ]]; then
  "${as_user[@]}" "$server/bin/initdb" --pgdata "$data/cluster" --username floe --pwfile "$password" \
    --auth scram-sha-256 --encoding UTF8 --no-locale --no-instructions >"$data/initdb.log" 2>&1 || { cat "$data/initdb.log" >&2; exit 1; }
fi
rm -f "$password"
exec "${as_user[@]}" "$server/bin/postgres" -D "$data/cluster" -p "$port" -c listen_addresses=127.0.0.1 \
  -c unix_socket_directories= "${settings[@]}"
