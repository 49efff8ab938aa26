"""Heads of other kinds for one encoder, and the sweep that begins with them."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch
import torch.nn.functional as F

import wiseft_tutorial as wt
from wiseft_tutorial.results import starts


@pytest.fixture(autouse=True)
def nobody_elses_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path / "cache"))


def test_another_head_keeps_its_length_and_the_encoder() -> None:
    model = tiny.zeroshot()
    other = starts.random_head(model, seed=1)
    lengths = model.head.weight.norm(dim=1)
    assert torch.allclose(other.head.weight.norm(dim=1), lengths, rtol=1e-4)
    assert not torch.allclose(other.head.weight, model.head.weight, atol=0.1)
    tiny.assert_same_weights(other.image_encoder, model.image_encoder)


def test_a_head_of_few_images_points_at_their_mean_features() -> None:
    model, bench = tiny.zeroshot(), tiny.benchmark()
    other = starts.few_images_head(model, bench, 2, device="cpu")
    few = bench.few_shot(2).train
    with torch.no_grad():
        features = model.encode(few.images)
    for k in range(len(bench.classnames)):
        mean = features[few.labels == k].mean(dim=0)
        cosine = F.cosine_similarity(other.head.weight[k], mean, dim=0).item()
        assert cosine == pytest.approx(1, abs=1e-4)


def test_the_rows_are_those_of_a_sweep() -> None:
    model, bench = tiny.zeroshot(), tiny.benchmark()
    recipe = wt.Recipe(epochs=1, lr=0.01, batch_size=4)
    rows = starts.measure(model, bench, recipe).set_index("alpha")
    assert tuple(rows.index) == starts.ALPHAS
    tuned = wt.finetune(model, bench, recipe, progress=False)
    for alpha, end in ((0.0, model), (1.0, tuned)):
        assert (
            rows["validation"][alpha]
            == wt.accuracy(wt.predict(end, bench.val), bench.val.labels).value
        )
    assert set(rows["weight_step"]) == {wt.weight_step(model, tuned)}
