"""Benchmarks: a reference distribution to fine-tune on, and the shifts that it is tested under."""

from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.folders import benchmark_from_folders
from wiseft_tutorial.benchmarks.registry import (
    benchmark_names,
    load_benchmark,
    register_benchmark,
)
from wiseft_tutorial.benchmarks.split import Split

__all__ = [
    "Benchmark",
    "Split",
    "benchmark_from_folders",
    "benchmark_names",
    "load_benchmark",
    "register_benchmark",
]
