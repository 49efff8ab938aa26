"""open_clip imports, whatever build of torchvision stands beside torch."""

from __future__ import annotations

import builtins
import subprocess
import sys
import types
from typing import Any

import pytest

from wiseft_tutorial._torchvision import ensure_torchvision


def test_open_clip_imports_after_it_however_often_it_is_called() -> None:
    code = """
import sys
from wiseft_tutorial._torchvision import ensure_torchvision
ensure_torchvision()
first = sys.modules["torchvision"]
ensure_torchvision()
assert sys.modules["torchvision"] is first
import open_clip
assert "ViT-B-32" in open_clip.list_models()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_torchvision_that_is_there_already_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = types.ModuleType("torchvision")
    monkeypatch.setitem(sys.modules, "torchvision", theirs)
    ensure_torchvision()
    assert sys.modules["torchvision"] is theirs


def test_a_torchvision_that_fails_for_another_reason_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def fails(name: str, *rest: Any) -> Any:
        if name == "torchvision":
            raise RuntimeError("some other trouble")
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(builtins, "__import__", fails)
    with pytest.raises(RuntimeError, match="some other trouble"):
        ensure_torchvision()
