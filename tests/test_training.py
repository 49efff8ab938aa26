"""One run: it learns, by the stated optimiser only, and can be stopped and taken up again."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.errors import CheckpointError, DataError, WiseFTError
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.recipe import Recipe, learning_rate
from wiseft_tutorial.training import Training

CPU = torch.device("cpu")
E2E = Recipe(epochs=3, lr=1e-3, batch_size=10)
LC = replace(E2E, method="lc", epochs=4, lr=0.1)


def ignore(_: int) -> None:
    pass


def run(model: ImageClassifier, bench: Benchmark, recipe: Recipe, epochs: int = 99) -> Training:
    training = Training(model, bench, recipe, CPU)
    for _ in range(min(epochs, recipe.epochs)):
        training.run_epoch(ignore)
    return training


def untimed(training: Training) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in training.history]


@pytest.mark.parametrize("recipe", [E2E, LC], ids=["e2e", "lc"])
def test_learning_lowers_the_loss_and_leaves_the_start_untouched(
    zeroshot: ImageClassifier, bench: Benchmark, recipe: Recipe
) -> None:
    before = copy.deepcopy(zeroshot)
    history = run(zeroshot, bench, recipe).history
    assert [row["epoch"] for row in history] == list(range(1, recipe.epochs + 1))
    assert history[-1]["loss"] < history[0]["loss"]
    tiny.assert_same_weights(zeroshot, before)
    assert not zeroshot.training


def test_a_linear_classifier_moves_the_head_only(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    tuned = run(zeroshot, bench, LC).model
    tiny.assert_same_weights(tuned.image_encoder, zeroshot.image_encoder)
    assert not torch.equal(tuned.head.weight, zeroshot.head.weight)


def test_end_to_end_moves_every_weight(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    tuned = run(zeroshot, bench, E2E, epochs=1).model
    start = dict(zeroshot.named_parameters())
    for name, value in tuned.named_parameters():
        assert not torch.equal(value, start[name]), name


def test_one_step_is_adamw_on_the_clipped_gradient(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    recipe = Recipe(
        epochs=1, lr=1e-2, batch_size=99, crop_scale=None, precision="float32", clip_norm=0.5
    )
    tuned = run(zeroshot, bench, recipe).model
    by_hand = copy.deepcopy(zeroshot)
    F.cross_entropy(by_hand(bench.train.images), bench.train.labels).backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in by_hand.parameters()])  # type: ignore[misc]
    assert norm > 0.5
    with torch.no_grad():
        for parameter in by_hand.parameters():
            gradient = parameter.grad * 0.5 / norm  # type: ignore[operator]
            parameter *= 1 - 1e-2 * 0.1
            parameter -= 1e-2 * gradient / (gradient.abs() + 1e-8)
    for (name, value), expected in zip(tuned.named_parameters(), by_hand.parameters(), strict=True):
        clear = value.grad.abs() > 1e-5  # type: ignore[union-attr]  # elsewhere eps and rounding decide
        torch.testing.assert_close(value[clear], expected[clear], atol=1e-4, rtol=1e-3, msg=name)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    torch.manual_seed(1)
    first = run(zeroshot, bench, E2E, epochs=2)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    same = run(zeroshot, bench, E2E, epochs=2)
    assert torch.equal(torch.get_rng_state(), state)
    other = run(zeroshot, bench, replace(E2E, seed=1), epochs=2)
    tiny.assert_same_weights(first.model, same.model)
    assert untimed(first) == untimed(same) != untimed(other)


@pytest.mark.parametrize("recipe", [E2E, LC], ids=["e2e", "lc"])
def test_a_resumed_run_ends_bit_equal_to_an_uninterrupted_one(
    zeroshot: ImageClassifier, bench: Benchmark, recipe: Recipe, tmp_path: Path
) -> None:
    whole = run(zeroshot, bench, recipe)
    run(zeroshot, bench, recipe, epochs=1).save(tmp_path / "state", "key")
    resumed = Training(zeroshot, bench, recipe, CPU)
    resumed.resume(tmp_path / "state", "key")
    for _ in range(recipe.epochs - 1):
        resumed.run_epoch(ignore)
    tiny.assert_same_weights(resumed.model, whole.model)
    assert untimed(resumed) == untimed(whole)


def test_the_history_says_what_happened(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    seen: list[int] = []
    training = Training(zeroshot, bench, E2E, CPU)
    training.run_epoch(seen.append)
    row = training.history[0]
    assert seen == [10, 10, 4]  # the last, smaller batch is learnt from too
    assert row["lr"] == learning_rate(E2E, 2, 9)
    with torch.no_grad():
        predicted = training.model.eval()(bench.val.images).argmax(dim=1)
    right = (predicted == bench.val.labels).double().mean()
    assert row["val_accuracy"] == pytest.approx(float(right), abs=0.1)  # the encoder may be rounded
    assert 0 <= row["train_accuracy"] <= 1
    assert row["seconds"] > 0


def test_label_smoothing_reaches_the_loss(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    recipe = replace(LC, epochs=1, batch_size=99, label_smoothing=0.5, precision="float32")
    loss = run(zeroshot, bench, recipe).history[0]["loss"]
    with torch.no_grad():
        logits = zeroshot(bench.train.images)
    expected = F.cross_entropy(logits, bench.train.labels, label_smoothing=0.5)
    assert loss == pytest.approx(float(expected), rel=1e-4)


def test_a_diverged_run_says_so(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    with pytest.raises(WiseFTError, match=r"after epoch 1: .* Lower the learning rate, now 0\.001"):
        run(tiny.moved(zeroshot, step=float("nan")), bench, E2E)


@pytest.mark.parametrize("damage", ["another key", "another kind"])
def test_a_state_of_another_run_is_refused(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path, damage: str
) -> None:
    training = Training(zeroshot, bench, LC, CPU)
    path = tmp_path / "state"
    if damage == "another key":
        training.save(path, "other")
    else:
        zeroshot.save(path)
    with pytest.raises(CheckpointError, match="not a state of this run"):
        training.resume(path, "key")


def test_a_truncated_state_is_refused(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path
) -> None:
    training = run(zeroshot, bench, LC, epochs=1)
    training.save(tmp_path / "state", "key")
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="truncated"):
        training.resume(tmp_path / "state", "key")


def test_a_training_set_too_large_for_the_device_is_moved_batch_by_batch(
    zeroshot: ImageClassifier, bench: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = run(zeroshot, bench, E2E, epochs=1)
    monkeypatch.setattr("wiseft_tutorial.training._RESIDENT", 0)
    moved = run(zeroshot, bench, E2E, epochs=1)
    tiny.assert_same_weights(kept.model, moved.model)


def test_an_encoder_with_dropout_is_seeded_too(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    model = copy.deepcopy(zeroshot)
    model.image_encoder.ln_pre = nn.Dropout(0.5)
    before = torch.get_rng_state()
    first, second = (run(model, bench, E2E) for _ in range(2))
    tiny.assert_same_weights(first.model, second.model)
    assert torch.equal(before, torch.get_rng_state())


def test_activations_computed_again_change_nothing_but_the_memory(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    kept: dict[bool, int] = {}
    results = []
    for again in (False, True):
        training = Training(zeroshot, bench, replace(E2E, gradient_checkpointing=again), CPU)
        sizes: list[int] = []

        def note(tensor: Tensor, sizes: list[int] = sizes) -> Tensor:
            sizes.append(tensor.nbytes)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            training.run_epoch(ignore)
        kept[again] = sum(sizes)
        results.append(training.model)
    tiny.assert_same_weights(*results)
    assert kept[True] < kept[False] / 4
    assert not results[1].image_encoder.transformer.grad_checkpointing


@pytest.mark.parametrize("again", [False, True], ids=["kept", "checkpointed"])
def test_a_compiled_encoder_learns_the_same(
    zeroshot: ImageClassifier, bench: Benchmark, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Traced as for a GPU, but without a compiler: then even the bits are the same."""
    programs: list[int] = []

    def backend(graph: Any, _: Any) -> Any:
        parts = [part for part in graph.modules() if isinstance(part, torch.fx.GraphModule)]
        programs.append(sum(len(part.graph.nodes) for part in parts))
        return graph.forward

    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: compile_(function, backend=backend))
    recipe = replace(E2E, epochs=1, batch_size=16, gradient_checkpointing=again)
    plain = run(zeroshot, bench, recipe)
    assert not programs
    compiled = run(zeroshot, bench, replace(recipe, compiled=True))
    assert max(programs) > 50  # all of the encoder, and not a part here and there
    tiny.assert_same_weights(plain.model, compiled.model)
    assert compiled.model.state_dict().keys() == zeroshot.state_dict().keys()


def test_an_encoder_that_cannot_compute_again_is_named(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    model = copy.deepcopy(zeroshot)
    model.image_encoder = nn.Sequential(nn.Flatten(), nn.LazyLinear(zeroshot.head.in_features))
    model(bench.train.images[:1])
    with pytest.raises(DataError, match="Sequential cannot compute its activations again"):
        run(model, bench, replace(E2E, gradient_checkpointing=True))


def distance(a: ImageClassifier, b: ImageClassifier) -> float:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return float(sum(((x - y) ** 2).sum() for x, y in pairs).detach()) ** 0.5  # type: ignore[union-attr]


@pytest.mark.parametrize("recipe", [E2E, LC], ids=["e2e", "lc"])
def test_a_penalty_on_the_distance_keeps_the_weights_near(
    zeroshot: ImageClassifier, bench: Benchmark, recipe: Recipe
) -> None:
    free, held = (
        distance(run(zeroshot, bench, replace(recipe, l2_to_init=penalty)).model, zeroshot)
        for penalty in (0.0, 10.0)
    )
    assert 0 < held < free / 2


def test_the_penalty_is_the_squared_distance_to_the_start(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    """After one step from it, the loss of the next is larger by what the penalty says."""
    recipe = replace(
        LC, epochs=1, batch_size=8, clip_norm=None, weight_decay=0.0, warmup_steps=0, l2_to_init=0.5
    )
    steps: list[tuple[Tensor, float]] = []

    class Watched(Training):
        def _step(self, batch: Tensor, lr: float) -> Tensor:
            before = distance(self.model, zeroshot)
            with torch.no_grad():
                plain = F.cross_entropy(
                    self.model.classify(self._features[batch]), self._labels[batch]
                )
            result = super()._step(batch, lr)
            steps.append((result[0] / len(batch) - plain, 0.5 * before**2))
            return result

    Watched(zeroshot, bench, recipe, CPU).run_epoch(ignore)
    assert steps[0][1] == 0 < steps[1][1]
    for more, expected in steps:
        assert float(more) == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("recipe", [E2E, LC], ids=["e2e", "lc"])
def test_who_only_imitates_the_start_stays_there(
    zeroshot: ImageClassifier, bench: Benchmark, recipe: Recipe
) -> None:
    plain = replace(recipe, crop_scale=None, weight_decay=0.0, optimiser="sgd")
    moved = {
        share: distance(run(zeroshot, bench, replace(plain, distillation=share)).model, zeroshot)
        for share in (0.0, 0.5, 1.0)
    }
    assert moved[1.0] < moved[0.0] / 50
    assert moved[1.0] < moved[0.5] < moved[0.0]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", torch.optim.Adam), ("sgd", torch.optim.SGD), ("adamw", torch.optim.AdamW)],
)
def test_a_step_is_that_of_the_optimiser_asked_for(
    zeroshot: ImageClassifier, bench: Benchmark, name: Any, kind: Any
) -> None:
    recipe = replace(LC, epochs=1, batch_size=99, optimiser=name, warmup_steps=0)
    training = Training(zeroshot, bench, recipe, CPU)
    head = copy.deepcopy(training.model.head)
    options = {"momentum": 0.9} if name == "sgd" else {}
    reference = kind(head.parameters(), lr=recipe.lr, weight_decay=0.1, **options)
    loss = F.cross_entropy(
        training._features @ head.weight.T, bench.train.labels, label_smoothing=0.0
    )
    loss.backward()
    nn.utils.clip_grad_norm_(head.parameters(), 1.0)
    reference.step()
    training.run_epoch(ignore)
    torch.testing.assert_close(training.model.head.weight, head.weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_other_optimisers_resume_as_well(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path, name: Any
) -> None:
    recipe = replace(E2E, optimiser=name, l2_to_init=0.1, distillation=0.3)
    whole = run(zeroshot, bench, recipe)
    run(zeroshot, bench, recipe, epochs=2).save(tmp_path / "state", "key")
    resumed = Training(zeroshot, bench, recipe, CPU)
    resumed.resume(tmp_path / "state", "key")
    resumed.run_epoch(ignore)
    tiny.assert_same_weights(resumed.model, whole.model)
