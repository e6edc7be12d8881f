import gzip

import pytest

from monitor.ingest.body import inflate
from monitor.ingest.rejection import Malformed, TooLarge


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_plain(encoding: str) -> None:
    assert inflate(b"[]", encoding, 10) == b"[]"
    with pytest.raises(TooLarge, match="10 bytes"):
        inflate(b"x" * 11, encoding, 10)


def test_gzip() -> None:
    assert inflate(gzip.compress(b"[1, 2]"), "gzip", 10) == b"[1, 2]"


def test_a_gzip_bomb_is_not_inflated_beyond_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)

    with pytest.raises(TooLarge):
        inflate(bomb, "gzip", 1000)


@pytest.mark.parametrize("body", [b"[]", b"", gzip.compress(b"[1, 2, 3]", mtime=0)[:-9]])
def test_what_only_claims_to_be_gzip(body: bytes) -> None:
    with pytest.raises(Malformed, match="gzip"):
        inflate(body, "gzip", 1000)


def test_an_encoding_nobody_knows() -> None:
    with pytest.raises(Malformed, match="'br' is not supported"):
        inflate(b"", "br", 1000)
