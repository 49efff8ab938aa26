"""Evaluation: what the sweep says is what each average, made and evaluated by itself, says."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tiny
import torch

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.errors import (
    AlphaError,
    DataError,
    UnknownNameError,
    WeightMismatchError,
)
from wiseft_tutorial.evaluate import ALPHAS, alpha_sweep, predict, summarise, tabulate
from wiseft_tutorial.inference import encode_images, evaluation_copy
from wiseft_tutorial.metrics import accuracy, macro_f1
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.outputs import ensemble_logits
from wiseft_tutorial.robustness import clopper_pearson
from wiseft_tutorial.weights import interpolate
from wiseft_tutorial.zeroshot import zeroshot_classifier

COLUMNS = ["alpha", "distribution", "kind", "accuracy", "low", "high", "n"]


@pytest.fixture(scope="module")
def finetuned(zeroshot: ImageClassifier) -> ImageClassifier:
    return tiny.moved(zeroshot, step=0.3)


@pytest.fixture(scope="module")
def linear(zeroshot: ImageClassifier) -> ImageClassifier:
    return tiny.moved(zeroshot, step=0.3, head_only=True)


def exact(model: ImageClassifier, bench: Benchmark, **options: object) -> dict[str, torch.Tensor]:
    return {
        name: predict(model, split, device="cpu", precision="float32", **options)  # type: ignore[arg-type]
        for name, split in bench.distributions.items()
    }


def test_predictions_are_what_the_model_says(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    with torch.no_grad():
        expected = zeroshot(bench.test.images)
    logits = exact(zeroshot, bench)["photos"]
    assert (logits.dtype, logits.device.type, logits.requires_grad) == (
        torch.float32,
        "cpu",
        False,
    )
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_batches_change_nothing(
    zeroshot: ImageClassifier, bench: Benchmark, batch_size: int
) -> None:
    whole, parts = exact(zeroshot, bench), exact(zeroshot, bench, batch_size=batch_size)
    for name in whole:
        torch.testing.assert_close(parts[name], whole[name])


def test_classes_that_a_distribution_lacks_are_no_answer(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    logits = exact(zeroshot, bench)["kites"]
    assert torch.isneginf(logits[:, [0, 2]]).all()
    assert torch.isfinite(logits[:, [1, 3]]).all()


def test_predicting_leaves_the_model_as_it_was(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    model = copy.deepcopy(zeroshot).train()
    predict(model, bench.val, precision="bfloat16")
    assert model.training
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())
    for key, value in zeroshot.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


def test_bfloat16_rounds_the_encoder_only(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    runner = evaluation_copy(zeroshot, device="cpu", precision="bfloat16")
    assert {p.dtype for p in runner.image_encoder.parameters()} == {torch.bfloat16}
    assert runner.head.weight.dtype == encode_images(runner, bench.val.images).dtype
    assert runner.head.weight.dtype == torch.float32


def test_bfloat16_agrees_with_float32_within_the_interval(
    zeroshot: ImageClassifier, finetuned: ImageClassifier
) -> None:
    bench, alphas = tiny.benchmark(test=100), (0, 0.5, 1)
    full, rounded = (
        alpha_sweep(zeroshot, finetuned, bench, alphas=alphas, precision=p, progress=False)
        for p in ("float32", "bfloat16")
    )
    assert rounded["accuracy"].between(full["low"], full["high"]).all()


def test_accuracy_counts_and_has_the_exact_interval() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, -1.0], [-1.0, -2.0]])
    result = accuracy(logits, torch.tensor([0, 1, 1, 0]))
    assert (result.value, result.n) == (0.75, 4)
    assert (result.low, result.high) == clopper_pearson(3, 4)


def test_the_sweep_equals_evaluating_one_by_one(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    sweep = alpha_sweep(
        zeroshot, finetuned, bench, device="cpu", precision="float32", progress=False
    )
    assert list(sweep) == COLUMNS
    rows = sweep.itertuples()
    for alpha in ALPHAS:
        logits = exact(interpolate(zeroshot, finetuned, alpha), bench)
        for name, split in bench.distributions.items():
            row, expected = next(rows), accuracy(logits[name], split.labels)
            assert (row.alpha, row.distribution) == (alpha, name)
            assert (row.accuracy, row.low, row.high, row.n) == (
                expected.value,
                expected.low,
                expected.high,
                expected.n,
            )


def test_the_output_sweep_equals_ensembling_one_by_one(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    sweep = alpha_sweep(
        zeroshot,
        finetuned,
        bench,
        space="outputs",
        device="cpu",
        precision="float32",
        progress=False,
    ).set_index(["alpha", "distribution"])
    ends = exact(zeroshot, bench), exact(finetuned, bench)
    for alpha in ALPHAS:
        for name, split in bench.distributions.items():
            logits = ensemble_logits(ends[0][name], ends[1][name], alpha)
            expected = accuracy(logits, split.labels).value
            assert sweep.loc[(alpha, name), "accuracy"] == expected


@pytest.mark.parametrize("space", ["weights", "outputs"])
def test_the_ends_of_a_sweep_are_the_two_models(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark, space: str
) -> None:
    sweep = alpha_sweep(zeroshot, finetuned, bench, alphas=(0, 1), space=space, progress=False)  # type: ignore[arg-type]
    for alpha, model in ((0, zeroshot), (1, finetuned)):
        measured = sweep[sweep["alpha"] == alpha].set_index("distribution")["accuracy"]
        for name, split in bench.distributions.items():
            assert measured[name] == accuracy(predict(model, split), split.labels).value


@pytest.mark.parametrize("alpha", ALPHAS)
def test_for_a_linear_classifier_weights_and_outputs_average_alike(
    zeroshot: ImageClassifier, linear: ImageClassifier, bench: Benchmark, alpha: float
) -> None:
    weights = predict(interpolate(zeroshot, linear, alpha), bench.test)
    outputs = ensemble_logits(predict(zeroshot, bench.test), predict(linear, bench.test), alpha)
    # The largest logit that features of length 1 can have.
    largest = linear.head.weight.detach().norm(dim=1).max()
    torch.testing.assert_close(weights / largest, outputs / largest, atol=1e-6, rtol=0)


def test_a_linear_classifier_is_swept_with_one_pass(
    zeroshot: ImageClassifier,
    linear: ImageClassifier,
    bench: Benchmark,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = alpha_sweep(zeroshot, linear, bench, space="outputs", progress=False)
    seen = []
    encode = ImageClassifier.encode
    monkeypatch.setattr(
        ImageClassifier, "encode", lambda self, x: seen.append(len(x)) or encode(self, x)
    )
    sweep = alpha_sweep(zeroshot, linear, bench, progress=False)
    assert sum(seen) == sum(map(len, bench.distributions.values()))
    pd.testing.assert_frame_equal(sweep, full)


def test_sweeping_leaves_both_models_untouched(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    models = zeroshot, finetuned
    before = [{k: v.clone() for k, v in model.state_dict().items()} for model in models]
    alpha_sweep(zeroshot, finetuned, bench, progress=False)
    for model, state in zip(models, before, strict=True):
        for key, value in model.state_dict().items():
            assert torch.equal(value, state[key]), key


def test_kinds_and_names_tell_what_was_measured(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    sweep = alpha_sweep(zeroshot, finetuned, bench, alphas=[0.5], progress=False)
    assert dict(zip(sweep["distribution"], sweep["kind"], strict=True)) == {
        "photos": "reference",
        "sketches": "shift",
        "kites": "shift",
    }
    assert sweep.attrs == {"benchmark": "tiny", "model": "pocket-clip", "space": "weights"}


def test_distributions_may_be_named_or_given(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    named = alpha_sweep(
        zeroshot, finetuned, bench, alphas=[0.5], distributions=["kites"], progress=False
    )
    given = alpha_sweep(
        zeroshot, finetuned, bench, alphas=[0.5], distributions={"val": bench.val}, progress=False
    )
    assert (list(named["distribution"]), list(named["kind"])) == (["kites"], ["shift"])
    assert (list(given["distribution"]), list(given["kind"])) == (["val"], ["reference"])
    assert given["n"].item() == len(bench.val)


def test_a_table_of_logits_is_the_sweep_that_made_them(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    alphas = (0.0, 0.4, 1.0)
    logits = {alpha: exact(interpolate(zeroshot, finetuned, alpha), bench) for alpha in alphas}
    sweep = alpha_sweep(
        zeroshot, finetuned, bench, alphas=alphas, device="cpu", precision="float32", progress=False
    )
    pd.testing.assert_frame_equal(tabulate(logits, bench), sweep)
    validation = {0.4: {"validation": predict(finetuned, bench.val, device="cpu")}}
    table = tabulate(validation, bench, {"validation": bench.val})
    assert table["kind"].tolist() == ["reference"]
    with pytest.raises(UnknownNameError, match="validation"):
        tabulate(validation, bench)


@pytest.mark.parametrize("space", ["weights", "outputs"])
def test_a_sweep_keeps_the_logits_that_it_is_made_of(
    space: str, zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    kept: dict[float, dict[str, torch.Tensor]] = {}
    how = {"space": space, "device": "cpu", "precision": "float32", "progress": False}
    sweep = alpha_sweep(zeroshot, finetuned, bench, alphas=(0.0, 0.5, 1.0), keep=kept, **how)  # type: ignore[arg-type]
    assert list(kept[0.5]) == list(bench.distributions)
    pd.testing.assert_frame_equal(
        tabulate({alpha: kept[alpha] for alpha in (0.0, 0.5, 1.0)}, bench), sweep
    )
    for alpha, model in ((0.0, zeroshot), (1.0, finetuned)):
        for name, split in bench.distributions.items():
            alone = predict(model, split, device="cpu", precision="float32")
            torch.testing.assert_close(kept[alpha][name], alone)


@pytest.mark.parametrize("space", ["weights", "outputs"])
def test_the_reference_is_matched_to_the_classes_of_a_shift(
    space: str, zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    how = {"space": space, "alphas": (0.0, 1.0), "device": "cpu", "precision": "float32"}
    plain = alpha_sweep(zeroshot, finetuned, bench, progress=False, **how)  # type: ignore[arg-type]
    sweep = alpha_sweep(zeroshot, finetuned, bench, progress=False, matched=True, **how)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(sweep[sweep["kind"] != "matched"], plain)
    extra = sweep[sweep["kind"] == "matched"]
    assert extra["distribution"].tolist() == ["photos, classes of kites"] * 2
    positions, labels = bench.matched("kites")
    logits = predict(finetuned, bench.test, device="cpu", precision="float32")[positions]
    expected = accuracy(bench.shifts["kites"].mask(logits), labels)
    assert extra["accuracy"].iloc[1] == expected.value
    assert extra["n"].iloc[1] == len(labels) < len(bench.test)
    pd.testing.assert_frame_equal(summarise(sweep), summarise(plain))


def test_a_sweep_measures_what_a_split_asks_for(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    shift = replace(bench.shifts["sketches"], metric="macro-F1")
    changed = replace(bench, shifts={"sketches": shift})
    how = {"alphas": (0.0, 1.0), "device": "cpu", "precision": "float32", "progress": False}
    sweep = alpha_sweep(zeroshot, finetuned, changed, **how)  # type: ignore[arg-type]
    logits = predict(finetuned, shift, device="cpu", precision="float32")
    found = sweep[sweep["kind"] == "shift"].iloc[1]
    expected = macro_f1(logits, shift.labels)
    assert (found["accuracy"], found["low"]) == (expected.value, expected.low)
    # A single shift has its own interval, and no mean of several.
    summary = summarise(sweep).iloc[1]
    assert (summary["shifts_low"], summary["shifts_high"]) == (expected.low, expected.high)


def test_the_summary_is_the_mean_over_shifts() -> None:
    rows = [
        (0.0, "a", "reference", 0.8, 0.7, 0.9, 100),
        (0.0, "b", "shift", 0.5, 0.4, 0.6, 100),
        (0.0, "c", "shift", 0.9, 0.8, 1.0, 25),
    ]
    summary = summarise(pd.DataFrame(rows, columns=COLUMNS))
    half = 1.96 * np.sqrt(0.5 * 0.5 / 100 + 0.9 * 0.1 / 25) / 2
    assert summary.to_dict("records") == [
        pytest.approx(
            {
                "alpha": 0.0,
                "reference": 0.8,
                "reference_low": 0.7,
                "reference_high": 0.9,
                "shifts": 0.7,
                "shifts_low": 0.7 - half,
                "shifts_high": 0.7 + half,
            }
        )
    ]


def test_the_summary_has_a_row_for_each_alpha_in_their_order(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    alphas = (1.0, 0.0, 0.25)
    sweep = alpha_sweep(zeroshot, finetuned, bench, alphas=alphas, progress=False)
    summary = summarise(sweep)
    assert tuple(summary["alpha"]) == alphas
    for row in summary.itertuples():
        part = sweep[sweep["alpha"] == row.alpha].set_index("kind")["accuracy"]
        assert row.reference == part["reference"]
        assert row.shifts == pytest.approx(part["shift"].mean())
    assert summary.attrs == sweep.attrs


def test_the_summary_needs_shifts(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    sweep = alpha_sweep(
        zeroshot, finetuned, bench, alphas=[0.5], distributions=["photos"], progress=False
    )
    with pytest.raises(DataError, match="one reference distribution and its shifts"):
        summarise(sweep)


@pytest.mark.parametrize("alphas", [(-0.1,), (0.5, 1.5), (float("nan"),)])
def test_alpha_outside_the_segment(
    zeroshot: ImageClassifier,
    finetuned: ImageClassifier,
    bench: Benchmark,
    alphas: tuple[float, ...],
) -> None:
    with pytest.raises(AlphaError):
        alpha_sweep(zeroshot, finetuned, bench, alphas=alphas)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distributions": ["kite"]}, "distribution 'kite'; did you mean 'kites'"),
        ({"space": "weight"}, "space 'weight'; did you mean 'weights'"),
    ],
)
def test_unknown_names(
    zeroshot: ImageClassifier,
    finetuned: ImageClassifier,
    bench: Benchmark,
    options: dict[str, str],
    message: str,
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        alpha_sweep(zeroshot, finetuned, bench, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("which", ["zeroshot", "finetuned", "benchmark"])
def test_class_counts_must_agree(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark, which: str
) -> None:
    three = zeroshot_classifier(tiny.clip(), classnames=("a", "b", "c"), templates=["{}"])
    given = {
        "zeroshot": zeroshot,
        "finetuned": finetuned,
        "benchmark": bench,
        which: replace(bench, classnames=(*bench.classnames, "one more"))
        if which == "benchmark"
        else three,
    }
    with pytest.raises(DataError, match="all three must have the same"):
        alpha_sweep(**given)


def test_class_names_must_agree(
    zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark
) -> None:
    other = copy.deepcopy(finetuned)
    other.classnames = other.classnames[::-1]
    with pytest.raises(DataError, match="in another order"):
        alpha_sweep(zeroshot, other, bench)


def test_the_benchmark_must_list_its_classes_in_the_order_of_the_models(bench: Benchmark) -> None:
    names = bench.classnames[::-1]
    model = zeroshot_classifier(tiny.clip(), classnames=names, templates=bench.templates)
    with pytest.raises(DataError, match="those of benchmark 'tiny' in another order"):
        alpha_sweep(model, model, bench)


def test_labels_beyond_the_head(bench: Benchmark) -> None:
    two = zeroshot_classifier(tiny.clip(), classnames=("a", "b"), templates=["{}"])
    with pytest.raises(DataError, match="class 3, but the model has 2 classes"):
        predict(two, bench.test)


@pytest.mark.parametrize("head_only", [False, True])
def test_weights_that_are_not_numbers(
    zeroshot: ImageClassifier, bench: Benchmark, head_only: bool
) -> None:
    broken = tiny.moved(zeroshot, step=float("nan"), head_only=head_only)
    with pytest.raises(WeightMismatchError, match=r"head\.weight|image_encoder"):
        alpha_sweep(zeroshot, broken, bench)


@pytest.mark.parametrize("shape", [(2, 3), (3,), (0, 3)])
def test_logits_and_labels_must_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="do not fit together"):
        accuracy(torch.zeros(shape), torch.zeros(0 if shape[0] == 0 else 3, dtype=torch.int64))


@pytest.mark.parametrize(
    ("attribute", "value"), [("clip_name", "ViT-B-32"), ("mean", torch.ones(3)), ("image_size", 64)]
)
def test_models_that_read_images_differently_are_not_one(
    zeroshot: ImageClassifier, bench: Benchmark, attribute: str, value: object
) -> None:
    other = copy.deepcopy(zeroshot)
    setattr(other, attribute, value)
    with pytest.raises(WeightMismatchError, match="space='outputs'"):
        alpha_sweep(zeroshot, other, bench, progress=False)


def test_outputs_of_models_with_other_preprocessing_are_each_ones_own(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    other = copy.deepcopy(zeroshot)
    other.mean += 0.5
    sweep = alpha_sweep(zeroshot, other, bench, alphas=(1,), space="outputs", progress=False)
    expected = accuracy(predict(other, bench.test), bench.test.labels).value
    assert sweep.set_index("distribution").loc[bench.test.name, "accuracy"] == expected


def test_other_splits_must_have_the_models_classes(
    zeroshot: ImageClassifier, linear: ImageClassifier, bench: Benchmark
) -> None:
    labels = torch.full_like(bench.test.labels, 7)
    strange = {
        "labels": replace(bench.test, labels=labels),
        "classes": replace(bench.test, classes=(0, 1, 2, 3, 7)),
    }
    for split in strange.values():
        with pytest.raises(DataError, match="class 7"):
            alpha_sweep(zeroshot, linear, bench, distributions={"x": split}, progress=False)


def test_stacked_sweeps_are_not_summarised_as_one(
    zeroshot: ImageClassifier, linear: ImageClassifier, bench: Benchmark
) -> None:
    sweep = alpha_sweep(zeroshot, linear, bench, alphas=(0, 1), progress=False)
    with pytest.raises(DataError, match="one by one"):
        summarise(pd.concat([sweep, sweep]))


def test_half_precision_models_answer_in_single(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    assert predict(copy.deepcopy(zeroshot).half(), bench.test).dtype == torch.float32
