"""Writes docs/roles.md: the names by which columns of a reference are known, from the code's own lists.

python -m docs.make.roles
"""

from __future__ import annotations

from pathlib import Path

from checks.data.roles import WHY
from checks.data.usual_names import ANSWERS, ESTIMATES, PREFIXES, PROBABILITY_PREFIXES, PROBABILITY_SUFFIXES, USUAL

OUT = Path(__file__).parents[1] / "roles.md"
HEAD = """# Names of columns

Which column of a reference is the prediction, the score, the target, the time or the id: these names say so. The page
is made by `python -m docs.make.roles`. Case does not matter; blanks, dots, hyphens and camelCase are read as
underscores. The first name that a column has counts, if its values fit. `watchkeeper check-config` and `doctor` say
which columns were found, by what, and which were not, with the line to add; any other name goes into your config:

    schema: {prediction: minutes_estimate, target: minutes}

A feature whose name speaks of a prediction, a score or a target gets a remark there: if live events don't carry it, it
would be missing in all of them. List it under `ignore`, or under `features` if the model takes it as an input.

| role | names, the likeliest first | without one |
| --- | --- | --- |
"""


def text() -> str:
    """The page."""
    rows = [f"| `{role}` | {_listed(names)} | {WHY[role]} |" for role, names in USUAL.items()]
    return HEAD + "\n".join([*rows, "", *_patterns(), ""])


def _patterns() -> list[str]:
    return [
        "## Names that are made of others",
        "",
        f"- Where no column has a usual name, the **prediction** is {_forms(ESTIMATES, 'target')}",
        f"  for a target that is known, or the only column that begins with {_listed(PREFIXES)};",
        f"  the **target** is then {_forms(ANSWERS, 'name')}, if there is one such column.",
        f"- **Probabilities of classes** begin with {_listed(PROBABILITY_PREFIXES)}",
        f"  and go on with the class, or end with {_listed(PROBABILITY_SUFFIXES)} after it. The classes are",
        "  those of target and prediction. Names that begin with `score`, and such endings, count only if each class",
        "  has its column.",
    ]


def _forms(forms: tuple[str, ...], what: str) -> str:
    return _listed(tuple(form.format(f"<{what}>") for form in forms))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    OUT.write_text(text(), "utf-8")
