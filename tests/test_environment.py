"""pyproject.toml says what the package needs; the lock and the conda environment agree with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

if sys.version_info < (3, 11):
    pytest.skip("reading pyproject.toml takes Python 3.11", allow_module_level=True)
import tomllib

CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    return project


@pytest.fixture(scope="module")
def needed(project: dict[str, Any]) -> dict[str, Requirement]:
    return {r.name: r for r in map(Requirement, project["dependencies"])}


@pytest.fixture(scope="module")
def locked(root: Path) -> dict[str, str]:
    lines = (root / "requirements-book.lock").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


@pytest.fixture(scope="module")
def conda(root: Path) -> list[Any]:
    dependencies: list[Any] = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    return dependencies


def test_the_package_asks_for_lower_bounds_only(needed: dict[str, Requirement]) -> None:
    """An upper bound would make Colab replace what it has, or make pip give up there."""
    for requirement in needed.values():
        assert [specifier.operator for specifier in requirement.specifier] == [">="], requirement


def test_the_lock_holds_whatever_pyproject_asks_for(
    project: dict[str, Any], needed: dict[str, Requirement], locked: dict[str, str]
) -> None:
    extras = [Requirement(r) for group in project["optional-dependencies"].values() for r in group]
    for requirement in [*needed.values(), *extras]:
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"the lock lacks {requirement.name}"
        assert requirement.specifier.contains(version), f"{requirement} but {version} is locked"


def test_the_lock_pins_exactly_and_for_any_machine(locked: dict[str, str]) -> None:
    for name, version in locked.items():
        assert str(Version(version)) == version
        assert "+" not in version, f"{name}: a build for one kind of machine"
        assert not name.startswith(("nvidia-", "cuda-", "triton")), f"{name}: pip resolves it"


def test_conda_installs_what_the_package_asks_for(
    needed: dict[str, Requirement], conda: list[Any]
) -> None:
    """Also so that pip, which comes last, has nothing left to fetch: a second torch, say."""
    specified = {item for item in conda if isinstance(item, str)}
    for name, requirement in needed.items():
        conda_name = CONDA_NAMES.get(name, canonicalize_name(name))
        assert f"{conda_name}{requirement.specifier}" in specified


def test_conda_installs_the_package_itself(conda: list[Any]) -> None:
    assert {"pip": ["-e ."]} in conda


def test_conda_takes_a_python_that_the_package_allows(
    project: dict[str, Any], conda: list[Any]
) -> None:
    (python,) = (item for item in conda if isinstance(item, str) and item.startswith("python="))
    assert Requirement(f"python{project['requires-python']}").specifier.contains(
        python.removeprefix("python=")
    )
