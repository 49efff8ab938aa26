"""A sweep that is written is the sweep that is read, and nothing else is read as one."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from wiseft_tutorial.errors import CheckpointError, DataError, MissingFileError
from wiseft_tutorial.records import load_sweep, save_sweep


def sweep() -> pd.DataFrame:
    rows = [
        (alpha, name, kind, 0.1 + alpha / 3, 0.0, 0.9, 20)
        for alpha in (0.0, 0.5, 1.0)
        for name, kind in (("photos", "reference"), ("prints", "shift"))
    ]
    columns = ["alpha", "distribution", "kind", "accuracy", "low", "high", "n"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.attrs = {"benchmark": "tiny", "model": "pocket-clip", "space": "weights"}
    return frame


def test_a_sweep_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    path = save_sweep(sweep(), tmp_path / "new" / "sweep.jsonl")
    again = load_sweep(path)
    pd.testing.assert_frame_equal(again, sweep(), check_exact=True)
    assert again.attrs == sweep().attrs


def test_every_line_says_all_that_is_known(tmp_path: Path) -> None:
    lines = save_sweep(sweep(), tmp_path / "sweep.jsonl").read_text().splitlines()
    assert len(lines) == 6
    assert json.loads(lines[3]) == {
        **sweep().attrs,
        **dict(sweep().iloc[3].items()),
    }


def test_what_is_no_sweep_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column alpha, low"):
        save_sweep(sweep().drop(columns=["alpha", "low"]), tmp_path / "sweep.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{}\n", "no json", "[1, 2]\n", '{"alpha": 0.5}\n', "3\n"])
def test_what_is_no_sweep_is_not_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.jsonl").write_text(content)
    with pytest.raises(CheckpointError, match=r"x\.jsonl' is no sweep"):
        load_sweep(tmp_path / "x.jsonl")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"x\.jsonl"):
        load_sweep(tmp_path / "x.jsonl")
