"""The whole way with a CLIP of the real size, untrained, on files laid out as CIFAR-10's are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import trees
from safetensors.torch import save_file

import wiseft_tutorial as wt

NAME = "ViT-B-32-quickgelu"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in a local file, as somebody's own checkpoint would be."""
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    torch.manual_seed(0)
    save_file(trees.from_open_clip(NAME).state_dict(), path)
    return path


def test_from_a_local_checkpoint_to_open_clip_and_back(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path / "cache"))
    folder = trees.cifar10(tmp_path / "data", each=1)
    bench = wt.load_benchmark(
        "cifar10", folder=folder, val_per_class=1, train_per_class=1, test_images=4
    )
    clip = wt.load_clip(NAME, pretrained=checkpoint, device="cpu")
    assert clip.image_size == 224
    zeroshot = wt.zeroshot_classifier(clip, bench, templates=["a photo of a {}."])
    recipe = wt.default_recipe(NAME, epochs=1, batch_size=5)
    tuned = wt.finetune(zeroshot, bench, recipe, device="cpu", cache=None, progress=False)
    sweep = wt.alpha_sweep(
        zeroshot, tuned, bench, alphas=(0.0, 0.5, 1.0), device="cpu", progress=False
    )
    assert len(sweep) == 9
    half = wt.interpolate(zeroshot, tuned, 0.5)
    path = wt.export_clip(half, clip, tmp_path / "half.safetensors")
    with pytest.raises(wt.WeightMismatchError, match=f"are of '{NAME}', not of 'ViT-B-32'"):
        wt.load_clip("ViT-B-32", pretrained=path, device="cpu")  # which has another activation
    theirs = trees.from_open_clip(NAME, pretrained=str(path)).eval()
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        seen = theirs.encode_image((pixels - half.mean[:, None, None]) / half.std[:, None, None])
        ours, logits = half(pixels), torch.nn.functional.normalize(seen, dim=-1)
    torch.testing.assert_close(logits @ half.head.weight.T, ours, atol=1e-5, rtol=0)
