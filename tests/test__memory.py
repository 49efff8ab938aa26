"""Freed memory leaves the process."""

import platform
import re
from pathlib import Path

import pytest

from wiseft_tutorial._memory import release


def resident() -> int:
    """Bytes of the process in memory."""
    (kilobytes,) = re.findall(r"^VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    return 1024 * int(kilobytes)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's own function is tested")
def test_pieces_between_what_is_still_in_use_are_returned() -> None:
    blocks = [bytearray(60_000) for _ in range(3000)]
    in_use = blocks[::50]
    del blocks
    kept = resident()
    release()
    assert kept - resident() > 100_000_000
    assert all(len(block) == 60_000 for block in in_use)


def test_it_is_harmless_where_the_library_has_no_such_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    release()
