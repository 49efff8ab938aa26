"""The benchmarks there are, by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.errors import DataError, unknown

__all__ = ["benchmark_names", "load_benchmark", "register_benchmark"]

# A factory, or where to import one from: drawing and reading data needs modules that nothing else
# does, so they are imported when their benchmark is asked for.
_FACTORIES: dict[str, Callable[..., Benchmark] | str] = {
    "cars": "wiseft_tutorial.benchmarks.transfer_photos:cars",
    "cifar10": "wiseft_tutorial.benchmarks.cifar:cifar10",
    "cifar100": "wiseft_tutorial.benchmarks.cifar:cifar100",
    "dtd": "wiseft_tutorial.benchmarks.transfer_photos:dtd",
    "food101": "wiseft_tutorial.benchmarks.transfer_photos:food101",
    "imagenet": "wiseft_tutorial.benchmarks.imagenet:imagenet",
    "imagenet-vid-robust": "wiseft_tutorial.benchmarks.imagenet:vid_robust",
    "pocket": "wiseft_tutorial.benchmarks.pocket:pocket",
    "pocket-angles": "wiseft_tutorial.benchmarks.transfer:angles",
    "pocket-ink": "wiseft_tutorial.benchmarks.transfer:ink",
    "pocket-others": "wiseft_tutorial.benchmarks.transfer:others",
    "pocket-prints": "wiseft_tutorial.benchmarks.transfer:prints",
    "sun397": "wiseft_tutorial.benchmarks.transfer_photos:sun397",
    "wilds-fmow": "wiseft_tutorial.benchmarks.wilds:fmow",
    "wilds-iwildcam": "wiseft_tutorial.benchmarks.wilds:iwildcam",
    "ytbb-robust": "wiseft_tutorial.benchmarks.imagenet:ytbb_robust",
}


def load_benchmark(name: str, **options: Any) -> Benchmark:
    """Load a benchmark by name.

    Args:
        name: One of :func:`benchmark_names`.
        options: What that benchmark's factory takes. Each takes ``test_images``, the number of test
            images of each distribution (fewer where there are not so many).

    Returns:
        The benchmark.

    Raises:
        UnknownNameError: There is no such benchmark; names the nearest.

    Explained in: chapter 1.
    """
    if name not in _FACTORIES:
        raise unknown("benchmark", name, _FACTORIES)
    factory = _FACTORIES[name]
    if isinstance(factory, str):
        module, function = factory.split(":")
        factory = getattr(importlib.import_module(module), function)
    return factory(**options)


def register_benchmark(name: str, factory: Callable[..., Benchmark]) -> None:
    """Make a benchmark of your own loadable by name.

    Args:
        name: Its name, not yet taken by another factory.
        factory: From options to a benchmark. The chapters load theirs with ``test_images=...``, so
            take that, whatever else you take.

    Raises:
        DataError: The name is taken.

    Explained in: chapter 17.
    """
    if _FACTORIES.get(name, factory) is not factory:
        raise DataError(f"there is a benchmark {name!r} already; choose another name")
    _FACTORIES[name] = factory


def benchmark_names() -> list[str]:
    """The names that :func:`load_benchmark` knows, in alphabetical order."""
    return sorted(_FACTORIES)
