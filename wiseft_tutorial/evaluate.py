"""Evaluation: predictions, accuracies with intervals, and the sweep over alpha."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import astuple
from functools import partial
from typing import Literal, NoReturn, TypeAlias

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from wiseft_tutorial._alpha import check_alpha
from wiseft_tutorial.benchmarks import Benchmark, Split
from wiseft_tutorial.device import Precision
from wiseft_tutorial.errors import DataError, WeightMismatchError, unknown
from wiseft_tutorial.inference import encode_images, evaluation_copy
from wiseft_tutorial.metrics import Accuracy, accuracy, score
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.outputs import ensemble_logits
from wiseft_tutorial.weights import check_compatible, interpolate_

__all__ = ["ALPHAS", "alpha_sweep", "predict", "summarise", "tabulate"]

ALPHAS = tuple(step / 10 for step in range(11))
Space: TypeAlias = Literal["weights", "outputs"]
_Encoder: TypeAlias = Callable[[ImageClassifier, Tensor], Tensor]


def predict(
    model: ImageClassifier,
    split: Split,
    *,
    batch_size: int | None = None,
    device: str | torch.device | None = None,
    precision: Precision = "auto",
    progress: bool = False,
) -> Tensor:
    """The logits of a model on every image of a split.

    Args:
        model: Left untouched.
        split: N images.
        batch_size: Images per forward pass; ``None`` means as many as suit the precision.
        device: Where to compute; ``None`` means the best device present.
        precision: Of the image encoder.
        progress: Show a progress bar.

    Returns:
        (N, K) float32 on the CPU; ``-inf`` for classes that the split does not have.

    Raises:
        DataError: The images are not square, or the labels have more classes than the model.

    Source: section 2. Explained in: chapter 2.
    """
    _check_labels(model, split)
    runner = evaluation_copy(model, device=device, precision=precision)
    with _bar(progress, len(split), split.name) as bar:
        features = encode_images(runner, split.images, batch_size=batch_size, advance=bar.update)
    return split.mask(runner.classify(features).cpu())


def alpha_sweep(
    zeroshot: ImageClassifier,
    finetuned: ImageClassifier,
    benchmark: Benchmark,
    *,
    alphas: Sequence[float] = ALPHAS,
    space: Space = "weights",
    distributions: Sequence[str] | Mapping[str, Split] | None = None,
    device: str | torch.device | None = None,
    precision: Precision = "auto",
    batch_size: int | None = None,
    keep: MutableMapping[float, dict[str, Tensor]] | None = None,
    matched: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Average two models at every alpha, and measure each average on every distribution.

    One working copy of the model is overwritten for each alpha. If both models have the same image
    encoder, as after training a linear classifier, features are computed once, and so are those of
    both endpoints for an output-space ensemble: then every alpha is a closed form.

    Args:
        zeroshot: theta_0; left untouched.
        finetuned: theta_1; left untouched.
        benchmark: What to measure on.
        alphas: Mixing coefficients in [0, 1].
        space: Average ``"weights"``, which is WiSE-FT, or ``"outputs"``, the logits of both.
        distributions: Names of the benchmark's test sets, or other splits by name, such as
            ``{"validation": benchmark.val}``; ``None`` means all test sets.
        device: Where to compute; ``None`` means the best device present.
        precision: Of the image encoder.
        batch_size: Images per forward pass; ``None`` means as many as suit the precision.
        keep: Where to leave the logits that the accuracies come from, for each alpha and
            distribution, as :func:`predict` would return them; ``None`` forgets them.
        matched: Add for each shift that lacks classes the reference's accuracy on those it has,
            without looking at any image again.
        progress: Show a progress bar.

    Returns:
        One row for each alpha and distribution: alpha, distribution, kind ("shift" for the
        benchmark's shifts, "matched" for the reference on the classes of one, "reference" for all
        else), accuracy, low, high (fractions, 95 % intervals) and n; in ``attrs``, the names of
        the benchmark, the model and the space.

    Raises:
        DataError: The models or the benchmark have different numbers of classes, or the same in
            another order.
        WeightMismatchError: The weights cannot be averaged, or belong to models that see their
            images differently.
        AlphaError: An alpha lies outside [0, 1].
        UnknownNameError: No such distribution or space; names the nearest.

    Source: section 3, equation 1; figures 1 and 10. Explained in: chapter 4.
    """
    if space not in ("weights", "outputs"):
        raise unknown("space", space, ("weights", "outputs"))
    alphas = [check_alpha(alpha) for alpha in dict.fromkeys(alphas)]
    splits = _choose(benchmark, distributions)
    _check_classes(zeroshot, finetuned, benchmark)
    for split in splits.values():
        _check_labels(zeroshot, split)
    if space == "weights":
        _check_preprocessing(zeroshot, finetuned)
        check_compatible(zeroshot, finetuned)
    shared = _same_encoder(zeroshot, finetuned)
    closed_form = shared or space == "outputs"
    passes = len(alphas) if not closed_form else 1 if shared else 2

    results: dict[tuple[float, str], Accuracy] = {}
    matches: dict[tuple[float, str], Accuracy] = {}
    with _bar(progress, passes * sum(map(len, splits.values())), "sweep") as bar:
        encode = partial(encode_images, batch_size=batch_size, advance=bar.update)
        runner = evaluation_copy(zeroshot, device=device, precision=precision)
        if closed_form:
            other = evaluation_copy(finetuned, device=device, precision=precision)
            averages = _average_outputs(runner, other, alphas, splits, encode, shared=shared)
        else:
            averages = _average_weights(runner, zeroshot, finetuned, alphas, splits, encode)
        for alpha, name, logits in averages:
            split = splits[name]
            answers = split.mask(logits)
            results[alpha, name] = score(answers, split)
            if keep is not None:
                keep.setdefault(alpha, {})[name] = answers.cpu()
            if matched and split is benchmark.test:
                for shift, found in _matched(logits, benchmark).items():
                    matches[alpha, shift] = found

    in_order = {(alpha, name): results[alpha, name] for alpha in alphas for name in splits}
    sweep = _frame(in_order, benchmark)
    if matches:
        extra = _frame({key: matches[key] for key in sorted(matches)}, benchmark)
        sweep = pd.concat([sweep, extra.assign(kind="matched")], ignore_index=True)
    sweep.attrs = {"benchmark": benchmark.name, "model": zeroshot.clip_name, "space": space}
    return sweep


def tabulate(
    logits: Mapping[float, Mapping[str, Tensor]],
    benchmark: Benchmark,
    distributions: Mapping[str, Split] | None = None,
) -> pd.DataFrame:
    """The accuracies of logits that are already there, in the form of a sweep.

    Args:
        logits: For each alpha, or whatever number tells models apart, and each distribution:
            (N, K), as :func:`predict` returns them.
        benchmark: Whose test sets these are.
        distributions: Other splits by name; ``None`` means the benchmark's test sets.

    Returns:
        Rows like those of :func:`alpha_sweep`.

    Raises:
        DataError: Not one row of logits for each image.
        UnknownNameError: No such distribution; names the nearest.

    Source: section 3. Explained in: chapter 8.
    """
    splits = benchmark.distributions if distributions is None else distributions
    for name in dict.fromkeys(name for found in logits.values() for name in found):
        if name not in splits:
            raise unknown("distribution", name, splits)
    results = {
        (alpha, name): score(found, splits[name])
        for alpha, by_name in logits.items()
        for name, found in by_name.items()
    }
    return _frame(results, benchmark)


def summarise(sweep: pd.DataFrame) -> pd.DataFrame:
    """Reduce a sweep to two numbers for each alpha: the reference, and the mean of the shifts.

    Args:
        sweep: As :func:`alpha_sweep` returns it, with one reference distribution and some shifts.

    Returns:
        One row for each alpha: alpha; reference, reference_low, reference_high; shifts,
        shifts_low, shifts_high. ``shifts`` is the unweighted mean over the shifts. Its interval is
        the normal approximation for a mean of independent binomial proportions, of half-width
        1.96 sqrt(sum p (1 - p) / n) / S for S > 1 shifts; that of the reference, or of a single
        shift, is its own.

    Raises:
        DataError: The sweep has no shifts, not exactly one reference distribution, or several
            accuracies for one alpha and distribution.

    Source: section 4, whose main figure shows these two numbers. Explained in: chapter 4.
    """
    if sweep.duplicated(["alpha", "distribution"]).any():
        raise DataError(
            "the sweep has several accuracies for one alpha and distribution; summarise the sweeps "
            "of several models one by one"
        )
    reference = sweep[sweep["kind"] == "reference"].set_index("alpha")
    shifts = sweep[sweep["kind"] == "shift"]
    if shifts.empty or reference["distribution"].nunique() != 1:
        raise DataError("summarise needs a sweep over one reference distribution and its shifts")
    grouped = shifts.assign(
        variance=shifts["accuracy"] * (1 - shifts["accuracy"]) / shifts["n"]
    ).groupby("alpha", sort=False)
    mean = grouped["accuracy"].mean()
    half = 1.96 * np.sqrt(grouped["variance"].sum()) / grouped["variance"].count()
    one = shifts["distribution"].nunique() == 1
    summary = pd.DataFrame(
        {
            "reference": reference["accuracy"],
            "reference_low": reference["low"],
            "reference_high": reference["high"],
            "shifts": mean,
            "shifts_low": grouped["low"].first() if one else (mean - half).clip(lower=0),
            "shifts_high": grouped["high"].first() if one else (mean + half).clip(upper=1),
        }
    ).reset_index()
    summary.attrs = dict(sweep.attrs)
    return summary


def _frame(results: Mapping[tuple[float, str], Accuracy], benchmark: Benchmark) -> pd.DataFrame:
    """Tidy rows, in the order of the results."""
    rows = [
        (alpha, name, "shift" if name in benchmark.shifts else "reference", *astuple(found))
        for (alpha, name), found in results.items()
    ]
    columns = ["alpha", "distribution", "kind", "accuracy", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns)


def _matched(logits: Tensor, benchmark: Benchmark) -> dict[str, Accuracy]:
    """The accuracy on the reference among the classes of each shift that lacks some."""
    found = {}
    for name, shift in benchmark.shifts.items():
        if shift.classes is not None or shift.together:
            positions, labels = benchmark.matched(name)
            among = shift.mask(logits[positions.to(logits.device)])
            found[f"{benchmark.test.name}, classes of {name}"] = accuracy(among, labels)
    return found


def _average_weights(
    runner: ImageClassifier,
    zeroshot: ImageClassifier,
    finetuned: ImageClassifier,
    alphas: Sequence[float],
    splits: Mapping[str, Split],
    encode: _Encoder,
) -> Iterator[tuple[float, str, Tensor]]:
    """The logits of WiSE-FT: one model per alpha, in the tensors that ``runner`` already has."""
    for alpha in alphas:
        interpolate_(runner, zeroshot, finetuned, alpha)
        for name, split in splits.items():
            yield alpha, name, runner.classify(encode(runner, split.images))


def _average_outputs(
    runner_0: ImageClassifier,
    runner_1: ImageClassifier,
    alphas: Sequence[float],
    splits: Mapping[str, Split],
    encode: _Encoder,
    *,
    shared: bool,
) -> Iterator[tuple[float, str, Tensor]]:
    """The averaged logits of two models; of their weights too, if they share an encoder."""
    for name, split in splits.items():
        features_0 = encode(runner_0, split.images)
        features_1 = features_0 if shared else encode(runner_1, split.images)
        logits_0, logits_1 = runner_0.classify(features_0), runner_1.classify(features_1)
        for alpha in alphas:
            yield alpha, name, ensemble_logits(logits_0, logits_1, alpha)


def _same_encoder(zeroshot: ImageClassifier, finetuned: ImageClassifier) -> bool:
    if _preprocessing(zeroshot) != _preprocessing(finetuned):
        return False
    a, b = zeroshot.image_encoder.state_dict(), finetuned.image_encoder.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key].to(a[key].device)) for key in a)


def _preprocessing(model: ImageClassifier) -> dict[str, object]:
    """What decides how an encoder reads an image, besides its weights."""
    return {
        "model": model.clip_name,
        "image size": model.image_size,
        "mean": model.mean.tolist(),
        "standard deviation": model.std.tolist(),
    }


def _check_preprocessing(zeroshot: ImageClassifier, finetuned: ImageClassifier) -> None:
    ours, theirs = _preprocessing(zeroshot), _preprocessing(finetuned)
    if found := [f"{k} {ours[k]} and {theirs[k]}" for k in ours if ours[k] != theirs[k]]:
        raise WeightMismatchError(
            f"the zero-shot and the fine-tuned model differ in {'; '.join(found)}. Weights can be "
            "averaged within one model only; space='outputs' averages what two models say."
        )


def _choose(
    benchmark: Benchmark, distributions: Sequence[str] | Mapping[str, Split] | None
) -> Mapping[str, Split]:
    if isinstance(distributions, Mapping):
        return distributions
    known = benchmark.distributions
    for name in distributions or ():
        if name not in known:
            raise unknown("distribution", name, known)
    return known if distributions is None else {name: known[name] for name in distributions}


def _check_classes(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, benchmark: Benchmark
) -> None:
    counts = len(zeroshot.classnames), len(finetuned.classnames), len(benchmark.classnames)
    if len(set(counts)) > 1:
        raise DataError(
            f"the zero-shot model has {counts[0]} classes, the fine-tuned one {counts[1]} and "
            f"benchmark {benchmark.name!r} {counts[2]}; all three must have the same"
        )
    if zeroshot.classnames != finetuned.classnames:
        raise DataError("the two models name their classes differently, or in another order")
    benchmark.check_order(zeroshot.classnames)


def _check_labels(model: ImageClassifier, split: Split) -> None:
    highest = max(int(split.labels.max()), *(split.classes or (0,)))
    if highest >= len(model.classnames):
        raise DataError(
            f"split {split.name!r} has class {highest}, but the model has "
            f"{len(model.classnames)} classes, numbered from 0"
        )


def _bar(show: bool, images: int, name: str) -> tqdm[NoReturn]:
    return tqdm(total=images, desc=name, unit="image", unit_scale=True, disable=not show)
