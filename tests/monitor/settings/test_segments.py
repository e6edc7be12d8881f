from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from monitor.settings.model import ModelSettings
from monitor.settings.segments import SegmentSettings
from monitor.worker.messages import ModelOptions, SegmentOptions


def options(*segments: Any) -> tuple[SegmentOptions, ...]:
    return ModelOptions.of(ModelSettings.model_validate({"model": "m", "segments": list(segments)})).segments


def test_a_bare_name_a_feature_and_a_tag() -> None:
    bare, feature, tag = options("origin", {"feature": "carrier", "top": 3}, {"tag": "country", "checks": ["drift"]})
    assert (bare.name, bare.kind, bare.top, bare.min_rows) == ("origin", "", 10, 50)
    assert bare.checks == ("volume", "performance", "drift", "missing")
    assert (feature.name, feature.kind, feature.top) == ("carrier", "feature", 3)
    assert (tag.name, tag.kind, tag.checks) == ("country", "tag", ("drift",))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"feature": "a", "tag": "b"}, "give a name, or exactly one of feature and tag"),
        ({"top": 3}, "give a name, or exactly one of feature and tag"),
        ({"tag": "b", "top": 0}, "greater than or equal to 1"),
        ({"tag": "b", "checks": ["psi"]}, "Input should be 'volume'"),
        ({"tag": "b", "tops": 3}, "Extra inputs are not permitted"),
    ],
)
def test_each_mistake(given: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        SegmentSettings.model_validate(given)


def test_two_dimensions_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="'country' stands twice"):
        options("country", {"tag": "country"})
