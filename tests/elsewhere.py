"""A second device that is only pretended: it finds tensors that are left behind, without a GPU.

Its tensors say that they are elsewhere, and keep their values on the CPU. Whatever mixes them with
tensors that are not there fails, as on a GPU. `enter` holds for the rest of the process.
Forward-mode derivatives, as chapter 9 takes them, cannot be pretended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

NAME = "elsewhere"
POSSIBLE = hasattr(backend_registration, "_setup_privateuseone_for_python_backend")
_AT = torch.ops.aten
_CROSSING = (_AT.copy_.default, _AT._to_copy.default)
_INDEXING = (_AT.index.Tensor, _AT.index_put.default, _AT.index_put_.default)
_INDEXING += (_AT._index_put_impl_.default,)


class Elsewhere(Tensor):
    """A tensor that says that it is on the pretended device."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> Elsewhere:
        return torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=torch.device(NAME, 0),
        )

    def __init__(self, inner: Tensor) -> None:
        self.inner = inner

    # With these two, a module that moves to the device exchanges its parameters.
    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["inner"], None

    @staticmethod
    def __tensor_unflatten__(inner: Mapping[str, Tensor], *_: object) -> Elsewhere:
        return Elsewhere(inner["inner"])

    def __repr__(self, **_: Any) -> str:
        return f"{NAME}({self.inner!r})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec)

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(func, args, kwargs or {})


class _Operations(TorchDispatchMode):
    def __torch_dispatch__(
        self, func: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(func, args, kwargs or {})


class _Python(TorchFunctionMode):
    """What torch does with Python's numbers below the level of operations."""

    def __torch_function__(
        self, func: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.tolist:
            return args[0].detach().cpu().tolist()
        if func is torch.Tensor.data_ptr and isinstance(args[0], Elsewhere):
            return args[0].inner.data_ptr()
        if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__):
            where = args[1]
            if isinstance(where, list):  # an empty one is of whole numbers, not of fractions
                where = torch.tensor(where, dtype=None if where else torch.int64)
            return func(args[0], where, *args[2:])
        device = kwargs.get("device")
        if func in (torch.tensor, torch.as_tensor) and _is_there(device):
            del kwargs["device"]
            return func(*args, **kwargs).to(device)
        return func(*args, **kwargs)


class _Backend:
    """What torch asks the module of a device."""

    def __init__(self) -> None:
        always: dict[str, Callable[..., object]] = {
            "is_initialized": lambda: True,
            "is_available": lambda: True,
            "_is_in_bad_fork": lambda: False,
            "current_device": lambda: 0,
            "device_count": lambda: 1,
            "get_amp_supported_dtype": lambda: [torch.float32],
            "get_rng_state": lambda device=None: torch.zeros(16, dtype=torch.uint8),
            "set_rng_state": lambda state, device=None: None,
            "manual_seed_all": lambda seed: None,
            "synchronize": lambda device=None: None,
        }
        vars(self).update(always)


def enter() -> None:
    """From here on, ``torch.device("elsewhere")`` is a device; a second call changes nothing."""
    if torch._C._get_privateuse1_backend_name() == NAME:
        return
    backend_registration._setup_privateuseone_for_python_backend(NAME, _Backend())
    _Python().__enter__()
    _Operations().__enter__()


def _is_there(device: object) -> bool:
    return device is not None and torch.device(device).type == NAME  # type: ignore[call-overload]


def _tensors(values: object) -> list[Tensor]:
    found: list[Tensor] = []

    def look(value: object) -> object:
        if isinstance(value, Tensor):
            found.append(value)
        return value

    tree_map(look, values)
    return found


def _run(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """An operation's result, by the CPU, on the device where it belongs."""
    given = _tensors((args, kwargs))
    there = [tensor for tensor in given if isinstance(tensor, Elsewhere)]
    asked = kwargs.get("device")
    first_is_there = bool(given) and isinstance(given[0], Elsewhere)
    stray = [t for t in given if not isinstance(t, Elsewhere) and t.ndim > 0]
    by_position = func in _INDEXING and first_is_there  # positions may be on the CPU
    if there and stray and func not in _CROSSING and not by_position:
        raise RuntimeError(f"{func}: tensors are on two devices, {NAME} and cpu")

    def here(value: object) -> object:
        if isinstance(value, torch.device):
            return torch.device("cpu")
        return value.inner if isinstance(value, Elsewhere) else value

    result = func(*tree_map(here, args), **tree_map(here, dict(kwargs)))
    if asked is not None:
        goes_there = _is_there(asked)
    else:
        goes_there = first_is_there if func in (*_CROSSING, *_INDEXING) else bool(there)
    if not goes_there:
        return result
    known = {id(tensor.inner): tensor for tensor in there}  # operations in place return themselves
    return tree_map(
        lambda v: known.get(id(v), Elsewhere(v)) if isinstance(v, Tensor) else v, result
    )
