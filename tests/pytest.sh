#!/bin/sh
# Run pytest with its temporary files in memory where there is room: SQLite waits for the disk at each of the thousands
# of commits that the tests make.
set -u
python=$1
shift
room=$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)
if [ -w /dev/shm ] && [ "${room:-0}" -gt 4000000 ]; then
  TMPDIR=$(mktemp -d /dev/shm/watchkeeper-tests.XXXXXX)
  chmod 755 "$TMPDIR" # some tests run a part of themselves as another user
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
  trap 'exit 130' INT TERM
fi
"$python" -m pytest "$@"
