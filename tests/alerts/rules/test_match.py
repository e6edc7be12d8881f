from __future__ import annotations

import pytest

from alerts.rules.match import matched


@pytest.mark.parametrize(
    ("match", "labels", "expected"),
    [
        ({}, {"segment": "a=b"}, True),
        ({"segment": "a=b"}, {"segment": "a=b", "metric": "f1"}, True),
        ({"segment": "a=b"}, {"segment": "a=c"}, False),
        ({"segment": "a=b"}, {}, False),
        ({"segment": "*"}, {"segment": "a=b"}, True),
        ({"segment": "*"}, {}, False),
        ({"segment": ""}, {}, True),
        ({"segment": ""}, {"segment": "a=b"}, False),
        ({"metric": "f1", "segment": ""}, {"metric": "mae"}, False),
    ],
)
def test_any_value_no_value_and_one_value(match: dict[str, str], labels: dict[str, str], expected: bool) -> None:
    assert matched(match, labels) is expected
