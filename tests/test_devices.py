"""Everything computes where it was told to, and nothing is left behind on another device."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import elsewhere
import pytest

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


@pytest.mark.skipif(not elsewhere.POSSIBLE, reason="this torch cannot pretend a device")
def test_the_whole_way_on_another_device(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WHOLE_WAY, str(tmp_path)]
    here = Path(__file__).parent
    run = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "tensors are on two devices" in run.stdout, "a tensor that is left behind goes unnoticed"
