#!/usr/bin/env bash
# Try the scaled profile on this machine: two Daphnes and a Celery worker with its beat, on PostgreSQL and Redis.
# Needs both to run. Reads DATABASE_URL and REDIS_URL; the defaults are a local database `oversight` and Redis 0.
set -euo pipefail
cd "$(dirname "$0")/.."
export DATABASE_URL="${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/oversight}"
export REDIS_URL="${REDIS_URL:-redis://127.0.0.1:6379/0}"
bin="${VENV:-.venv}/bin"
ports="${PORTS:-8001 8002}"

pids=()
stop() { kill "${pids[@]}" 2>/dev/null || true; wait; }
trap stop EXIT
trap 'exit 0' INT TERM

"$bin/python" manage.py migrate --verbosity 0
for port in $ports; do
  "$bin/daphne" --bind 127.0.0.1 --port "$port" --verbosity 0 --websocket-max-message-size 65536 --websocket-max-frame-size 65536 oversight.asgi:application &
  pids+=($!)
done
"$bin/celery" --app oversight worker --beat --schedule "${TMPDIR:-/tmp}/oversight-beat" --concurrency 2 --loglevel WARNING &
pids+=($!)
answers() { "$bin/python" -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$1/healthz', timeout=1)" 2>/dev/null; }
for port in $ports; do
  for _ in $(seq 100); do answers "$port" && break; sleep 0.2; done
  answers "$port" || { echo "nothing answers at http://127.0.0.1:$port/ after 20 seconds; see above" >&2; exit 1; }
  echo "serving http://127.0.0.1:$port/"
done
echo "worker and beat running; Ctrl-C stops everything"
wait
