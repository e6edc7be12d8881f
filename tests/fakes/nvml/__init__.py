"""A stand-in for NVIDIA's library, compiled here, so that pynvml itself runs. There is no GPU to test with: what a real
driver does beyond its documented answers is not covered."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.needs import program

VARIABLE = "FAKE_NVML"
GIB = 1 << 30


def build(folder: Path, release: int = 1) -> Path:
    """Compiles the library of this release into `folder`; returns its path. One that is in use there stays as it is."""
    library = folder / "libnvidia-ml.so.1"
    library.unlink(missing_ok=True)
    source = Path(__file__).with_name("nvml.c")
    gcc = [program("gcc", "gcc"), "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f"-DRELEASE={release}"]
    subprocess.run([*gcc, "-Wl,-soname,libnvidia-ml.so.1", "-o", library, source], check=True)
    return library


class Gpus:
    """What the stand-in says: `count` GPUs that are well, until told otherwise."""

    def __init__(self, path: Path, count: int = 1) -> None:
        self.path = path
        self._values: dict[str, object] = {"count": count, "generation": 1}
        for gpu in range(count):
            self._values |= {
                f"{gpu}.{name}": value
                for name, value in {
                    "utilization": 37,
                    "memory_total": 16 * GIB,
                    "memory_used": 4 * GIB,
                    "temperature": 61,
                    "slowdown": 90,
                    "power": 150_250,
                    "power_limit": 300_000,
                    "energy": 5_000_000,
                    "clock0": 1400,
                    "clock1": 1410,
                    "clock2": 5000,
                    "clock3": 1200,
                    "reasons": 1,
                    "ecc0": 3,
                    "ecc1": 0,
                    "pcie0": 100,
                    "pcie1": 200,
                    "mig": 0,
                }.items()
            }
        self.set()

    def set(self, **values: object) -> None:
        """Changes values; None takes one away. `_` in front of a digit's key is left out: _0__power is 0.power."""
        self.put({name.removeprefix("_").replace("__", "."): value for name, value in values.items()})

    def put(self, values: dict[str, object]) -> None:
        for name, value in values.items():
            if value is None:
                self._values.pop(name, None)
            else:
                self._values[name] = value
        # In one step: the library reads while this is written.
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(f"{name}={value}\n" for name, value in self._values.items()))
        fresh.replace(self.path)
