import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

import wiseft_tutorial.pocket
from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.evaluate import ALPHAS
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.pocket.report import (
    LOGS,
    aims,
    measure_seeds,
    model_card,
    pocket_seeds,
    seed_table,
)
from wiseft_tutorial.pocket.styles import SHIFTS

HERE = Path(wiseft_tutorial.pocket.__file__).parent


@pytest.fixture(scope="module")
def seeds() -> pd.DataFrame:
    return pocket_seeds()


def test_the_table_has_every_method_seed_and_alpha_once(seeds: pd.DataFrame) -> None:
    sweeps = seeds.groupby(["shots", "method", "seed"])
    groups = sweeps.alpha.agg(tuple)
    assert len(groups) == 20
    assert set(groups) == {ALPHAS}
    assert (sweeps.chosen.sum() == 1).all()


def test_the_shifts_column_is_the_mean_of_the_shifts(seeds: pd.DataFrame) -> None:
    assert (seeds[list(SHIFTS)].mean(axis=1) - seeds.shifts).abs().max() < 2e-5
    assert (seeds.Pocket == seeds.reference).all()


def test_alpha_0_is_the_same_model_whatever_the_seed(seeds: pd.DataFrame) -> None:
    assert seeds[seeds.alpha == 0][["Pocket", *SHIFTS]].nunique().eq(1).all()


def test_the_effect_is_there_for_every_seed(seeds: pd.DataFrame) -> None:
    e2e = seeds[seeds.method == "e2e"].set_index(["shots", "seed", "alpha"])
    zeroshot, middle, finetuned = (e2e.xs(alpha, level="alpha") for alpha in (0.0, 0.5, 1.0))
    assert (finetuned.reference - zeroshot.reference >= 0.08).all()
    assert (finetuned.shifts < zeroshot.shifts).all()
    gain = middle.shifts - zeroshot.shifts
    assert (gain.loc[100] >= 0.02).all()
    assert (gain.loc[50] >= 0.015).all()
    assert (middle.shifts - finetuned.shifts >= 0.03).all()


@pytest.mark.parametrize("shots", [50, 100])
def test_most_aims_are_met_and_the_others_missed_by_little(seeds: pd.DataFrame, shots: int) -> None:
    found = aims(seeds[seeds.shots == shots])
    assert (found.met == "yes").sum() >= 6
    below, above = found.least - found.reached, found.reached - found.most
    assert pd.concat([below, above]).max() < 1.5


def test_an_aim_is_met_between_its_ends() -> None:
    rows = [("e2e", 0, a, False, *at) for a, at in {0.0: (0.7, 0.6), 0.5: (0.9, 0.62)}.items()]
    rows.append(("e2e", 0, 1.0, True, 0.905, 0.5))
    columns = ["method", "seed", "alpha", "chosen", "reference", "shifts"]
    tables = [pd.DataFrame(rows, columns=columns).assign(method=m) for m in ("e2e", "lc")]
    assert list(aims(pd.concat(tables)).met) == ["yes", "yes", "yes", "yes", "yes", "no", "yes"]


def test_measuring_gives_a_row_for_each_alpha_and_one_choice(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    zeroshot: ImageClassifier,
    bench: Benchmark,
) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path))
    found = measure_seeds(zeroshot, bench, shots=2, seeds=1, epochs=1, batch_size=4)
    assert found.groupby("method").alpha.agg(tuple).to_dict() == {"e2e": ALPHAS, "lc": ALPHAS}
    assert set(found.shots) == {2}
    assert (found.groupby("method").chosen.sum() == 1).all()
    assert set(bench.distributions) < set(found.columns)
    assert (found.reference == found.photos).all()
    assert found.shifts.tolist() == pytest.approx(found[list(bench.shifts)].mean(axis=1).tolist())


def test_the_summary_is_the_mean_and_deviation_of_the_rows(seeds: pd.DataFrame) -> None:
    few = seeds[seeds.shots == 50]
    row = seed_table(few).loc[("e2e", "0.5")]
    rows = few[(few.method == "e2e") & (few.alpha == 0.5)]
    assert row.shifts == pytest.approx(rows.shifts.mean())
    assert row.shifts_sd == pytest.approx(rows.shifts.std())


def test_the_card_is_the_one_that_the_files_give(seeds: pd.DataFrame) -> None:
    assert (HERE / "MODEL_CARD.md").read_text() == model_card(seeds)


@pytest.mark.parametrize("name", LOGS)
def test_the_card_names_the_shipped_weights(name: str) -> None:
    digest = hashlib.sha256((HERE / f"{name}.safetensors").read_bytes()).hexdigest()
    assert digest in (HERE / "MODEL_CARD.md").read_text()
    assert (HERE / f"{name}.safetensors").stat().st_size < 16e6


@pytest.mark.parametrize("name", LOGS)
def test_the_log_ends_where_the_weights_begin(name: str) -> None:
    log = [json.loads(line) for line in (HERE / LOGS[name]).read_text().splitlines()]
    steps = [row["step"] for row in log]
    assert steps == sorted(set(steps))
    assert f"{steps[-1]} steps" in (HERE / "MODEL_CARD.md").read_text()
