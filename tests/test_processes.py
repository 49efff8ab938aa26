"""Two processes with half of every batch each do what one does with the whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file
from torch import Tensor

SCRIPT = """
import sys

import tiny
import torch

import wiseft_tutorial as wt
from wiseft_tutorial.processes import first, together

torch.set_num_threads(1)
with together():
    bench = tiny.benchmark(train=26)  # the last batch has two images, and then one part of none
    how = {"epochs": 2, "lr": 1e-3, "batch_size": 8, "warmup_steps": 1, "precision": "float32"}
    for name, changes in {
        "plain": {},
        "sgd": {"optimiser": "sgd", "lr": 0.01},
        "held": {"l2_to_init": 0.1, "distillation": 0.5, "label_smoothing": 0.1},
        "head": {"method": "lc", "crop_scale": None},
        "uneven": {"batch_size": 25, "optimiser": "sgd", "lr": 0.01},
    }.items():
        recipe = wt.Recipe(**{**how, **changes})
        tuned = wt.finetune(
            tiny.zeroshot(), bench, recipe, device="cpu", cache=sys.argv[1], progress=False
        )
        if first():
            tuned.save(f"{sys.argv[2]}/{name}.safetensors")
            tuned.history.drop(columns="seconds").to_csv(f"{sys.argv[2]}/{name}.csv", index=False)
"""


def run(folder: Path, *starter: str) -> None:
    for name in ("cache", "out"):
        (folder / name).mkdir(parents=True)
    script = folder / "script.py"
    script.write_text(SCRIPT)
    here = Path(__file__).parent
    subprocess.run(
        [sys.executable, *starter, script, folder / "cache", folder / "out"],
        check=True,
        env={
            "PYTHONPATH": f"{here}:{here.parent}",
            "PATH": "/usr/bin:/bin",
            "OMP_NUM_THREADS": "1",
        },
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    one, two = (tmp_path_factory.mktemp(name) for name in ("one", "two"))
    run(one)
    run(two, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    return one, two


def ends(results: tuple[Path, Path], name: str) -> Iterator[tuple[str, Tensor, Tensor]]:
    alone, together = (load_file(folder / "out" / f"{name}.safetensors") for folder in results)
    for key, value in alone.items():
        yield key, value, together[key]


@pytest.mark.parametrize("name", ["sgd", "head", "uneven"])
def test_two_processes_end_where_one_does(name: str, results: tuple[Path, Path]) -> None:
    for key, alone, together in ends(results, name):
        torch.testing.assert_close(together, alone, atol=2e-6, rtol=1e-4, msg=key)


@pytest.mark.parametrize("name", ["plain", "held"])
def test_so_they_do_where_adam_enlarges_what_is_rounded(
    name: str, results: tuple[Path, Path]
) -> None:
    # The first steps of Adam are as long where a gradient is zero but for rounding as elsewhere.
    start, apart, step = dict(tiny.zeroshot().state_dict()), 0.0, 0.0
    for key, alone, together in ends(results, name):
        apart += float((together - alone).square().sum())
        step += float((alone - start[key]).square().sum())
    assert 0 < apart < 1e-4 * step


@pytest.mark.parametrize("name", ["plain", "sgd", "held", "head", "uneven"])
def test_the_history_is_that_of_all_images(name: str, results: tuple[Path, Path]) -> None:
    alone, together = ((folder / "out" / f"{name}.csv").read_text() for folder in results)
    for one, other in zip(alone.splitlines()[1:], together.splitlines()[1:], strict=True):
        rows = [[float(number) for number in row.split(",")] for row in (one, other)]
        assert rows[0] == pytest.approx(rows[1], rel=1e-3)


def test_the_first_process_alone_writes_files(results: tuple[Path, Path]) -> None:
    names = [sorted(p.name for p in (folder / "cache").glob("*.safetensors")) for folder in results]
    assert len(names[0]) == 5
    assert names[0] == names[1]
