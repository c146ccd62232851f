#!/bin/sh
# SPDX-License-Identifier: MIT
# A workload for AMPS in sync mode, in plain shell: socat runs this once for each
# connection. The answer is the outcome of the job, so it comes after the work,
# within JOB_TIMEOUT. 200 is done, 422 rejects it.
# WORKLOAD_MODE=sync amps
[ $# -gt 0 ] || exec socat "TCP-LISTEN:${PORT:-5050},bind=127.0.0.1,fork,reuseaddr" "EXEC:$0 serve"

length=0
while read -r name value
do
  case $name in Content-Length:) length=${value%?} ;; "$(printf '\r')") break ;; esac
done
event=$(head -c "$length")

status=200 reason=
case $event in
  '') exit ;; # AMPS only looks whether anybody is here
  *'"amount": -'* | *'"amount":-'*) status=422 reason='the amount is negative' ;;
esac
printf 'HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %s\r\n\r\n%s' \
  "$status" "${#reason}" "$reason"
