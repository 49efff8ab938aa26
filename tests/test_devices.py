"""Everything computes where it was told to, and nothing is left behind on another device."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import elsewhere
import pytest
import variation
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

import build
from conftest import ROOT

CHAPTERS = [name for name in build.Book(ROOT).chapters if name != "09_linear_regime"]
ENTER = f"""
import sys

sys.path.insert(0, {str(ROOT / "tests")!r})
import elsewhere

elsewhere.enter()
"""
WHOLE_WAY = """
import sys

import elsewhere
import tiny
import torch

import wiseft_tutorial as wt

elsewhere.enter()
there = {"device": elsewhere.NAME}
bench = tiny.benchmark()
clip = wt.load_clip("pocket", pretrained="random", **there)
zeroshot = wt.zeroshot_classifier(clip, bench)
assert zeroshot.device.type == elsewhere.NAME
for method in ("e2e", "lc"):
    recipe = wt.Recipe(method=method, epochs=1, batch_size=8, warmup_steps=1)
    tuned = wt.finetune(zeroshot, bench, recipe, cache=sys.argv[1], progress=False, **there)
    assert tuned.device.type == elsewhere.NAME
    again = wt.finetune(zeroshot, bench, recipe, cache=sys.argv[1], progress=False, **there)
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in tuned.state_dict().items())
    for space in ("weights", "outputs"):
        sweep = wt.alpha_sweep(zeroshot, tuned, bench, space=space, progress=False, **there)
        assert sweep["accuracy"].between(0, 1).all()
assert wt.predict(tuned, bench.test, **there).device.type == "cpu"
path = tuned.save(sys.argv[1] + "/tuned.safetensors")
assert wt.ImageClassifier.load(path, **there).device.type == elsewhere.NAME
half = wt.interpolate(zeroshot, tuned, 0.5)
start, end = zeroshot.state_dict(), tuned.state_dict()
for key, tensor in half.state_dict().items():
    assert torch.equal(tensor, torch.lerp(start[key], end[key], 0.5))
try:
    half(bench.test.images)
except RuntimeError as error:
    print(error)
"""


pytestmark = pytest.mark.skipif(not elsewhere.POSSIBLE, reason="this torch cannot pretend a device")


def test_the_whole_way_on_another_device(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WHOLE_WAY, str(tmp_path)]
    here = Path(__file__).parent
    run = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "tensors are on two devices" in run.stdout, "a tensor that is left behind goes unnoticed"


@pytest.fixture(scope="module")
def runs(wanted: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, build.Run]:
    """The chapters, with the pretended device in their parameter cell."""

    def change(notebook: NotebookNode) -> None:
        notebook.cells.insert(0, new_code_cell(ENTER))
        notebook.metadata["wiseft"]["fast"]["DEVICE"] = elsewhere.NAME

    there = [chapter for chapter in wanted if chapter in CHAPTERS]
    return variation.execute(tmp_path_factory.mktemp(elsewhere.NAME), there, change)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_chapter_runs_on_another_device(chapter: str, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--thorough"):
        pytest.skip("it takes minutes: make test ARGS=--thorough")
    runs: dict[str, build.Run] = request.getfixturevalue("runs")
    if runs[chapter].error:
        pytest.fail(runs[chapter].error, pytrace=False)
