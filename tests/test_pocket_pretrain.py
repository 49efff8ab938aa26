import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from wiseft_tutorial.errors import CheckpointError, DataError, UnknownNameError
from wiseft_tutorial.models import load_clip
from wiseft_tutorial.pocket.lessons import LESSONS
from wiseft_tutorial.pocket.objects import CLASSNAMES
from wiseft_tutorial.pocket.pretrain import Pretraining, _Stream, pretrain
from wiseft_tutorial.supervised import load_supervised

CPU = torch.device("cpu")
TINY = Pretraining(
    steps=4,
    cooldown=2,
    warmup=1,
    batch_size=16,
    fresh=12,
    store=48,
    seed=3,
    precision="float32",  # the default takes seconds a step on many a processor
)


def _pretrain(settings: Pretraining, out: Path, every: int) -> Path:
    return pretrain(settings, out, device=CPU, every=every, validation_per_class=1)


@pytest.fixture(scope="module", params=LESSONS)
def tiny(request: pytest.FixtureRequest) -> Pretraining:
    """The settings of a short run, with either lesson."""
    return replace(TINY, learn_from=request.param)


@pytest.fixture(scope="module")
def finished(tiny: Pretraining, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a whole run, which no test changes, in the folder of the run."""
    return _pretrain(tiny, tmp_path_factory.mktemp("finished"), every=2)


def test_the_rate_rises_stays_and_falls_to_almost_nothing() -> None:
    run = Pretraining(steps=100, cooldown=20, warmup=10, lr=1.0)
    rates = [run.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:80] == [1.0] * 70
    assert rates[-1] == pytest.approx(0.05)
    assert rates == sorted(rates[:10]) + rates[10:80] + sorted(rates[80:], reverse=True)


def test_a_resumed_run_ends_as_an_uninterrupted_one(
    tmp_path: Path, tiny: Pretraining, finished: Path
) -> None:
    whole = load_file(finished)
    _pretrain(replace(tiny, steps=2, cooldown=0), tmp_path / "halves", every=2)
    resumed = load_file(_pretrain(tiny, tmp_path / "halves", every=2))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    log = (tmp_path / "halves" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [2, 4]


def test_a_finished_model_is_where_a_later_run_begins(
    tmp_path: Path, tiny: Pretraining, finished: Path
) -> None:
    same, more = (
        pretrain(
            replace(tiny, steps=steps, lr=1e-4),
            tmp_path / str(steps),
            device=CPU,
            after=finished.parent,
            every=4,
            validation_per_class=1,
        )
        for steps in (4, 8)
    )
    begun, unmoved, moved = (load_file(path) for path in (finished, same, more))
    assert all(torch.equal(begun[key], unmoved[key]) for key in begun)
    assert any(not torch.equal(begun[key], moved[key]) for key in begun)
    assert any(torch.equal(begun[key], moved[key]) for key in begun)
    log = [json.loads(line) for line in (more.parent / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [2, 4, 8]
    assert log[2]["seconds"] >= log[1]["seconds"]
    with safe_open(more, "pt") as file:
        settings, earlier = (json.loads(file.metadata()[k]) for k in ("settings", "earlier"))
    assert settings["start"] == earlier[0]["steps"] == 4
    assert len(earlier) == 1


def test_a_later_run_warms_up_again() -> None:
    run = Pretraining(steps=100, cooldown=0, warmup=10, lr=1.0, start=50)
    assert [run.rate(50), run.rate(54), run.rate(60)] == pytest.approx([0.1, 0.5, 1.0])


@pytest.mark.parametrize(
    "other",
    [{"world": "angles"}, {"optimiser": "adamw"}],
    ids=["world", "optimiser"],
)
def test_other_settings_give_another_model(
    tmp_path: Path, tiny: Pretraining, finished: Path, other: dict[str, Any]
) -> None:
    settings = replace(tiny, **other)
    ours, theirs = load_file(finished), load_file(_pretrain(settings, tmp_path, every=4))
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours)


def test_another_precision_gives_another_model(tmp_path: Path, tiny: Pretraining) -> None:
    short = replace(tiny, optimiser="adamw", steps=2, cooldown=0)  # Muon takes seconds, rounded
    ours, theirs = (
        load_file(_pretrain(replace(short, precision=precision), tmp_path / precision, every=2))
        for precision in ("float32", "bfloat16")
    )
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours)


def test_unknown_choices_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown world 'wep'; did you mean 'web'"):
        Pretraining(world="wep")
    with pytest.raises(UnknownNameError, match="unknown optimiser"):
        Pretraining(optimiser="sgd")
    with pytest.raises(UnknownNameError, match="'labels'"):
        Pretraining(learn_from="label")


@pytest.mark.parametrize("tiny", ["captions"], indirect=True)
def test_captions_give_a_clip_that_loads(finished: Path) -> None:
    clip = load_clip("pocket", pretrained=str(finished), device="cpu")
    assert clip.encode_text(["a lemon"]).shape == (1, 128)
    assert finished.stat().st_size < 16e6


@pytest.mark.parametrize("tiny", ["labels"], indirect=True)
def test_labels_give_a_classifier_that_loads(finished: Path) -> None:
    model = load_supervised(pretrained=finished, device="cpu")
    assert model.classnames == CLASSNAMES
    assert finished.stat().st_size < 2e6


def test_both_lessons_show_the_same_pictures() -> None:
    both = []
    for lesson in (kind(CPU) for kind in LESSONS.values()):
        stream = _Stream(TINY, lesson, CPU)
        stream.seek(3)
        both.append(stream.next()[0])
    assert torch.equal(*both)


@pytest.mark.parametrize("change", [{"lr": 1e-3}, {"steps": 1, "cooldown": 1}], ids=str)
def test_the_checkpoints_of_another_run_are_not_overwritten(
    tiny: Pretraining, finished: Path, change: dict[str, Any]
) -> None:
    before = {path: path.read_bytes() for path in finished.parent.iterdir()}
    with pytest.raises(CheckpointError, match="--out"):
        _pretrain(replace(tiny, **change), finished.parent, every=2)
    assert {path: path.read_bytes() for path in finished.parent.iterdir()} == before


def test_a_lengthened_run_forgets_what_its_log_said_of_the_fall(
    tmp_path: Path, tiny: Pretraining, finished: Path
) -> None:
    longer = shutil.copytree(finished.parent, tmp_path / "longer")
    _pretrain(replace(tiny, steps=6), longer, every=1)
    log = (longer / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("fresh", [0, 2, 100])
def test_pictures_come_in_threes(fresh: int) -> None:
    with pytest.raises(DataError, match="threes"):
        Pretraining(fresh=fresh)
