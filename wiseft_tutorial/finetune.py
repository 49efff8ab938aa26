"""Fine-tuning: the first of WiSE-FT's two steps, done as usual.

End to end, every weight is trained; for a linear classifier, only the head, on features that are
computed once. Both use AdamW, a cosine schedule after a linear warm-up, and clipped gradients.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import torch
from tqdm.auto import tqdm

from wiseft_tutorial._memory import release
from wiseft_tutorial._version import __version__
from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.caching import alone, fingerprint
from wiseft_tutorial.device import resolve_device, resolve_dtype
from wiseft_tutorial.errors import CheckpointError, DataError, MissingFileError
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.places import cache_folder
from wiseft_tutorial.processes import agree, first
from wiseft_tutorial.recipe import Recipe
from wiseft_tutorial.training import Training, Watch

__all__ = ["finetune", "lp_ft"]

# What a fine-tuned model follows from, besides what finetune is given.
_CODE = (
    "_pixels",
    "attention",
    "augment",
    "device",
    "finetune",
    "inference",
    "models",
    "processes",
    "recipe",
    "training",
)


def finetune(
    model: ImageClassifier,
    benchmark: Benchmark,
    recipe: Recipe,
    *,
    device: str | torch.device | None = None,
    cache: str | Path | None = "auto",
    checkpoint: str | Path | None = None,
    watch: Watch | None = None,
    progress: bool = True,
) -> ImageClassifier:
    """Fine-tune a classifier on a benchmark's training images: WiSE-FT's theta_1.

    A result that is in the cache is loaded instead, and said to be; a run that was interrupted is
    taken up where its last epoch ended, and ends as if nothing had happened.

    Args:
        model: Where to start, usually the zero-shot classifier; left untouched.
        benchmark: Gives the training images, and the validation images of the history.
        recipe: How.
        device: Where to compute; ``None`` means the best device present.
        cache: A folder for finished models and interrupted runs; ``"auto"`` means
            :func:`wiseft_tutorial.cache_folder`, and ``None`` no cache.
        checkpoint: A file for the training state, written after each epoch and read at the start,
            for when there is no cache.
        watch: Called after every step with its number, from 1, and the model, which must not be
            changed or kept; :class:`wiseft_tutorial.EMA` is such. A run that is watched is always
            run, from its first step, and leaves nothing in the cache.
        progress: Show a progress bar.

    Returns:
        A new classifier in evaluation mode, on the device of ``model``. Its ``history`` has a row
        for each epoch: epoch, loss, lr (at the end), train_accuracy (fractions; on the augmented
        images, while learning), val_accuracy and seconds.

    Raises:
        DataError: The model and the benchmark have different numbers of classes, or the same in
            another order; or a run that is watched was given a ``checkpoint``.
        CheckpointError: ``checkpoint`` is of another run, truncated or of another kind.
        WiseFTError: The loss is not a number any more; the learning rate is too high.

    Source: section 3; appendices D.2 and D.3. Explained in: chapter 3.
    """
    if len(model.classnames) != len(benchmark.classnames):
        raise DataError(
            f"the model has {len(model.classnames)} classes and benchmark {benchmark.name!r} "
            f"{len(benchmark.classnames)}; build its head for the benchmark's class names"
        )
    benchmark.check_order(model.classnames)
    target = resolve_device(device)
    if watch is not None:
        if checkpoint:
            raise DataError("a run that is watched cannot be taken up half-way; omit checkpoint")
        cache = None
    key = _key(model, benchmark, recipe, target)
    folder = cache_folder() if cache == "auto" else None if cache is None else Path(cache)
    finished = folder / f"finetuned-{key[:20]}.safetensors" if folder else None
    state = Path(checkpoint) if checkpoint else None
    if state is None and folder is not None:
        state = folder / f"interrupted-{key[:20]}.safetensors"
    if (known := _found(finished)) is not None:
        return known.to(model.device)
    with alone(finished) if finished and first() else nullcontext():
        if (known := _found(finished)) is not None:  # another process has made it
            return known.to(model.device)
        run = Training(model, benchmark, recipe, target)
        try:
            tuned = _run(run, state, key, watch, progress)
        except CheckpointError:
            if state is None or checkpoint:
                raise
            if first():
                state.unlink()  # a damaged file of the cache's own: start anew
            run = Training(model, benchmark, recipe, target)
            tuned = _run(run, state, key, watch, progress)
        tuned.provenance = {
            "method": recipe.method,
            "benchmark": f"{benchmark.name}, {len(benchmark.train)} images",
            "recipe": json.dumps(asdict(recipe)),
            "start": json.dumps(model.provenance),
        }
        if finished and first():
            tuned.save(finished)
        if state and not checkpoint and first():
            state.unlink(missing_ok=True)
    return tuned.to(model.device)


def lp_ft(
    model: ImageClassifier,
    benchmark: Benchmark,
    head: Recipe,
    everything: Recipe,
    *,
    device: str | torch.device | None = None,
    cache: str | Path | None = "auto",
    progress: bool = True,
) -> ImageClassifier:
    """Train the head first and then, from there, every weight.

    Args:
        model: Where to start; left untouched.
        benchmark: As for :func:`finetune`.
        head: How the linear classifier is trained.
        everything: How the rest is, end to end.
        device: As for :func:`finetune`.
        cache: As for :func:`finetune`.
        progress: Show progress bars.

    Returns:
        A new classifier, as :func:`finetune` returns it; the history is that of the second run.

    Raises:
        DataError: The first recipe is not a linear classifier's, or the second not end to end.

    Source: Kumar et al. 2022, section 4. Explained in: chapter 14.
    """
    if (head.method, everything.method) != ("lc", "e2e"):
        raise DataError(
            f"the recipes are {head.method!r} and then {everything.method!r}; a linear classifier, "
            "'lc', comes first, and 'e2e' second"
        )
    for recipe in (head, everything):
        model = finetune(model, benchmark, recipe, device=device, cache=cache, progress=progress)
    return model


def _run(
    run: Training, state: Path | None, key: str, watch: Watch | None, progress: bool
) -> ImageClassifier:
    """Train to the end, from where an interrupted run stopped."""
    if state and agree(state.is_file()):
        run.resume(state, key)
    epochs, n = run.recipe.epochs, len(run.benchmark.train)
    with tqdm(
        total=epochs * n,
        initial=len(run.history) * n,
        desc=f"fine-tuning ({run.recipe.method})",
        unit="image",
        unit_scale=True,
        disable=not progress or not first(),
    ) as bar:
        while len(run.history) < epochs:
            run.run_epoch(bar.update, watch)
            last = run.history[-1]
            bar.set_postfix(loss=f"{last['loss']:.3f}", val=f"{last['val_accuracy']:.1%}")
            if state and first():
                run.save(state, key)
    run.model.zero_grad()  # the last step's gradients take as much memory as the weights
    release()
    run.model.history = pd.DataFrame(run.history)
    return run.model.eval()


def _key(model: ImageClassifier, benchmark: Benchmark, recipe: Recipe, device: torch.device) -> str:
    """A name that changes with everything that the result depends on, this code included."""
    facts = {
        **asdict(recipe),
        "precision": str(resolve_dtype(recipe.precision, device)),
        "device": device.type,
        "clip": model.clip_name,
        "classnames": model.classnames,
        "frozen": [name for name, p in model.named_parameters() if not p.requires_grad],
        "pixels": (model.mean.tolist(), model.std.tolist(), model.image_size),
        "versions": (__version__, torch.__version__),
    }
    code = [Path(sys.modules[f"wiseft_tutorial.{name}"].__file__ or "") for name in _CODE]
    weights = model.state_dict().items()
    return fingerprint(json.dumps(facts), *code, weights, benchmark.train, benchmark.val)


def _found(path: Path | None) -> ImageClassifier | None:
    """A finished model, if the first of all processes finds one; then the others load it too."""
    if path is None:
        return None
    known = _load_if_sound(path) if first() else None
    if not agree(known is not None):
        return None
    return known if first() else ImageClassifier.load(path, device="cpu")


def _load_if_sound(path: Path) -> ImageClassifier | None:
    """A model from the cache; a damaged file is as good as none."""
    try:
        known = ImageClassifier.load(path, device="cpu")
    except (MissingFileError, CheckpointError):
        return None
    print(f"fine-tuned before: {path.name} comes from the cache")
    return known
