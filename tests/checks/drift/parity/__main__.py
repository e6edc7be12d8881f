"""Ask the peers anew and keep what they answer (`make parity`)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from checks.drift.presets.compare import METHODS
from tests.checks.drift.parity.answers import FOLDER, differences, load, save
from tests.checks.drift.parity.running import environment, run


def main() -> None:
    for peer in METHODS:
        python = environment(peer)
        if isinstance(python, str):
            raise SystemExit(f"{peer}: {python}")
        with tempfile.TemporaryDirectory() as folder:
            found = run(peer, python, Path(folder))
        try:
            changed = differences(load(peer), found)
        except (LookupError, FileNotFoundError) as reason:
            changed = str(reason)
        if changed:
            save(peer, found)
            print(f"{FOLDER / peer}.json was written anew: {changed}")
        else:
            print(f"{peer} answers as it did")


if __name__ == "__main__":
    main()
