"""A small benchmark and small models, for tests that need some but no particular ones."""

from __future__ import annotations

import copy
import functools

import torch
from torch import nn

from wiseft_tutorial.benchmarks import Benchmark, Split
from wiseft_tutorial.models import Clip, ImageClassifier, load_clip
from wiseft_tutorial.zeroshot import zeroshot_classifier

CLASSNAMES = ("lemon", "mug", "key", "kite")


@functools.cache
def clip() -> Clip:
    """An untrained Pocket-CLIP."""
    return load_clip("pocket", pretrained="random", device="cpu")


def split(
    n: int, *, seed: int, name: str = "photos", classes: tuple[int, ...] | None = None
) -> Split:
    """Noise, tinted by the class, so that there is something to learn."""
    generator = torch.Generator().manual_seed(seed)
    among = torch.tensor(classes or range(len(CLASSNAMES)))
    labels = among[torch.arange(n) % len(among)]
    noise = torch.randint(0, 128, (n, 3, 48, 48), generator=generator)
    tint = 32 * torch.stack([labels, 3 - labels, labels % 2 * 3])
    return Split(name, (noise + tint.T[:, :, None, None]).byte(), labels, classes)


def benchmark(*, train: int = 24, test: int = 20) -> Benchmark:
    """One reference and two shifts, one of them with two classes only."""
    return Benchmark(
        name="tiny",
        classnames=CLASSNAMES,
        templates=("a photo of a {}", "a sketch of a {}"),
        train=split(train, seed=0),
        val=split(12, seed=1),
        test=split(test, seed=2),
        shifts={
            "sketches": split(test + 4, seed=3, name="sketches"),
            "kites": split(8, seed=4, name="kites", classes=(1, 3)),
        },
    )


def zeroshot() -> ImageClassifier:
    """A classifier from words, by a network that never learnt any."""
    return zeroshot_classifier(clip(), benchmark())


def moved(model: ImageClassifier, *, step: float, head_only: bool = False) -> ImageClassifier:
    """A model some way off, as fine-tuning would leave one."""
    model = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for part in [model.head] if head_only else [model]:
            for parameter in part.parameters():
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(step * parameter.std(correction=0) * noise)
    return model


def net(seed: int, *, classes: int = 2) -> nn.Sequential:
    """A small network with an integer buffer and a negative zero, which careless code loses."""
    generator = torch.Generator().manual_seed(seed)
    first, norm, last = nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, classes)
    model = nn.Sequential(first, norm, last)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        first.weight[0, 0] = -0.0
    norm.num_batches_tracked = torch.tensor(seed)
    return model


def assert_same_weights(a: nn.Module, b: nn.Module) -> None:
    """Every weight and buffer of one is the other's, to the last bit."""
    for name, value in a.state_dict().items():
        assert torch.equal(value, b.state_dict()[name]), name
