import pytest

from alerts.state.fingerprint import alert_fingerprint, fingerprint, fnv1a64


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0xCBF29CE484222325), (b"a", 0xAF63DC4C8601EC8C), (b"foobar", 0x85944171F73967E8)],
)
def test_fnv_equals_the_vectors_its_authors_publish(data: bytes, expected: int) -> None:
    assert fnv1a64(data) == expected


def test_no_labels_give_the_offset_basis() -> None:
    assert fingerprint(()) == "cbf29ce484222325"


def test_equals_prometheus_own_test_value() -> None:
    labels = (("name", "garland, briggs"), ("fear", "love is not enough"))
    assert int(fingerprint(labels), 16) == 5799056148416392346


def test_each_name_and_value_ends_with_0xff() -> None:
    assert fingerprint((("b", "2"), ("a", "1"))) == f"{fnv1a64(bytes.fromhex('61ff31ff62ff32ff')):016x}"


def test_an_empty_value_is_no_label_and_order_does_not_matter() -> None:
    assert fingerprint((("a", "1"), ("b", ""))) == fingerprint((("a", "1"),))
    assert fingerprint((("a", "1"), ("b", "2"))) == fingerprint((("b", "2"), ("a", "1")))


def test_an_alert_is_named_by_rule_model_and_labels() -> None:
    own = (("feature", "temp"),)
    full = (("alertname", "drift"), ("feature", "temp"), ("model", "delays"))
    assert alert_fingerprint("drift", "delays", own) == fingerprint(full)
    assert alert_fingerprint("drift", "delays", own) != alert_fingerprint("drift", "fares", own)
