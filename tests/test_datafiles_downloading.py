"""Downloads against a server of our own: broken off, continued, damaged, and never half there."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from wiseft_tutorial.datafiles import downloading
from wiseft_tutorial.datafiles.downloading import Archive, fetch, unpack
from wiseft_tutorial.errors import DownloadError

CONTENT = bytes(range(256)) * 2000
QUIET = {"progress": False}


class Server(BaseHTTPRequestHandler):
    """Serves one file; can break off, or ignore that only the rest was asked for."""

    breaks_after: int | None = None
    knows_ranges = True
    asked: list[str | None]

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        type(self).asked.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if not self.knows_ranges:
            start = 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : self.breaks_after])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[type[Server]]:
    handler = type("Handler", (Server,), {"asked": []})
    httpd = HTTPServer(("127.0.0.1", 0), handler)
    handler.url = f"http://127.0.0.1:{httpd.server_port}/data.bin?raw=true"  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield handler
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def archive(server: type[Server], **changes: object) -> Archive:
    facts = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "size": len(CONTENT)} | changes
    return Archive(server.url, **facts)  # type: ignore[attr-defined, arg-type]


def test_a_file_arrives_whole_and_is_not_fetched_twice(
    server: type[Server], tmp_path: Path
) -> None:
    path = fetch(archive(server), tmp_path / "new", **QUIET)
    assert path == tmp_path / "new" / "data.bin"
    assert path.read_bytes() == CONTENT
    assert fetch(archive(server), tmp_path / "new", **QUIET) == path
    assert server.asked == [None]
    assert [file.name for file in path.parent.iterdir()] == ["data.bin"]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_goes_on(
    server: type[Server], tmp_path: Path, knows_ranges: bool
) -> None:
    server.breaks_after, server.knows_ranges = 300_000, knows_ranges
    with pytest.raises(DownloadError, match=r"ended after 300 kB of 512 kB.*goes on from there"):
        fetch(archive(server), tmp_path, **QUIET)
    assert (tmp_path / ".data.bin.part").read_bytes() == CONTENT[:300_000]
    assert not (tmp_path / "data.bin").exists()
    server.breaks_after = None
    assert fetch(archive(server), tmp_path, **QUIET).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_another_file_than_the_one_we_know_is_refused(server: type[Server], tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="not the file that this package knows"):
        fetch(archive(server, sha256="0" * 64), tmp_path, **QUIET)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_fetched_again(server: type[Server], tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"x" * len(CONTENT))
    assert fetch(archive(server), tmp_path, **QUIET).read_bytes() == CONTENT


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    nowhere = Archive("http://127.0.0.1:9/x.tar", "0" * 64, 10)
    with pytest.raises(DownloadError, match="cannot be read"):
        fetch(nowhere, tmp_path, **QUIET)


def test_too_little_room(
    server: type[Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = downloading.shutil._ntuple_diskusage(10, 10, 5)
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DownloadError, match=re.escape("needs 512 kB and")):
        fetch(archive(server), tmp_path, **QUIET)
    assert server.asked == []


def tar_of(files: dict[str, bytes], path: Path) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return path


def zip_of(files: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


@pytest.mark.parametrize("pack", [tar_of, zip_of])
def test_archives_are_unpacked_beside_what_is_there(pack: partial[Path], tmp_path: Path) -> None:
    place = tmp_path / "data"
    (place / "set").mkdir(parents=True)
    (place / "set" / "mine").write_text("kept")
    (place / "set" / "a").write_text("old")
    unpack(pack({"set/a": b"new", "set/b/c": b"C"}, tmp_path / "packed"), place)
    assert (place / "set" / "a").read_text() == "new"
    assert (place / "set" / "b" / "c").read_text() == "C"
    assert (place / "set" / "mine").read_text() == "kept"
    assert [path.name for path in place.iterdir()] == ["set"]


def test_an_archive_cannot_write_elsewhere(tmp_path: Path) -> None:
    bad = tar_of({"../outside": b"x"}, tmp_path / "bad.tar.gz")
    with pytest.raises(DownloadError, match="cannot be unpacked"):
        unpack(bad, tmp_path / "data")
    assert not (tmp_path / "outside").exists()


def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    whole = tar_of({"set/a": b"a" * 100_000, "set/b": bytes(range(256)) * 900}, tmp_path / "x.tgz")
    (tmp_path / "cut.tgz").write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(DownloadError, match="cannot be unpacked"):
        unpack(tmp_path / "cut.tgz", tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []
