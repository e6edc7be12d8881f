"""What a part of the fuzzing found, and whether that is well."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

KEPT = 5
"""Inputs that are kept of each kind of failure."""
FLAT = 32 << 20
"""Bytes by which a reader's memory may differ between its start, once it is warm, and its end."""


@dataclass
class Counts:
    """The account of one part. `aim` is how many inputs it hopes to try in its time."""

    part: str
    aim: int
    tried: int = 0
    accepted: int = 0
    refused: int = 0
    """Inputs that were refused with the documented error."""
    failures: Counter[str] = field(default_factory=Counter)
    """By kind: an exception past the documented error, a hang, an end of the process."""
    memory: tuple[int, int] = (0, 0)
    """Bytes of the reader's memory once it was warm, and at its end; of the child whose memory differed most."""
    seconds: float = 0.0
    kept: list[Path] = field(default_factory=list)

    def fail(self, kind: str, content: bytes, folder: Path, said: str = "") -> None:
        """Count a failure, and keep its input and what was said in `folder`."""
        self.failures[kind] += 1
        if self.failures[kind] <= KEPT:
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{self.part}-{re.sub(r'[^A-Za-z0-9]+', '-', kind)[:80]}-{self.failures[kind]}"
            path = folder / name
            path.write_bytes(content)
            path.with_suffix(".txt").write_text(said or kind, "utf-8", "backslashreplace")
            self.kept.append(path)

    def grew(self, first: int, last: int) -> None:
        """Note the memory of a child, at its start and its end."""
        if last - first >= self.memory[1] - self.memory[0]:
            self.memory = first, last

    @property
    def is_flat(self) -> bool:
        """Whether memory did not grow with the inputs."""
        return self.memory[1] - self.memory[0] <= FLAT

    @property
    def is_well(self) -> bool:
        """Whether nothing failed."""
        return self.tried > 0 and not self.failures and self.is_flat

    @property
    def row(self) -> str:
        """One line of the table."""
        first, last = (size / (1 << 20) for size in self.memory)
        failed = sum(self.failures.values())
        return (
            f"{self.part:<12}{self.tried:>11,}{self.aim:>11,}{self.accepted:>11,}{self.refused:>11,}{failed:>8,}"
            f"{first:>9.0f}{last:>6.0f}{self.seconds:>9.0f}"
        )


HEAD = (
    f"{'part':<12}{'tried':>11}{'aim':>11}{'accepted':>11}{'refused':>11}{'failed':>8}{'MiB from':>9}{'to':>6}"
    f"{'seconds':>9}"
)
