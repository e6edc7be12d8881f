"""A docstring's first sentence stands alone: a verb and its object for a function, a noun for a class or a property."""

from __future__ import annotations

import pytest

from tests.docs import docstrings


def test_no_new_docstring_breaks_the_rules() -> None:
    allowed = set(docstrings.listed())
    new = [f"{name}: {wrong}" for name, wrong in docstrings.offenders().items() if name not in allowed]
    assert not new, "\n".join(new)


def test_the_list_of_those_that_break_them_only_shrinks() -> None:
    names = docstrings.listed()
    assert names == sorted(set(names)), "keep the list sorted, a name a line"
    well = sorted(set(names) - docstrings.offenders().keys())
    assert not well, f"these keep the rules by now (or are gone); run: python -m tests.docs.docstrings\n{well}"


@pytest.mark.parametrize("text", ["Return the bounds.", "Read the file; return its lines.", "Show what was\nuploaded."])
def test_a_verb_in_the_imperative_begins_a_function(text: str) -> None:
    assert docstrings.problem(text, "function") is None


@pytest.mark.parametrize(
    "text",
    [
        "Of one model.",
        "Those of one window, and the range of all values in.",
        "Nor does it.",
        "Not where Alertmanager routes to Slack.",
        "It at rest.",
        "Whether the queue is empty.",
        "What the file says.",
        "Returns the bounds.",
        "The bounds.",
        "Start of the bucket.",
        ">>> bounds()",
        "Return what a receiver is told.",
        "Skip the alert without a word.",
        "Return units such as that of bytes.",
    ],
)
def test_a_fragment_a_third_person_and_an_archaic_turn_are_refused(text: str) -> None:
    assert docstrings.problem(text, "function")


@pytest.mark.parametrize(
    ("text", "well"),
    [
        ("A receiver of notifications.", True),
        ("One row of the outbox.", True),
        ("Counts over the last axis.", True),
        ("What a rule says.", False),
        ("Of one member.", False),
        ("Writes lines to a text stream.", False),
        ("A receiver that is told of ends.", False),
    ],
)
@pytest.mark.parametrize("kind", ["class", "property"])
def test_a_noun_begins_a_class_and_a_property(text: str, well: bool, kind: str) -> None:
    assert (docstrings.problem(text, kind) is None) == well
