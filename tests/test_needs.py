from __future__ import annotations

import pytest

from tests.needs import program


def test_what_is_missing_leaves_a_test_out_and_fails_it_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    said = r"no-such-program is not installed \(Debian's package none; tests/setup.sh installs it\)"
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=said):
        program("no-such-program", "none")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=said):
        program("no-such-program", "none")
    assert program("sh", "dash").endswith("/sh")
