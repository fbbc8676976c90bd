# shellcheck shell=bash
# Shared by the installer and the launchers: where peers live, and how a missing one is reported.

PEERS_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PEERS_DIR=${FLOE_PEERS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/floe-peers}

# require_peer NAME: ends the script unless NAME is installed.
require_peer() {
  if [[ ! -e $PEERS_DIR/$1/.installed ]]; then
    echo "run scripts/peers/install.sh $1" >&2
    exit 1
  fi
}

# No user site packages, no bytecode beside the scripts of the checkout, and UTC.
use_python_env() {
  export PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1 PYTHONIOENCODING=utf-8 TZ=UTC
}

die() {
  echo "${0##*/}: $*" >&2
  exit 2
}
