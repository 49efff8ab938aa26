"""Speed, as ratios within one run: `make bench`.

Seconds tell of the machine and of who else is using it; a ratio of two things measured in turn, on
the same images, tells of this package. Weights and images are noise: arithmetic takes no notice.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

import wiseft_tutorial as wt
from wiseft_tutorial.inference import evaluation_copy, images_at_once


@dataclass(frozen=True)
class Ratio:
    """How much longer one thing takes than another, and how much longer it may."""

    what: str
    compared_with: str
    seconds: float
    base: float
    limit: float

    @property
    def value(self) -> float:
        """Seconds over seconds."""
        return self.seconds / self.base


def compare(
    work: Callable[[], object], base: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """The best of several times of each, taken in turn so that both meet the same disturbances."""
    best = [float("inf"), float("inf")]
    for _ in range(repeats):
        for i, run in enumerate((work, base)):
            started = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            best[i] = min(best[i], time.perf_counter() - started)
    return best[0], best[1]


def perturbed(model: wt.ImageClassifier, *, encoder: bool) -> wt.ImageClassifier:
    """A stand-in for a fine-tuned model: the same weights, and a little noise."""
    other = wt.interpolate(model, model, 0.0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in other.named_parameters():
            if encoder or name.startswith("head"):
                noise = torch.randn(tensor.shape, generator=generator).to(tensor)
                tensor.add_(1e-3 * noise)
    return other


def noise(test_images: int) -> wt.Benchmark:
    """A benchmark of Pocket's shape: six test sets."""
    classnames = tuple(f"thing {i}" for i in range(40))
    generator = torch.Generator().manual_seed(0)

    def split(name: str, n: int) -> wt.Split:
        images = torch.randint(256, (n, 3, 48, 48), dtype=torch.uint8, generator=generator)
        return wt.Split(name, images, torch.arange(n) % len(classnames))

    return wt.Benchmark(
        name="noise",
        classnames=classnames,
        templates=("a photo of a {}",),
        train=split("train", 40),
        val=split("val", 40),
        test=split("test", test_images),
        shifts={f"shift {i}": split(f"shift {i}", test_images) for i in range(1, 6)},
    )


def measure(test_images: int, repeats: int) -> list[Ratio]:
    """Every ratio that this package promises."""
    benchmark = noise(test_images)
    clip = wt.load_clip("pocket", pretrained="random")
    zeroshot = wt.zeroshot_classifier(clip, benchmark)
    end_to_end, linear = (perturbed(zeroshot, encoder=encoder) for encoder in (True, False))
    splits = benchmark.distributions.values()
    runner = evaluation_copy(zeroshot)
    dtype = next(runner.image_encoder.parameters()).dtype
    batches = [  # ready for the encoder: only what cannot be avoided is left to be timed
        ((batch.float() / 255 - 0.5) / 0.25).to(runner.device, dtype)
        for split in splits
        for batch in split.images.split(images_at_once(runner))
    ]

    @torch.inference_mode()
    def forward(passes: int) -> None:
        for _ in range(passes):
            for batch in batches:
                runner.image_encoder(batch)

    def sweep(finetuned: wt.ImageClassifier) -> object:
        return wt.alpha_sweep(zeroshot, finetuned, benchmark, progress=False)

    target, start = wt.interpolate(zeroshot, zeroshot, 0.0), zeroshot.state_dict()
    count = len(wt.ALPHAS)
    images = sum(map(len, splits))
    return [
        Ratio(
            f"sweep of {count} alphas over {images} images",
            f"{count} bare forward passes",
            *compare(lambda: sweep(end_to_end), lambda: forward(count), repeats),
            limit=1.2,
        ),
        Ratio(
            "the same for a linear classifier",
            "one bare forward pass",
            *compare(lambda: sweep(linear), lambda: forward(1), repeats),
            limit=1.5,
        ),
        Ratio(
            "averaging two sets of weights in place",
            f"one bare forward pass of {len(batches[0])} images",
            *compare(
                lambda: wt.interpolate_(target, start, end_to_end, 0.5),
                lambda: runner.image_encoder(batches[0]),
                10 * repeats,
            ),
            limit=1.0,
        ),
    ]


def main() -> int:
    """Print the ratios; the exit status is 1 if one is beyond its limit."""
    parser = argparse.ArgumentParser(description="Measure speed, as ratios within one run.")
    parser.add_argument("--test-images", type=int, default=2000, help="of each distribution")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement")
    options = parser.parse_args()
    ratios = measure(options.test_images, options.repeats)
    for ratio in ratios:
        verdict = "" if ratio.value <= ratio.limit else "  TOO SLOW"
        print(f"{ratio.what}: {ratio.seconds:.3g} s")
        print(f"  {ratio.value:.2f} x {ratio.compared_with} (at most {ratio.limit:g}){verdict}")
    return int(any(ratio.value > ratio.limit for ratio in ratios))


if __name__ == "__main__":
    sys.exit(main())
