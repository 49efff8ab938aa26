"""Data sets: each says where it is from, and a missing one says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wiseft_tutorial.datafiles import sources
from wiseft_tutorial.datafiles.downloading import Archive
from wiseft_tutorial.datafiles.sources import SOURCES, Source, download, require
from wiseft_tutorial.errors import DataError, DownloadError, MissingFileError, UnknownNameError


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_source_says_where_it_is_from(source: Source) -> None:
    assert source.page.startswith("https://")
    assert source.title
    assert source.size
    assert bool(source.archives) != bool(source.by_hand)
    for archive in source.archives:
        assert re.fullmatch("[0-9a-f]{64}", archive.sha256)
        assert archive.size > 1000
        assert archive.filename


@pytest.mark.parametrize("name", SOURCES)
def test_a_missing_data_set_says_what_to_do(name: str, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError) as caught:
        require(name, folder=tmp_path)
    said = str(caught.value)
    assert SOURCES[name].title in said
    assert SOURCES[name].size in said
    assert str(tmp_path / SOURCES[name].folder) in said
    assert f"`wiseft download {name}`" in said or SOURCES[name].page in said
    assert "WISEFT_DATA" in said
    assert "{" not in said


def test_a_folder_that_lacks_something(tmp_path: Path) -> None:
    (tmp_path / "imagenet" / "train").mkdir(parents=True)
    with pytest.raises(DataError, match=r"is not ImageNet .*: it has no val"):
        require("imagenet", ["train", "val"], folder=tmp_path)
    (tmp_path / "imagenet" / "val").mkdir()
    assert require("imagenet", ["train", "val"], folder=tmp_path) == tmp_path / "imagenet"


def test_what_a_program_cannot_fetch(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"ObjectNet \(192 GB\) cannot .* accept the terms"):
        download("objectnet", folder=tmp_path)


def test_an_unknown_data_set(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"cifar-10.*cifar10"):
        download("cifar-10", folder=tmp_path)


def test_archives_are_unpacked_and_loose_files_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, Path]] = []

    def fetch(archive: Archive, folder: Path, *, progress: bool) -> Path:
        done.append(("fetch", folder))
        return folder / archive.filename

    monkeypatch.setattr(sources, "fetch", fetch)
    monkeypatch.setattr(sources, "unpack", lambda path, folder: done.append((path.name, folder)))
    assert download("cifar10.1", folder=tmp_path) == tmp_path / "CIFAR-10.1"
    assert download("imagenet-a", folder=tmp_path) == tmp_path / "imagenet-a"
    assert download("dtd", folder=tmp_path) == tmp_path / "dtd"
    assert done == [
        ("fetch", tmp_path / "CIFAR-10.1"),
        ("fetch", tmp_path / "CIFAR-10.1"),
        ("fetch", tmp_path / "downloads"),
        ("imagenet-a.tar", tmp_path),
        ("fetch", tmp_path / "downloads"),
        ("dtd-r1.0.1.tar.gz", tmp_path / "dtd"),
    ]
