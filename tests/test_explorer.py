"""The explorer: each step of its slider truly merges, truly classifies, and says what it found."""

from __future__ import annotations

import re

import pandas as pd
import pytest
import torch
from torch import nn

from wiseft_tutorial.benchmarks import Benchmark, Split
from wiseft_tutorial.errors import AlphaError, WeightMismatchError
from wiseft_tutorial.evaluate import alpha_sweep, predict, summarise
from wiseft_tutorial.explorer import Explorer, explore
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.weights import interpolate

CLASSES = ("lemon", "orange", "pear & quince", "plum")
SIZE = 6


def classifier(seed: int, classes: int = len(CLASSES)) -> ImageClassifier:
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 16), nn.GELU())
    return ImageClassifier(
        encoder,
        20 * torch.randn(classes, 16),
        classnames=CLASSES[:classes],
        clip_name="tiny",
        image_size=SIZE,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
    ).eval()


def split(name: str, seed: int, classes: tuple[int, ...] | None = None) -> Split:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (60, 3, SIZE, SIZE), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, len(CLASSES), (60,), generator=generator)
    if classes is not None:
        labels = torch.tensor(classes)[labels % len(classes)]
    return Split(name, images, labels, classes)


@pytest.fixture(scope="module")
def models() -> tuple[ImageClassifier, ImageClassifier]:
    return classifier(0), classifier(1)


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    reference = split("Tiny", 0)
    shifts = {"Tiny-V2": split("Tiny-V2", 1), "Tiny-R": split("Tiny-R", 2, classes=(0, 2))}
    return Benchmark(
        "tiny", CLASSES, ("a {}.",), train=reference, val=reference, test=reference, shifts=shifts
    )


@pytest.fixture(scope="module")
def sweep(models: tuple[ImageClassifier, ImageClassifier], benchmark: Benchmark) -> pd.DataFrame:
    return alpha_sweep(*models, benchmark, progress=False)


@pytest.fixture
def explorer(
    models: tuple[ImageClassifier, ImageClassifier], benchmark: Benchmark, sweep: pd.DataFrame
) -> Explorer:
    return explore(*models, benchmark, sweep=sweep, gallery=dict(benchmark.distributions))


def text_of(explorer: Explorer) -> str:
    return str(explorer._status.value)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.55, 1.0])
def test_moving_the_slider_classifies_with_the_merged_weights(
    explorer: Explorer,
    models: tuple[ImageClassifier, ImageClassifier],
    benchmark: Benchmark,
    alpha: float,
) -> None:
    explorer.slider.value = alpha
    merged = interpolate(*models, alpha)
    logits = [predict(merged, s) for s in benchmark.distributions.values()]
    torch.testing.assert_close(explorer.probabilities, torch.cat(logits).softmax(dim=1))


def test_the_models_are_left_untouched(
    explorer: Explorer, models: tuple[ImageClassifier, ImageClassifier]
) -> None:
    before = [{k: v.clone() for k, v in model.state_dict().items()} for model in models]
    explorer.slider.value = 0.8
    for model, state in zip(models, before, strict=True):
        assert all(torch.equal(model.state_dict()[key], state[key]) for key in state)


def test_every_step_reuses_one_working_copy(explorer: Explorer) -> None:
    addresses = [p.data_ptr() for p in explorer._merged.parameters()]
    weights = [p.clone() for p in explorer._merged.parameters()]
    explorer.slider.value = 0.9
    assert [p.data_ptr() for p in explorer._merged.parameters()] == addresses
    assert not any(map(torch.equal, explorer._merged.parameters(), weights))


def test_the_point_follows_the_measured_curve(explorer: Explorer, sweep: pd.DataFrame) -> None:
    measured = summarise(sweep).set_index("alpha")
    places = set()
    for alpha in (0.0, 0.4, 1.0):
        explorer.slider.value = alpha
        row = measured.loc[alpha]
        assert explorer.position == pytest.approx((row["reference"], row["shifts"]))
        places.add(explorer._point.value)
    assert len(places) == 3


def test_between_measured_alphas_the_point_is_halfway(
    explorer: Explorer, sweep: pd.DataFrame
) -> None:
    measured = summarise(sweep).set_index("alpha")
    explorer.slider.value = 0.45
    halfway = (measured.loc[0.4, "reference"] + measured.loc[0.5, "reference"]) / 2
    assert explorer.position[0] == pytest.approx(halfway)


def test_the_point_lies_on_its_picture(explorer: Explorer) -> None:
    for alpha in (0.0, 0.5, 1.0):
        explorer.slider.value = alpha
        found = re.findall(r"(?:left|top): ([\d.]+)%", explorer._point.value)
        assert len(found) == 2
        assert all(0 < float(percentage) < 100 for percentage in found)


def test_the_status_says_what_the_gallery_shows(explorer: Explorer) -> None:
    explorer.slider.value = 0.7
    right = int((explorer.probabilities.argmax(1) == explorer.labels).sum())
    assert f"{right} of {len(explorer.labels)} images right" in text_of(explorer)
    assert "α = 0.70" in text_of(explorer)
    assert "on average under two shifts" in text_of(explorer)
    assert explorer._cards.value.count('class="card right"') == right
    assert explorer._cards.value.count("✓") == right
    assert explorer._cards.value.count("✗") == len(explorer.labels) - right


def test_every_card_shows_the_truth_and_the_answer(explorer: Explorer) -> None:
    explorer.slider.value = 0.25
    written = explorer._cards.value.split('<div class="card')[1:]
    answers = explorer.probabilities.argmax(1)
    for card, truth, answer in zip(written, explorer.labels, answers, strict=True):
        names = [CLASSES[int(k)].replace("&", "&amp;") for k in (truth, answer)]
        assert f'aria-label="{names[0]}"' in card
        assert card.count('<div class="bar') == 3
        (first,) = re.findall(r"<span>[✓✗] ([^<]*)</span>", card)
        assert first == names[1]


def test_classes_that_a_distribution_lacks_are_no_answer(explorer: Explorer) -> None:
    assert torch.equal(explorer.probabilities[-60:, [1, 3]], torch.zeros(60, 2))
    assert (explorer.probabilities[:60] > 0).all()


def test_every_image_is_sent_once_and_enlarged_sharply(explorer: Explorer) -> None:
    style = explorer.children[0].children[0].value
    assert style.count("data:image/png;base64,") == len(explorer.labels)
    assert "image-rendering: pixelated" in style
    assert "data:image" not in explorer._cards.value


def test_two_explorers_do_not_share_their_images(
    explorer: Explorer,
    models: tuple[ImageClassifier, ImageClassifier],
    benchmark: Benchmark,
    sweep: pd.DataFrame,
) -> None:
    assert explore(*models, benchmark, sweep=sweep)._css != explorer._css


def test_by_default_the_gallery_shows_where_the_models_disagree(
    models: tuple[ImageClassifier, ImageClassifier], benchmark: Benchmark, sweep: pd.DataFrame
) -> None:
    explorer = explore(*models, benchmark, sweep=sweep)
    assert len(explorer.labels) == 2 * len(benchmark.distributions)
    answers = []
    for alpha in (0.0, 1.0):
        explorer.slider.value = alpha
        answers.append(explorer.probabilities.argmax(1))
    right_0, right_1 = (answer == explorer.labels for answer in answers)
    assert (answers[0] != answers[1]).all()
    assert (right_0 & ~right_1).any()
    assert (right_1 & ~right_0).any()


def test_equal_models_still_have_a_gallery(
    models: tuple[ImageClassifier, ImageClassifier], benchmark: Benchmark, sweep: pd.DataFrame
) -> None:
    explorer = explore(models[0], models[0], benchmark, sweep=sweep)
    assert len(explorer.labels) == 2 * len(benchmark.distributions)


def test_without_a_sweep_the_curve_is_measured(
    models: tuple[ImageClassifier, ImageClassifier],
    benchmark: Benchmark,
    sweep: pd.DataFrame,
) -> None:
    explorer = explore(*models, benchmark, alpha=0.2)
    row = summarise(sweep).set_index("alpha").loc[0.2]
    assert explorer.slider.value == 0.2
    assert explorer.position == pytest.approx((row["reference"], row["shifts"]))


def test_what_cannot_be_merged_is_refused(
    models: tuple[ImageClassifier, ImageClassifier], benchmark: Benchmark, sweep: pd.DataFrame
) -> None:
    with pytest.raises(WeightMismatchError, match=r"head\.weight"):
        explore(models[0], classifier(1, classes=3), benchmark, sweep=sweep)
    with pytest.raises(AlphaError):
        explore(*models, benchmark, sweep=sweep, alpha=1.5)


def test_a_step_is_quick(explorer: Explorer) -> None:
    steps = []
    for step in range(11):
        explorer.slider.value = step / 10
        steps.append(explorer.seconds)
    assert sorted(steps)[len(steps) // 2] < 0.1
