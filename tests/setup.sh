#!/bin/sh
# What the tests need besides Python packages, from Debian's. Where it can't be installed, the tests that need it say so.
set -u
command -v strace >/dev/null && exit 0
command -v apt-get >/dev/null || { echo "strace is not installed; the test that watches syncs is left out" >&2; exit 0; }
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
$as_root apt-get update -qq && $as_root apt-get install -y -qq strace >/dev/null ||
  echo "strace could not be installed; the test that watches syncs is left out" >&2
exit 0
