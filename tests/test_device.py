"""The device and the precision that are chosen, and what is said when they cannot be had."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch.nn.attention import SDPBackend

from wiseft_tutorial import device as device_module
from wiseft_tutorial.device import resolve_device, resolve_dtype, training_kernels
from wiseft_tutorial.errors import UnknownNameError

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(("present", "best"), [(True, CUDA), (False, CPU)])
def test_no_device_means_the_best_present(
    monkeypatch: pytest.MonkeyPatch, present: bool, best: torch.device
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert resolve_device(None) == best


def test_a_named_device_is_kept() -> None:
    assert resolve_device("cpu") == resolve_device(CPU) == CPU


@pytest.mark.parametrize("name", ["cuda", "cuda:1"])
def test_an_absent_gpu_is_an_error_that_says_what_to_pass(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(name == "cuda:1"))
    with pytest.raises(UnknownNameError, match=f"'{name}'.*device=None"):
        resolve_device(name)


def test_a_mistyped_device_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'cudda'; did you mean 'cuda'"):
        resolve_device("cudda")


def test_a_stated_precision_is_kept() -> None:
    assert resolve_dtype("float32", CPU) is torch.float32
    assert resolve_dtype("bfloat16", CPU) is torch.bfloat16


def test_a_mistyped_precision_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'float23'; did you mean 'float32'"):
        resolve_dtype("float23", CPU)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": False, "avx2": True}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_a_processor_without_bfloat16_units_gets_float32(
    monkeypatch: pytest.MonkeyPatch, flags: dict[str, bool], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    assert resolve_dtype("auto", CPU) is dtype


@pytest.mark.parametrize(
    ("capability", "dtype"), [((7, 5), torch.float32), ((8, 0), torch.bfloat16)]
)
def test_a_gpu_without_bfloat16_units_gets_float32(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert resolve_dtype("auto", CUDA) is dtype


def test_only_the_cpu_trains_with_the_plain_attention_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen: list[SDPBackend] = []

    def record(backend: SDPBackend) -> nullcontext[None]:
        chosen.append(backend)
        return nullcontext()

    monkeypatch.setattr(device_module, "sdpa_kernel", record)
    training_kernels(CUDA)
    assert chosen == []
    training_kernels(CPU)
    assert chosen == [SDPBackend.MATH]
