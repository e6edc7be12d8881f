"""Attacks a real daemon, without and with a token, and says what it held in memory and how long honest clients waited.

python -m tests.hostile [--seconds 60] [--attacks long_header forms …]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.settings.root import LimitSettings
from tests.e2e.process import Daemon
from tests.hostile.honest import TOKEN, Seen, watch

MIB = 1 << 20
WITHOUT_TOKEN = [
    ("long_header", "many_headers"),
    ("half_open", "slow_heads"),
    ("idle",),
    ("forms",),
    ("bodies",),
    ("unread",),
]
"""Attacks that run side by side."""
WITH_TOKEN = [("bodies",), ("large",)]
RSS_WITHOUT_TOKEN = 110_000_000
P99_SECONDS = 0.5
CONFIG = f"""
model: delays
tokens: {{ingest: {TOKEN}, admin: honest-admin-token-1}}
collect: {{host: false, gpu: false, container: false}}
console: false
"""


def bound_with_token(limits: LimitSettings) -> int:
    """What the daemon may hold while senders that have the token send as much as they can (docs/security.md)."""
    return RSS_WITHOUT_TOKEN + 2 * limits.queue_bytes + 12 * limits.body_bytes


@contextmanager
def attacked(daemon: Daemon, names: tuple[str, ...], seconds: float, token: str = "") -> Iterator[None]:
    """Run attacks in processes of their own."""
    command = [sys.executable, "-m", "tests.hostile.attacks"]
    running = [
        subprocess.Popen([*command, name, str(daemon.port), str(seconds), *([token] if token else [])])
        for name in names
    ]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def play(daemon: Daemon, names: tuple[str, ...], seconds: float, token: str = "") -> Seen:
    """Attack for so long, and measure meanwhile."""
    with attacked(daemon, names, seconds + 5.0, token):
        return watch(daemon.port, daemon.pid, seconds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each attack (60)")
    parser.add_argument("--attacks", nargs="+", default=None, help="those alone")
    options = parser.parse_args()
    failed = False
    for token, groups in (("", WITHOUT_TOKEN), (TOKEN, WITH_TOKEN)):
        bound = bound_with_token(LimitSettings()) if token else RSS_WITHOUT_TOKEN
        for names in groups:
            if options.attacks and not set(names) & set(options.attacks):
                continue
            with tempfile.TemporaryDirectory() as folder, Daemon(Path(folder) / "w", CONFIG) as daemon:
                seen = play(daemon, names, options.seconds, token)
            slow = not token and (seen.p99 > P99_SECONDS or bool(seen.wrong))
            failed |= slow or seen.most_bytes > bound
            print(
                f"{'with' if token else 'without'} a token, {' and '.join(names)}: {seen.most_bytes / 1e6:.0f} MB "
                f"(bound {bound / 1e6:.0f}), p99 {seen.p99 * 1000:.0f} ms of {len(seen.waits)}, "
                f"refused {len(seen.wrong)} {seen.wrong[:2]}",
                flush=True,
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
