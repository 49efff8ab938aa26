import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from wiseft_tutorial.errors import CheckpointError, DataError, UnknownNameError
from wiseft_tutorial.models import load_clip
from wiseft_tutorial.pocket.pretrain import Pretraining, pretrain

CPU = torch.device("cpu")
TINY = Pretraining(steps=4, cooldown=2, warmup=1, batch_size=16, fresh=12, store=48, seed=3)


def _pretrain(settings: Pretraining, out: Path, every: int) -> Path:
    return pretrain(settings, out, device=CPU, every=every, validation_per_class=1)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a whole run, which no test changes, in the folder of the run."""
    return _pretrain(TINY, tmp_path_factory.mktemp("finished"), every=2)


def test_the_rate_rises_stays_and_falls_to_almost_nothing() -> None:
    run = Pretraining(steps=100, cooldown=20, warmup=10, lr=1.0)
    rates = [run.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10:80] == [1.0] * 70
    assert rates[-1] == pytest.approx(0.05)
    assert rates == sorted(rates[:10]) + rates[10:80] + sorted(rates[80:], reverse=True)


def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path: Path, finished: Path) -> None:
    whole = load_file(finished)
    first = Pretraining(**{**TINY.__dict__, "steps": 2, "cooldown": 0})
    _pretrain(first, tmp_path / "halves", every=2)
    resumed = load_file(_pretrain(TINY, tmp_path / "halves", every=2))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    log = (tmp_path / "halves" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [2, 4]


def test_a_finished_model_is_where_a_later_run_begins(tmp_path: Path, finished: Path) -> None:
    same, more = (
        pretrain(
            Pretraining(**{**TINY.__dict__, "steps": steps, "lr": 1e-4}),
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
    "other", [{"world": "angles"}, {"optimiser": "adamw"}], ids=["world", "optimiser"]
)
def test_another_world_or_optimiser_gives_another_model(
    tmp_path: Path, finished: Path, other: dict[str, str]
) -> None:
    settings = Pretraining(**{**TINY.__dict__, **other})
    ours, theirs = load_file(finished), load_file(_pretrain(settings, tmp_path, every=4))
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours)


def test_unknown_worlds_and_optimisers_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown world 'wep'; did you mean 'web'"):
        Pretraining(world="wep")
    with pytest.raises(UnknownNameError, match="unknown optimiser"):
        Pretraining(optimiser="sgd")


def test_the_result_is_a_clip_that_loads(finished: Path) -> None:
    clip = load_clip("pocket", pretrained=str(finished), device="cpu")
    assert clip.encode_text(["a lemon"]).shape == (1, 128)
    assert finished.stat().st_size < 16e6


@pytest.mark.parametrize("change", [{"lr": 1e-3}, {"steps": 1, "cooldown": 1}], ids=str)
def test_the_checkpoints_of_another_run_are_not_overwritten(
    finished: Path, change: dict[str, float]
) -> None:
    before = {path: path.read_bytes() for path in finished.parent.iterdir()}
    with pytest.raises(CheckpointError, match="--out"):
        _pretrain(Pretraining(**{**TINY.__dict__, **change}), finished.parent, every=2)
    assert {path: path.read_bytes() for path in finished.parent.iterdir()} == before


def test_a_lengthened_run_forgets_what_its_log_said_of_the_fall(
    tmp_path: Path, finished: Path
) -> None:
    longer = shutil.copytree(finished.parent, tmp_path / "longer")
    _pretrain(Pretraining(**{**TINY.__dict__, "steps": 6}), longer, every=1)
    log = (longer / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("fresh", [0, 2, 100])
def test_pictures_come_in_threes(fresh: int) -> None:
    with pytest.raises(DataError, match="threes"):
        Pretraining(fresh=fresh)
