#!/usr/bin/env bash
# Runs the S3-compatible server on 127.0.0.1 until it is stopped.
#
#   scripts/peers/s3.sh --port 9000 --data /tmp/s3 [--bucket floe]
#
# Access key `floe`, secret key `floe-secret`, region `us-east-1`, path style; FLOE_S3_ACCESS_KEY_ID,
# FLOE_S3_SECRET_ACCESS_KEY and FLOE_S3_REGION change them. Prints `ready ENDPOINT BUCKET` once it serves and the bucket
# exists. Objects are files below --data, in the page cache and not synced, as suits a test.
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

mkdir -p "$data"
export ROOT_ACCESS_KEY_ID=${FLOE_S3_ACCESS_KEY_ID:-floe}
export ROOT_SECRET_ACCESS_KEY=${FLOE_S3_SECRET_ACCESS_KEY:-floe-secret}
export VGW_REGION=${FLOE_S3_REGION:-us-east-1}
endpoint=http://127.0.0.1:$port
server=$$
# The bucket is created through the server: a bare directory would serve too, but answer CreateBucket with an error.
create_bucket() {
  local status
  until curl --silent --fail --max-time 2 "$endpoint/health" >/dev/null; do
    kill -0 "$server" 2>/dev/null || return
    sleep 0.05
  done
  status=$(curl --silent --output /dev/null --write-out '%{http_code}' -X PUT --aws-sigv4 "aws:amz:$VGW_REGION:s3" \
    --user "$ROOT_ACCESS_KEY_ID:$ROOT_SECRET_ACCESS_KEY" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$endpoint/$bucket")
  case $status in
    200 | 409) echo "ready $endpoint $bucket" ;;
    *) echo "creating the bucket answered $status" >&2 && kill "$server" ;;
  esac
}
create_bucket &
# Without --keep-alive every answer closes its connection. With it, versitygw 1.8.0 now and then leaves the end of a
# chunked body with trailing checksum unread (as the C++ SDK sends it), and takes it for the next request: status 400.
exec "$PEERS_DIR/s3/versitygw" --port "127.0.0.1:$port" --quiet --health /health posix "$data"
