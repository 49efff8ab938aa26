"""A real CLIP at 224 pixels against a plain loop: `python speed/throughput.py`.

The plain loop is what one writes first: for every alpha load the averaged state dict from its file,
decode every picture again, and compute in float32; for every epoch decode and crop the pictures on
the processor. The package decodes once, averages in place, crops on the device and rounds to
bfloat16 where the device has units for that. Both work on the same files and weights; the result is
a ratio, and the share of the rate at which this machine multiplies large matrices.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

import wiseft_tutorial as wt
from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial.device import resolve_dtype

ensure_torchvision()
from torchvision import datasets, transforms  # noqa: E402

SIDE = 320  # of the pictures, in pixels
CLASSES = 10


def pictures(root: Path, each: int) -> Path:
    """Folders of JPEG files, coarse noise, for training and for the test."""
    draw = np.random.default_rng(0)
    for part in ("train", "val", "test"):
        for label in range(CLASSES):
            folder = root / part / f"thing {label}"
            folder.mkdir(parents=True)
            for number in range(1 if part == "val" else each):
                coarse = draw.integers(0, 256, (20, 20, 3), dtype=np.uint8)
                Image.fromarray(coarse).resize((SIDE, SIDE)).save(folder / f"{number}.jpg")
    return root


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """How long something takes."""
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second in products of large matrices: the best of several."""
    n = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    return 2 * n**3 / min(seconds(lambda: a @ b, device) for _ in range(8))


class Plain:
    """The plain loop."""

    def __init__(self, model: wt.ImageClassifier, root: Path, device: torch.device) -> None:
        self.device, self.root = device, root
        self.model = wt.interpolate(model, model, 0.0).to(device)
        mean, std = (value.tolist() for value in (model.mean, model.std))
        self.end = [transforms.ToTensor(), transforms.Normalize(mean, std)]
        self.size = model.image_size

    def batches(self, part: str, batch_size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Decoded and normalised anew, whenever it is asked for."""
        bicubic = transforms.InterpolationMode.BICUBIC
        first: list[object] = [
            transforms.Resize(self.size, bicubic),
            transforms.CenterCrop(self.size),
        ]
        if part == "train":
            first = [transforms.RandomResizedCrop(self.size, (0.9, 1.0), (1.0, 1.0), bicubic)]
        data = datasets.ImageFolder(self.root / part, transforms.Compose([*first, *self.end]))
        workers = min(8, os.cpu_count() or 1) if self.device.type == "cuda" else 0
        loader = DataLoader(data, batch_size, shuffle=part == "train", num_workers=workers)
        for images, labels in loader:
            yield images.to(self.device), labels.to(self.device)

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """In float32, whatever the device could do."""
        features = F.normalize(self.model.image_encoder(pixels), dim=-1)
        return self.model.classify(features)

    @torch.no_grad()
    def sweep(self, ends: tuple[Path, Path], alphas: list[float], batch_size: int) -> None:
        """Every alpha as if it were the only one."""
        self.model.eval()
        for alpha in alphas:
            theta_0, theta_1 = (load_file(path) for path in ends)
            self.model.load_state_dict(
                {key: (1 - alpha) * theta_0[key] + alpha * theta_1[key] for key in theta_0}
            )
            for pixels, _ in self.batches("test", batch_size):
                self.logits(pixels).argmax(dim=1).cpu()

    def epochs(self, count: int, batch_size: int) -> None:
        """AdamW on clipped gradients, a step at a time."""
        self.model.train()
        optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=1e-5, weight_decay=0.1, foreach=False
        )
        for _ in range(count):
            for pixels, labels in self.batches("train", batch_size):
                optimiser.zero_grad()
                F.cross_entropy(self.logits(pixels), labels).backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                optimiser.step()


def line(what: str, plain: float, ours: float, work: float, fastest: float) -> None:
    """One row of the table."""
    share = 100 * work / ours / fastest
    print(f"{what:<44} {plain:8.2f} {ours:8.2f} {plain / ours:7.1f} x {share:8.0f} %", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="ViT-B-32-quickgelu", help="any name of open_clip's")
    parser.add_argument("--each", type=int, default=8, help="pictures of each of ten classes")
    parser.add_argument("--alphas", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=40)
    parser.add_argument("--compiled", action="store_true", help="fine-tune a compiled encoder")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WISEFT_CACHE"] = f"{folder}/cache"
        root = pictures(Path(folder) / "pictures", given.each)
        measure(given, root, Path(folder))


def measure(given: argparse.Namespace, root: Path, folder: Path) -> None:
    """Time both, in turn, on the same files."""
    clip = wt.load_clip(given.model, pretrained="random")
    device, dtype = clip.device, resolve_dtype("auto", clip.device)
    names = [f"thing {label}" for label in range(CLASSES)]
    zeroshot = wt.zeroshot_classifier(clip, classnames=names, templates=["a photo of a {}."])
    ends = (folder / "theta_0.safetensors", folder / "theta_1.safetensors")
    for path in ends:
        save_file({k: v.contiguous().cpu() for k, v in zeroshot.state_dict().items()}, path)
    alphas = [i / max(1, given.alphas - 1) for i in range(given.alphas)]
    images, fastest = CLASSES * given.each, peak(device, dtype)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        zeroshot(torch.zeros(1, 3, clip.image_size, clip.image_size, device=device))
    forward = counter.get_total_flops()
    plain = Plain(zeroshot, root, device)
    nearby = wt.interpolate(zeroshot, zeroshot, 0.0)
    nearby.image_encoder.requires_grad_(True)
    with torch.no_grad():
        for weight in nearby.parameters():
            weight.mul_(1 + 1e-6)
    bench = wt.benchmark_from_folders(root, {}, image_size=clip.image_size)

    def decode_again() -> None:
        os.environ["WISEFT_CACHE"] = tempfile.mkdtemp(dir=folder)
        wt.benchmark_from_folders(root, {}, image_size=clip.image_size)

    def sweep() -> None:
        wt.alpha_sweep(zeroshot, nearby, bench, alphas=alphas, progress=False)

    recipe = wt.default_recipe(
        given.model, epochs=1 + given.epochs, batch_size=given.batch_size, compiled=given.compiled
    )
    print(f"{given.model} on {device}, {images} pictures; products of large matrices in {dtype}: ")
    print(f"{fastest / 1e12:.2f} TFLOP/s. Seconds, how many times faster, share of that rate.")
    print(f"{'':<44} {'plain':>8} {'here':>8} {'ratio':>9} {'share':>10}")
    plain.sweep(ends, alphas[:1], given.batch_size)  # warms up
    sweep_plain = seconds(lambda: plain.sweep(ends, alphas, given.batch_size), device)
    decoding = seconds(decode_again, device)
    wt.alpha_sweep(zeroshot, nearby, bench, alphas=[*alphas[:1], 1.0], progress=False)
    again = seconds(sweep, device)
    work = len(alphas) * images * forward
    line(f"sweep of {len(alphas)} alphas, decoded already", sweep_plain, again, work, fastest)
    line("  and with decoding, the first time", sweep_plain, decoding + again, work, fastest)
    tuned_plain = seconds(lambda: plain.epochs(given.epochs, given.batch_size), device)
    tuned = wt.finetune(zeroshot, bench, recipe, cache=None, progress=False).history["seconds"]
    work = 3 * given.epochs * images * forward  # the backward pass costs two forward passes
    later = tuned[1:].sum()
    line(f"fine-tuning, {given.epochs} epochs after the first", tuned_plain, later, work, fastest)
    print(f"The first epoch took {tuned[0] - tuned[1:].mean():.1f} s longer than another.")


if __name__ == "__main__":
    main()
