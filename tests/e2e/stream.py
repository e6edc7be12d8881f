"""A small model's reference and stream, the same at every call: hourly windows with a fault in the middle."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any, Literal

START = 1_767_225_600.0  # 2026-01-01T00:00Z
HOUR = 3600.0
Batch = tuple[Literal["predictions", "labels"], list[dict[str, Any]]]


def _row(rng: random.Random) -> dict[str, Any]:
    distance, colour = rng.gauss(1000.0, 250.0), rng.choices("rgb", [5, 3, 2])[0]
    late = rng.random() < (0.75 if distance > 1000 else 0.2)
    score = 0.75 if distance > 1000 else 0.2
    return {"distance": distance, "colour": colour, "late": late, "score": score}


def write_reference(path: Path, rows: int = 6000) -> None:
    rng = random.Random(1)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["time", "distance", "colour", "target", "prediction", "score"])
        for index in range(rows):
            row = _row(rng)
            time = START - 30 * HOUR + index * 30 * HOUR / rows
            out.writerow(
                [time, row["distance"], row["colour"], int(row["late"]), int(row["score"] > 0.5), row["score"]]
            )


def batches(hours: int = 20, rows: int = 120, fault: range = range(8, 12)) -> list[Batch]:
    """Predictions in event time, labels two hours later; some rows late, doubled, never labelled or labelled twice."""
    rng = random.Random(2)
    out: list[Batch] = []
    owed: list[tuple[int, dict[str, Any]]] = []
    for hour in range(hours):
        sent: list[dict[str, Any]] = []
        for index in range(rows):
            row = _row(rng)
            time = START + hour * HOUR + index * HOUR / rows
            features = {"distance": row["distance"] * (1.6 if hour in fault else 1.0), "colour": row["colour"]}
            if hour in fault and index % 2:
                features["colour"] = None
            sent.append(
                {
                    "id": f"{hour}-{index}",
                    "time": time,
                    "features": features,
                    "prediction": int(row["score"] > 0.5),
                    "probabilities": row["score"],
                    "tags": {"shop": "abc"[index % 3]},
                }
            )
            if rng.random() < 0.97:
                owed.append((hour + 2, {"id": f"{hour}-{index}", "label": int(row["late"]), "time": time + 2 * HOUR}))
        if hour == 5:
            late = [dict(row, id=f"late-{row['id']}", time=row["time"] - 3 * HOUR) for row in sent[:10]]
            out.append(("predictions", late))
        out.extend(("predictions", sent[at : at + 40]) for at in range(0, rows, 40))
        if hour == 6:
            out.append(("predictions", sent[:15]))
        due = [label for when, label in owed if when == hour]
        if due:
            out.append(("labels", due))
        if hour == 9:
            out.append(("labels", [dict(label, label=1 - label["label"]) for label in due[:20]]))
    return out
