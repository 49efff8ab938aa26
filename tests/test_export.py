"""What goes back to open_clip says there what it says here."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch
import torch.nn.functional as F
import trees

from wiseft_tutorial._pixels import normalise
from wiseft_tutorial.errors import WeightMismatchError
from wiseft_tutorial.export import export_clip, origin
from wiseft_tutorial.models import ImageClassifier, load_clip
from wiseft_tutorial.weights import interpolate


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_open_clip_loads_an_average_and_agrees(alpha: float, tmp_path: Path) -> None:
    start = tiny.zeroshot()
    model = interpolate(start, tiny.moved(start, step=0.1), alpha)
    path = export_clip(model, tiny.clip(), tmp_path / "new" / "clip.safetensors")
    theirs = trees.from_open_clip("pocket-clip", pretrained=str(path)).eval()
    images = tiny.benchmark().test.images
    with torch.no_grad():
        features = theirs.encode_image(normalise(images, model.mean, model.std))
        logits = F.normalize(features, dim=-1) @ model.head.weight.T
        torch.testing.assert_close(logits, model(images), atol=1e-5, rtol=0)
        text = theirs.encode_text(tiny.clip().tokenizer(["a lemon"]))
    torch.testing.assert_close(F.normalize(text, dim=-1), tiny.clip().encode_text(["a lemon"]))


def test_our_own_loader_reads_it_too(zeroshot: ImageClassifier, tmp_path: Path) -> None:
    path = export_clip(zeroshot, tiny.clip(), tmp_path / "clip.safetensors")
    again = load_clip("pocket", pretrained=path, device="cpu")
    for name, value in tiny.clip().model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], value), name


def test_the_clip_must_be_the_one_it_came_from(zeroshot: ImageClassifier, tmp_path: Path) -> None:
    other = load_clip("RN50-quickgelu", pretrained="random", device="cpu")
    with pytest.raises(WeightMismatchError, match="image tower of 'pocket-clip'"):
        export_clip(zeroshot, other, tmp_path / "clip.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("alpha", [None, 0.5])
def test_both_towers_began_together(alpha: float | None, tmp_path: Path) -> None:
    model, other = tiny.zeroshot(), load_clip("pocket", device="cpu")
    if alpha is not None:
        model = interpolate(model, tiny.moved(model, step=0.1), alpha)
    assert origin(model.provenance) == "random"
    with pytest.raises(WeightMismatchError, match=r"'random', and the CLIP has 'pocket-clip\.saf"):
        export_clip(model, other, tmp_path / "clip.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_unknown_origin_is_not_refused(tmp_path: Path) -> None:
    model = tiny.zeroshot()
    model.provenance = {}
    assert origin(model.provenance) is None
    export_clip(model, tiny.clip(), tmp_path / "clip.safetensors")
