"""Folders: the reader's choice, or this platform's usual place."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiseft_tutorial import places
from wiseft_tutorial.places import cache_folder, data_folder


def test_the_folder_is_the_readers_to_choose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@pytest.mark.parametrize(
    ("platform", "variable", "end"),
    [
        ("linux", "XDG_CACHE_HOME", "wiseft_tutorial"),
        ("win32", "LOCALAPPDATA", "wiseft_tutorial"),
        ("darwin", "HOME", "Library/Caches/wiseft_tutorial"),
    ],
)
def test_each_platform_has_its_usual_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str, end: str
) -> None:
    monkeypatch.delenv("WISEFT_CACHE", raising=False)
    monkeypatch.setattr(places.sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder() == tmp_path / end


def test_data_are_in_the_cache_unless_the_reader_says_where(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path))
    monkeypatch.delenv("WISEFT_DATA", raising=False)
    assert data_folder() == tmp_path / "data"
    monkeypatch.setenv("WISEFT_DATA", "~/sets")
    assert data_folder() == Path.home() / "sets"
