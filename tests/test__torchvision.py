"""open_clip imports, whatever build of torchvision stands beside torch."""

from __future__ import annotations

import subprocess
import sys


def in_a_fresh_interpreter(code: str) -> str:
    """Run code in a Python that has imported nothing yet, and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_open_clip_imports_after_it() -> None:
    code = """
from wiseft_tutorial._torchvision import ensure_torchvision
ensure_torchvision()
import open_clip
print("ViT-B-32" in open_clip.list_models())
"""
    assert in_a_fresh_interpreter(code) == "True"


def test_calling_it_twice_is_calling_it_once() -> None:
    code = """
import sys
from wiseft_tutorial._torchvision import ensure_torchvision
ensure_torchvision()
first = sys.modules["torchvision"]
ensure_torchvision()
print(sys.modules["torchvision"] is first)
"""
    assert in_a_fresh_interpreter(code) == "True"


def test_torchvision_that_is_there_already_is_left_alone() -> None:
    code = """
import sys, types
sys.modules["torchvision"] = theirs = types.ModuleType("torchvision")
from wiseft_tutorial._torchvision import ensure_torchvision
ensure_torchvision()
print(sys.modules["torchvision"] is theirs)
"""
    assert in_a_fresh_interpreter(code) == "True"


def test_a_torchvision_that_fails_for_another_reason_says_so() -> None:
    code = """
import builtins
from wiseft_tutorial._torchvision import ensure_torchvision
real = builtins.__import__
def fails(name, *rest):
    if name == "torchvision":
        raise RuntimeError("some other trouble")
    return real(name, *rest)
builtins.__import__ = fails
try:
    ensure_torchvision()
except RuntimeError as error:
    print(error)
"""
    assert in_a_fresh_interpreter(code) == "some other trouble"
