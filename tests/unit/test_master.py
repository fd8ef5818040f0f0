"""The master key: made once, read again, several of them, and clear words when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import lock
from bridge.errors import Misconfigured
from bridge.master import Master, master

KEY = b"k" * 32


def test_what_is_wrapped_is_unwrapped_in_its_context_alone() -> None:
    keys = Master([KEY])
    wrapped, name = keys.wrap(b"5", b"secret" * 5)
    assert keys.unwrap(b"5", wrapped, name) == b"secret" * 5
    assert keys.unwrap(b"6", wrapped, name) is None
    assert Master([b"o" * 32]).unwrap(b"5", wrapped, name) is None


def test_a_further_key_wraps_and_the_older_one_still_opens() -> None:
    old, new = Master([KEY]), Master([b"n" * 32, KEY])
    wrapped, name = old.wrap(b"5", b"x" * 32)
    assert new.unwrap(b"5", wrapped, name) == b"x" * 32
    assert new.wrap(b"5", b"x" * 32)[1] != name
    assert new.own[1:] == old.own


def test_it_is_made_once_readable_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "master_key"
    first, made = master(path, named=False)
    again, made_again = master(path, named=False)
    assert (made, made_again) == (True, False)
    assert first.names == again.names
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_may_hold_several_the_newest_first(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{'ab' * 32}\n{'cd' * 32}\n")
    assert master(file, named=True)[0].names == (
        *Master([b"\xab" * 32]).names,
        *Master([b"\xcd" * 32]).names,
    )


def test_a_key_stands_beside_a_pepper_that_is_named(tmp_path: Path) -> None:
    data, shared = tmp_path / "data", tmp_path / "shared"
    data.mkdir()
    shared.mkdir()
    assert lock.keyfile("master_key", None, data) == data / "master_key"
    assert lock.keyfile("master_key", shared / "pepper", data) == shared / "master_key"
    (data / "master_key").touch()  # what is there already is not made a second time
    assert lock.keyfile("master_key", shared / "pepper", data) == data / "master_key"
    (shared / "master_key").touch()
    assert lock.keyfile("master_key", shared / "pepper", data) == shared / "master_key"


@pytest.mark.parametrize("written", ["", "not hexadecimal", "ab" * 31, "é"])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, written: str) -> None:
    file = tmp_path / "keys"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(Misconfigured) as no:
        master(file, named=True)
    assert no.value.hint


def test_a_named_file_that_is_not_there_is_never_made(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not exist"):
        master(tmp_path / "gone", named=True)
    assert not (tmp_path / "gone").exists()
