import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.secret_file import MOST, Secret, SecretFileError, read_secret


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("old-token\n")
    return path


def test_a_secret_is_read_again_where_its_file_was_written_anew(file: Path) -> None:
    secret = Secret(SecretStr("old-token"), file)
    assert (secret.text, secret.read_again()) == ("old-token", False)
    file.write_text("new-token\n")
    assert secret.read_again()
    assert (secret.text, secret.read_again()) == ("new-token", False)


def test_a_secret_is_read_again_where_a_link_leads_elsewhere_as_in_kubernetes(tmp_path: Path) -> None:
    for name in ("..one", "..two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(name)
    data = tmp_path / "..data"
    data.symlink_to("..one")
    secret = Secret(read_secret(data / "token"), data / "token")
    (tmp_path / "next").symlink_to("..two")
    (tmp_path / "next").replace(data)
    assert secret.read_again()
    assert secret.text == "..two"


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.write_text(" \n"), lambda path: path.write_bytes(b"\xff")]
)
def test_a_file_that_can_not_be_read_leaves_the_old_secret(file: Path, spoil: object) -> None:
    secret = Secret("old-token", file)
    spoil(file)  # type: ignore[operator]
    assert not secret.read_again()
    assert secret.text == "old-token"


def test_a_secret_without_a_file_stays_and_none_shows() -> None:
    secret = Secret(SecretStr("xoxb-given"))
    assert not secret.read_again()
    assert "xoxb" not in repr(secret) + str(secret)
    assert Secret(None).text == ""


def test_what_is_no_secrets_file_is_refused_by_name_and_without_waiting(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.write_bytes(b"x" * (MOST + 1))
    for path, said in (
        (pipe, "is no regular file"),
        (large, "larger than 64 KiB"),
        (tmp_path, "Is a directory"),
        (Path("/dev/zero"), "is no regular file"),
        (tmp_path / "nothing", "can't be read: No such file"),
        (Path("a\0b"), "this is no path"),
    ):
        with pytest.raises(SecretFileError, match=said):
            read_secret(path)


def test_the_newest_secret_is_the_files_although_nobody_was_refused(file: Path) -> None:
    secret = Secret("old-token", file)
    assert secret.newest == "old-token"
    file.with_name("other").write_text("new-token")
    file.with_name("other").replace(file)
    assert secret.newest == "new-token"
    file.unlink()
    assert (secret.newest, Secret("given").newest, Secret(None).newest) == ("new-token", "given", "")
