#!/bin/sh
# SPDX-License-Identifier: MIT
# A chain on one machine: two AMPS, two workloads, one file, and no server.
#
#   orders -> AMPS -> chain.py orders -> /publish -> invoices -> AMPS -> chain.py invoices
#
# Usage: chain.sh FILE; then publish an order, and see the invoice here:
#   curl localhost:4000/publish -H 'Content-Type: application/cloudevents+json' \
#     -d '{"specversion":"1.0","id":"1","source":"/me","type":"orders","data":{"amount":3}}'
# Ctrl-C ends it; whatever was not done by then goes on with the next start.
set -eu

here=$(dirname "$(readlink -f "$0")")
port=${PORT:-4000} # and the five behind it
BROKER_HOST=sqlite://$(readlink -f "$1")
export BROKER_HOST
pids=

# step QUEUE PORT-OF-AMPS PORT-OF-METRICS PORT-OF-WORKLOAD
step ()
{
  PORT=$4 python3 "$here/chain.py" "$1" &
  pids="$pids $!"
  BROKER_SUBJECT=$1 PORT=$2 METRICS_PORT=$3 WORKLOAD_ADDRESS=http://127.0.0.1:$4 amps >&2 &
  pids="$! $pids"
}

trap 'kill $pids 2>/dev/null || true; wait' EXIT
trap exit INT TERM
step orders "$port" $((port + 1)) $((port + 2))
step invoices $((port + 3)) $((port + 4)) $((port + 5))
wait
