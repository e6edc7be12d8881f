#!/bin/sh
# What the tests need besides Python packages, from Debian's. Where it can't be installed, the tests that need it say so.
set -u
missing=""
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need strace strace
need prometheus prometheus
need promtool prometheus
need prometheus-alertmanager prometheus-alertmanager
need chromium chromium
need gcc "gcc libc6-dev"
need openssl openssl
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "not installed:$missing; the tests that need them are left out, or fail where CI is set" >&2; exit 0; }
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
# The packages' own services are not wanted: the tests start their own on free ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap '$as_root rm -f $policy' EXIT
  trap 'exit 130' INT TERM
  printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null && $as_root chmod +x $policy
fi
# shellcheck disable=SC2086
{ $as_root apt-get update -qq &&
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; } ||
  echo "could not be installed:$missing; the tests that need them are left out, or fail where CI is set" >&2
exit 0
