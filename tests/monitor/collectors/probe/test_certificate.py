from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from monitor.collectors.probe.certificate import expiry
from tests.fakes.authority import Authority


@pytest.mark.parametrize(
    "until",
    [
        datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC),
        datetime(2049, 12, 31, tzinfo=UTC),
        datetime(2050, 1, 1, tzinfo=UTC),  # from here on with four digits
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),  # for ever, RFC 5280 4.1.2.5
    ],
)
def test_the_expiry_of_a_certificate(until: datetime, tmp_path: Path) -> None:
    certificate, _ = Authority(tmp_path).certificate("model.example.com", until)
    assert expiry(certificate.public_bytes(Encoding.DER)) == until.timestamp()


def test_what_is_no_certificate_is_an_error_not_a_number(tmp_path: Path) -> None:
    certificate, _ = Authority(tmp_path).certificate("h", datetime(2031, 1, 1, tzinfo=UTC))
    der = certificate.public_bytes(Encoding.DER)
    for damaged in (b"", b"\x30", der[:40], der[:-1], b"\x30\x03abc", b"\xff" * 64):
        with pytest.raises(ValueError, match="certificate"):
            expiry(damaged)
