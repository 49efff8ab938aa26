"""Measure experiments again, and put their rows where the package finds them.

    python -m wiseft_tutorial.results            # all of them: an hour or two on two cores
    python -m wiseft_tutorial.results frontier

Each run is written down as soon as it is finished, so that an interrupted measurement goes on where
it was.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import torch

from wiseft_tutorial._version import __version__
from wiseft_tutorial.caching import fingerprint
from wiseft_tutorial.results import EXPERIMENTS

_TARGET = Path(__file__).parent.parent / "data" / "results"
_DIGITS = 5


def measure(name: str, work: Path, target: Path) -> None:
    """Run the jobs of an experiment that are not done yet, and write its two files.

    Args:
        name: The experiment's.
        work: A folder for the rows of single jobs.
        target: The folder of the finished files.
    """
    experiment = importlib.import_module(f"wiseft_tutorial.results.{name}")
    folder = work / f"{name}-{fingerprint(Path(experiment.__file__ or ''))[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    frames, minutes = [], 0.0
    for label, job in experiment.jobs():
        rows, took = folder / f"{label}.csv", folder / f"{label}.seconds"
        if not (rows.exists() and took.exists()):
            began = time.perf_counter()
            _write(rows, job().round(_DIGITS).to_csv(index=False))
            _write(took, f"{time.perf_counter() - began:.1f}")
            print(f"{name}: {label}, {took.read_text()} s", flush=True)
        frames.append(pd.read_csv(rows))
        minutes += float(took.read_text()) / 60
    facts = {
        "command": f"make results ARGS={name}",
        "seeds": list(experiment.SEEDS),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "open_clip_torch": importlib.metadata.version("open_clip_torch"),
            "wiseft-tutorial": __version__,
        },
        "cores": len(os.sched_getaffinity(0)),
        "minutes": round(minutes),
        "date": f"{datetime.date.today():%Y-%m-%d}",
    }
    target.mkdir(parents=True, exist_ok=True)
    _write(target / f"{name}.csv", pd.concat(frames).to_csv(index=False))
    _write(target / f"{name}.json", json.dumps(facts, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text)
    os.replace(partial, path)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the experiments that are named, or all."""
    parser = argparse.ArgumentParser(description="Measure experiments that a chapter only reads.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--work", type=Path, default=Path("build", "results"))
    parser.add_argument("--target", type=Path, default=_TARGET)
    arguments = parser.parse_args(argv)
    for name in arguments.names or EXPERIMENTS:
        measure(name, arguments.work, arguments.target)


if __name__ == "__main__":
    main()
