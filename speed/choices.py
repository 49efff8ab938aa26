"""The measurements behind the package's choices: `python speed/choices.py`.

Which precision and batch size evaluate fastest, and which precision and attention train fastest,
on this machine. Each number is images per second, the best of several tries taken in turn; in
brackets, relative to what the package does.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import nullcontext

import torch
import torch.nn.functional as F

import wiseft_tutorial as wt
from wiseft_tutorial.attention import plain_attention
from wiseft_tutorial.device import resolve_device, resolve_dtype, training_kernels
from wiseft_tutorial.inference import images_at_once

CLASSES = tuple(f"thing {i}" for i in range(40))
TRAINED_BATCH = wt.default_recipe("pocket").batch_size


def rates(
    ways: dict[str, Callable[[], object]], images: int, repeats: int, chosen: str
) -> list[str]:
    """Images per second of several ways to do the same, each tried in turn."""
    best = dict.fromkeys(ways, float("inf"))
    for attempt in range(repeats + 1):
        for name, run in ways.items():
            started = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if attempt:  # the first one only warms up
                best[name] = min(best[name], time.perf_counter() - started)
    return [
        f"  {name:<42} {images / seconds:7.0f} ({best[chosen] / seconds:4.2f})"
        for name, seconds in best.items()
    ]


def rounds(device: torch.device) -> bool:
    """Whether the package computes in bfloat16 here."""
    return resolve_dtype("auto", device) == torch.bfloat16


def evaluating(zeroshot: wt.ImageClassifier, images: torch.Tensor, repeats: int) -> list[str]:
    """Forward passes: precisions, and batch sizes."""
    device = zeroshot.device
    full, rounded = (
        wt.evaluation_copy(zeroshot, device=device, precision=p) for p in ("float32", "bfloat16")
    )

    @torch.no_grad()
    def run(model: wt.ImageClassifier, batch_size: int, autocast: bool) -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
            for batch in images.split(batch_size):
                model.encode(batch)

    ways: dict[str, Callable[[], object]] = {}
    for size in (64, 128, 256, 512):
        ways |= {
            f"float32, {size} at once": lambda n=size: run(full, n, False),
            f"bfloat16 by autocast, {size} at once": lambda n=size: run(full, n, True),
            f"bfloat16 weights, {size} at once": lambda n=size: run(rounded, n, False),
        }
    chosen, model = ("bfloat16 weights", rounded) if rounds(device) else ("float32", full)
    return rates(ways, len(images), repeats, f"{chosen}, {images_at_once(model)} at once")


def training(zeroshot: wt.ImageClassifier, images: torch.Tensor, repeats: int) -> list[str]:
    """Steps forth and back: precisions, and kinds of attention."""
    device, batch = zeroshot.device, images[:TRAINED_BATCH]
    labels = torch.arange(len(batch), device=device) % len(CLASSES)

    def run(precision: str, attention: str) -> None:
        kernels = nullcontext() if attention == "torch's choice" else training_kernels(device)
        with kernels, plain_attention(zeroshot) if attention == "plain" else nullcontext():
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                features = zeroshot.encode(batch)
            F.cross_entropy(zeroshot.classify(features), labels).backward()
        zeroshot.zero_grad()

    ways: dict[str, Callable[[], object]] = {
        f"{precision}, {attention} attention": lambda p=precision, a=attention: run(p, a)
        for precision in ("float32", "bfloat16")
        for attention in ("torch's choice", "torch's plain", "plain")
    }
    precision = "bfloat16" if rounds(device) else "float32"
    attention = "plain" if device.type == "cpu" else "torch's choice"
    return rates(ways, len(batch), repeats, f"{precision}, {attention} attention")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="Measure what the package's choices rest on.")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    clip = wt.load_clip("pocket", pretrained="random", device=resolve_device())
    zeroshot = wt.zeroshot_classifier(clip, classnames=CLASSES, templates=["a photo of a {}"])
    images = torch.randint(256, (options.images, 3, 48, 48), dtype=torch.uint8).to(clip.device)
    print("Evaluating, images per second:")
    print(*evaluating(zeroshot, images, options.repeats), sep="\n")
    print(f"Training on {TRAINED_BATCH} at once, images per second:")
    print(*training(zeroshot, images, options.repeats), sep="\n")


if __name__ == "__main__":
    main()
