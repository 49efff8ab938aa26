"""Pickles of data are read, and pickles that would run something are not."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from wiseft_tutorial.datafiles.unpickling import unpickle_data
from wiseft_tutorial.errors import CheckpointError

DATA = {b"data": np.arange(12, dtype=np.uint8).reshape(3, 4), b"labels": [1, 2, 3], b"x": "text"}


class Harmful:
    """Creates a folder when it is unpickled by pickle itself."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_containers_come_back(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "batch").write_bytes(pickle.dumps(DATA, protocol))
    found = unpickle_data(tmp_path / "batch")
    assert np.array_equal(found.pop(b"data"), DATA[b"data"])
    assert found == {b"labels": [1, 2, 3], b"x": "text"}


def test_nothing_is_run(tmp_path: Path) -> None:
    batch = pickle.dumps({b"data": Harmful(tmp_path / "made")}, 2)
    (tmp_path / "batch").write_bytes(batch)
    with pytest.raises(CheckpointError, match="mkdir, which is no data"):
        unpickle_data(tmp_path / "batch")
    assert not (tmp_path / "made").exists()
    pickle.loads(batch)  # an ordinary unpickler does run it
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(DATA, 2)[:60]])
def test_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"batch' cannot be read .* fetch it again"):
        unpickle_data(tmp_path / "batch")
