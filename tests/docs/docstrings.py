"""Rules for the first sentence of a docstring, and the list of those that break them.

`python -m tests.docs.docstrings` takes out of the list what keeps the rules by now.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PRODUCT = ("alerts", "checks", "client", "monitor")
LISTED = Path(__file__).parent / "docstring_offenders.txt"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VERBS = _words(
    """
    Accept Acknowledge Acquire Activate Add Adjust Align Allow Announce Answer Append Apply Ask Assign Attach
    Begin Bind Block Bring Build Calculate Calibrate Call Cancel Change Check Choose Claim Clean Clear Close
    Collect Combine Commit Compact Compare Complete Compute Configure Connect Consume Convert Copy Count Create
    Cut Deactivate Decide Decode Delete Deliver Describe Detach Detect Determine Disable Discard Display Divide
    Do Draw Drop Enable Encode End Enqueue Ensure Enter Escape Estimate Evaluate Examine Execute Expand Expire
    Explain Export Extend Extract Fail Fetch Fill Filter Find Finish Fit Flush Follow Forget Format Freeze
    Gather Generate Get Give Group Guard Handle Hash Have Hide Hold Identify Ignore Import Increase Index Infer
    Initialize Insert Interrupt Join Judge Keep Leave Let Limit Link List Listen Load Locate Lock Log Look Make
    Map Mark Match Measure Merge Migrate Move Name Normalize Note Notice Notify Number Observe Open Order Owe Parse
    Pass Pick Place Plan Play Poll Post Prepare Print Process Produce Profile Prune Publish Push Put Quote Raise
    Read Rebuild Receive Recommend Record Reduce Refresh Refuse Register Reject Release Reload Remember Remove
    Rename Render Renew Repeat Replace Reply Report Request Require Rescale Reset Resolve Restart Restore Resume
    Retry Return Revise Roll Round Route Run Sample Save Say Scale Scan Schedule Scrape Search See Select Send
    Serve Set Show Shut Sign Silence Skip Sort Split Start Step Stop Store Submit Subtract Suggest Sum Suppress
    Swap Switch Sync Take Test Tighten Time Track Train Transform Translate Trim Try Turn Undo Update Upgrade
    Upload Use Validate Verify Wait Walk Warn Watch Wrap Write Yield
    """
)
"""What a function's docstring may begin with."""
ALSO_NOUNS = _words(
    """
    Answer Block Call Change Check Close Count Cut Display Draw End Estimate Export Filter Fit Format Group Hold
    Import Increase Index Judge Limit Link List Lock Log Look Map Mark Match Measure Merge Name Note Number
    Order Place Plan Play Poll Post Print Process Profile Record Release Reply Report Request Return Roll Round
    Route Run Sample Scale Schedule Search Set Show Sign Silence Sort Split Start Step Stop Sum Switch Test Time
    Track Transform Turn Use Wait Walk Watch
    """
)
"""Those of VERBS that may be a noun at the beginning of a class's docstring: 'Counts over the last axis'."""
FRAGMENTS = _words(
    """
    After Also And As At Because Before Below Besides Between But By Does During Each Everything For From Has
    How If In Into Is It Its Like More Moreover Nor Not Of On Or Over She So Something Than That Their Them Then
    There These They This Those Though Through To Under Unless Until Was What When Where Whether Which While Who
    Whom Whose Why With Within Without
    """
)
"""What goes on from the name above it, or leads nowhere without it."""
TURNS = ("such as that", "without a word", "is told", "are told", "be told", "was told")
"""Turns that a reader whose third language this is stumbles over."""


def problem(docstring: str, kind: str) -> str | None:
    """Return what is wrong with a docstring of a 'function', 'property' or 'class', if anything is."""
    words = docstring.split()
    first, second = words[0].rstrip(",;:.") if words else "", words[1] if len(words) > 1 else ""
    text = " ".join(words).lower()
    if turn := next((turn for turn in TURNS if turn in text), None):
        return f"say it plainly instead of {turn!r} ('notify', 'report', 'describe', 'show')"
    if first in VERBS and second != "of":
        return None
    if kind == "function":
        return f"begin with a verb, 'Return …' or 'Read …', instead of {first!r}; a new verb goes into VERBS"
    if first in FRAGMENTS:
        return f"begin with a noun that stands alone, 'A receiver that …', instead of {first!r}"
    if first.removesuffix("s") in VERBS - ALSO_NOUNS and first not in VERBS:
        return f"begin with what it is, 'A thread that …', instead of {first!r}"
    return None


def offenders() -> dict[str, str]:
    """Return what is wrong by qualified name, of all public classes, functions and methods of the product."""
    found = {}
    for top in PRODUCT:
        for path in sorted((ROOT / top).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for name, docstring, kind in _public(ast.parse(path.read_text("utf-8")), module):
                if wrong := problem(docstring, kind):
                    found[name] = wrong
    return found


def listed() -> list[str]:
    """Return the names that may break the rules until somebody writes their docstrings anew."""
    return LISTED.read_text("utf-8").split()


def _public(node: ast.Module | ast.ClassDef, name: str) -> Iterator[tuple[str, str, str]]:
    for item in node.body:
        if isinstance(item, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not item.name.startswith("_"):
            own = f"{name}.{item.name}"
            if docstring := ast.get_docstring(item):
                yield own, docstring, _kind(item)
            if isinstance(item, ast.ClassDef):
                yield from _public(item, own)


def _kind(item: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    if isinstance(item, ast.ClassDef):
        return "class"
    return "property" if any("property" in ast.unparse(mark) for mark in item.decorator_list) else "function"


if __name__ == "__main__":
    LISTED.write_text("".join(f"{name}\n" for name in sorted(set(listed()) & offenders().keys())), "utf-8")
