"""What several test files share."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny

import build
from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.models import ImageClassifier

ROOT = Path(__file__).resolve().parent.parent
NUMBERED = [name for name in build.Book(ROOT).chapters if name[0].isdigit()]  # no appendices
RUNS = pytest.StashKey[list[build.Run]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person ask for more: ``make test ARGS="--screenshots --thorough"``."""
    parser.addoption("--screenshots", action="store_true", help="keep a picture of every page")
    parser.addoption(
        "--thorough", action="store_true", help="every chapter on other data and devices"
    )


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def bench() -> Benchmark:
    """A benchmark of a few images; no test changes it."""
    return tiny.benchmark()


@pytest.fixture(scope="session")
def zeroshot() -> ImageClassifier:
    """A classifier that has not learnt yet; no test changes it."""
    return tiny.zeroshot()


@pytest.fixture(scope="session")
def wanted(request: pytest.FixtureRequest) -> list[str]:
    """The chapters that the collected tests are about."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    chosen = {call.params.get("chapter") for call in calls if call}
    return [chapter for chapter in build.Book(ROOT).chapters if chapter in chosen]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how long the chapters took and how much memory; reported, because machines differ."""
    if runs := config.stash.get(RUNS, []):
        terminalreporter.section("chapters, fast tier")
        terminalreporter.write_line(build.report(runs))
