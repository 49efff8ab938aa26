"""Where a network runs and how precisely: the best device present, and bfloat16 where it wins.

bfloat16 keeps float32's range with 8 significant bits. Weights are always *kept* and averaged in
float32; only the image encoder's arithmetic may be bfloat16, and logits are float32 again.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal, TypeAlias

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from wiseft_tutorial.errors import UnknownNameError, unknown

__all__ = ["Precision", "resolve_device", "resolve_dtype", "training_kernels"]

Precision: TypeAlias = Literal["auto", "float32", "bfloat16"]
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def resolve_device(device: str | torch.device | None = None) -> torch.device:
    """The device to compute on; ``None`` means the best present: a CUDA GPU, else the CPU.

    Args:
        device: A device, its name (``"cuda"``, ``"cpu"``), or ``None``.

    Returns:
        The device.

    Raises:
        UnknownNameError: There is no such device here.

    Explained in: chapter 2.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except RuntimeError:
        raise unknown("device", str(device), ("cpu", "cuda")) from None
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise UnknownNameError(
            f"there is no device {str(resolved)!r} here: torch sees {torch.cuda.device_count()} "
            "CUDA GPUs. Pass device=None for the best device present."
        )
    return resolved


def resolve_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The number format of the image encoder's arithmetic on a device.

    Args:
        precision: ``"float32"``, ``"bfloat16"``, or ``"auto"``: bfloat16 where the hardware has
            units for it, which makes it faster, and float32 elsewhere, where it would be emulated.
        device: Where the encoder runs.

    Returns:
        ``torch.float32`` or ``torch.bfloat16``.

    Raises:
        UnknownNameError: No such precision.

    Explained in: chapter 4.
    """
    if precision == "auto":
        return torch.bfloat16 if _has_bfloat16_units(device) else torch.float32
    if precision not in _DTYPES:
        raise unknown("precision", precision, ("auto", *_DTYPES))
    return _DTYPES[precision]


def training_kernels(device: torch.device) -> AbstractContextManager[None]:
    """A context in which training picks the faster attention kernel.

    On a CPU the backward pass of the fused bfloat16 kernel costs more than the whole rest of the
    step, so the plain matrix products win there by a factor of two. Elsewhere torch chooses well.

    Args:
        device: Where the training runs.

    Returns:
        A context manager.

    Explained in: chapter 3.
    """
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def _has_bfloat16_units(device: torch.device) -> bool:
    if device.type == "cuda":
        # Emulation counts as support by default; Ampere (8.0) was the first with the units.
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        flags: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return bool(flags.get("avx512_bf16") or flags.get("amx_bf16"))
    return False
