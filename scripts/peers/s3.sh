#!/usr/bin/env bash
# Runs the S3-compatible server on 127.0.0.1 until it is stopped.
#
#   scripts/peers/s3.sh --port 9000 --data /tmp/s3 [--bucket floe]
#
# Access key `floe`, secret key `floe-secret`, region `us-east-1`, path style; FLOE_S3_ACCESS_KEY_ID,
# FLOE_S3_SECRET_ACCESS_KEY and FLOE_S3_REGION change them. A bucket is a directory below --data. /health answers 200
# once it serves. Objects are written to the page cache and not synced, as suits a test.
set -euo pipefail
# shellcheck source=scripts/peers/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

port='' data='' bucket=floe
while [[ $# -gt 0 ]]; do
  case $1 in
    --port) port=$2 ;;
    --data) data=$2 ;;
    --bucket) bucket=$2 ;;
    *) die "unknown option $1" ;;
  esac
  shift 2
done
[[ $port && $data ]] || die 'needs --port PORT and --data DIR'
require_peer s3

mkdir -p "$data/$bucket"
export ROOT_ACCESS_KEY_ID=${FLOE_S3_ACCESS_KEY_ID:-floe}
export ROOT_SECRET_ACCESS_KEY=${FLOE_S3_SECRET_ACCESS_KEY:-floe-secret}
export VGW_REGION=${FLOE_S3_REGION:-us-east-1}
exec "$PEERS_DIR/s3/versitygw" --port "127.0.0.1:$port" --quiet --keep-alive --health /health posix "$data"
