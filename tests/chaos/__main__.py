"""Kills a real daemon at random, over and over, while Slack, Alertmanager and the database fail around it; says at the
end what was lost (exit status 1) and what was told twice."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.rounds import Round, play

ROUNDS = {"history can be read": True, "it can't be read": False}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how often the daemon is killed (100)")
    parser.add_argument("--seed", type=int, default=None, help="as an earlier run printed it; else another each time")
    parser.add_argument(
        "--keep", type=Path, default=None, help="a new folder for databases and logs; else a temporary one"
    )
    options = parser.parse_args()
    seed = random.randrange(1 << 16) if options.seed is None else options.seed
    print(f"seed {seed}, {options.kills} kills", flush=True)
    with tempfile.TemporaryDirectory(prefix="watchkeeper-chaos-") as temporary:
        folder = options.keep or Path(temporary)
        rounds: dict[str, Round] = {}
        for number, (name, sees) in enumerate(ROUNDS.items()):
            kills = options.kills // 2 + (options.kills % 2 if number == 0 else 0)
            rounds[name] = play(folder / f"round-{number}", kills, seed + 10 * number, sees=sees)
            print(f"{name}: {rounds[name].seconds:.0f} s", flush=True)
    return report(rounds)


def report(rounds: dict[str, Round]) -> int:
    """Prints the table; returns the exit status."""
    print()
    print(
        f"{'':<22}{'kills':>8}{'faults':>8}{'incidents':>11}{'messages':>10}{'lost':>6}{'twice':>7}{'most':>6}{'outside':>9}"
    )
    for name, made in rounds.items():
        found, faults = made.account, sum(made.faults.values())
        lost = len(found.lost) + made.unnoticed
        print(
            f"{name:<22}{made.kills:>8}{faults:>8}{found.incidents:>11}{found.messages:>10}{lost:>6}{found.twice:>7}"
            f"{found.most:>6}{found.outside:>9}"
        )
    print(
        "\ntwice: messages and replies that say what another says; most: of one of them; "
        "outside: without a send that was cut off"
    )
    print("Alertmanager: " + "; ".join(f"{made.pages} told, {len(made.hanging)} not ended" for made in rounds.values()))
    faults: Counter[str] = sum((made.faults for made in rounds.values()), Counter())
    print(", ".join(f"{kind} ×{count}" for kind, count in sorted(faults.items())))
    problems = [line for made in rounds.values() for line in (*made.account.lost, *made.hanging)]
    if any(made.unnoticed for made in rounds.values()):
        problems.append(f"{sum(made.unnoticed for made in rounds.values())} faults of the server were not noticed")
    again = sum(made.account.twice for name, made in rounds.items() if ROUNDS[name])
    if again:
        problems.append(f"{again} told twice although the history could be read")
    if any(made.account.outside for made in rounds.values()):
        problems.append("something was told twice although every send of it had an answer")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
