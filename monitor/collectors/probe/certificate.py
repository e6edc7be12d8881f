"""When a certificate expires, read from its bytes: the standard library tells that only of certificates it trusts."""

from __future__ import annotations

from datetime import UTC, datetime

_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18


def expiry(der: bytes) -> float:
    """`notAfter` of an X.509 certificate in DER, as epoch seconds. Raises ValueError when it can't be read.

    Source: RFC 5280, 4.1: Certificate { tbsCertificate { [0] version, serialNumber, signature, issuer,
    validity { notBefore, notAfter }, … } … }.
    """
    try:
        _, at, _ = _element(der, 0)
        _, at, _ = _element(der, at)
        tag, _, end = _element(der, at)
        for _ in range(3 if tag == _VERSION else 2):
            _, _, end = _element(der, end)
        _, at, _ = _element(der, end)
        _, _, end = _element(der, at)
        tag, start, end = _element(der, end)
    except IndexError:
        raise ValueError("the certificate is cut short") from None
    text = der[start:end].decode("ascii")
    if tag == _UTC_TIME:
        # Two digits of the year: 50 to 99 are of the last century.
        text = ("19" if text >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("the certificate has no time of expiry")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the element at `at`."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(der[start : start + size], "big"), start + size
    if start + length > len(der):
        raise IndexError
    return tag, start, start + length
