"""Weight-space algebra: the average of two models, tensor by tensor.

This module is the whole of WiSE-FT's second step. A *state* is a mapping from names to tensors, as
``module.state_dict()`` returns it; every function takes a module or a state.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Collection, Mapping
from typing import TypeAlias, TypeVar, overload

import torch
from torch import Tensor, nn

from wiseft_tutorial._alpha import check_alpha
from wiseft_tutorial.errors import WeightMismatchError

__all__ = [
    "State",
    "check_compatible",
    "interpolate",
    "interpolate_",
    "is_averaged",
    "note_origin",
    "state_of",
    "weight_step",
]

State: TypeAlias = Mapping[str, Tensor]
_WRAPPERS = ("module.", "_orig_mod.")  # what they put before the names of all tensors
_OTHERWISE = "Only models of one architecture can be averaged."
_ModuleT = TypeVar("_ModuleT", bound=nn.Module)
_TargetT = TypeVar("_TargetT", bound=nn.Module | State)


@overload
def interpolate(
    theta_0: _ModuleT, theta_1: nn.Module | State, alpha: float, *, extrapolate: bool = False
) -> _ModuleT: ...
@overload
def interpolate(
    theta_0: State, theta_1: nn.Module | State, alpha: float, *, extrapolate: bool = False
) -> dict[str, Tensor]: ...
def interpolate(
    theta_0: nn.Module | State,
    theta_1: nn.Module | State,
    alpha: float,
    *,
    extrapolate: bool = False,
) -> nn.Module | dict[str, Tensor]:
    """Average two sets of weights: ``(1 - alpha) * theta_0 + alpha * theta_1``.

    Args:
        theta_0: The zero-shot model, or its state; left untouched.
        theta_1: The fine-tuned model, or its state, of the same architecture; left untouched.
        alpha: The mixing coefficient; 0 gives ``theta_0`` and 1 gives ``theta_1``, bit for bit.
        extrapolate: Allow ``alpha`` outside [0, 1].

    Returns:
        A new module of ``theta_0``'s kind if ``theta_0`` is a module, else a new dictionary in
        ``theta_0``'s order. Floating-point tensors are averaged; integers and booleans (counters,
        indices) have no meaningful average and are copied from the nearer endpoint.

    Raises:
        WeightMismatchError: Keys, shapes or dtypes differ, or a weight is NaN or infinite.
        AlphaError: ``alpha`` lies outside [0, 1] without ``extrapolate=True``.

    Source: section 3, equation 1; appendix A. Explained in: chapter 4.
    """
    if isinstance(theta_0, nn.Module):
        average = copy.deepcopy(theta_0)
        interpolate_(average, theta_0, theta_1, alpha, extrapolate=extrapolate)
        if record := getattr(average, "record_average", None):
            record(theta_1, alpha)
        return average
    blank = {key: torch.empty_like(value) for key, value in theta_0.items()}
    return interpolate_(blank, theta_0, theta_1, alpha, extrapolate=extrapolate)


@torch.no_grad()
def interpolate_(
    target: _TargetT,
    theta_0: nn.Module | State,
    theta_1: nn.Module | State,
    alpha: float,
    *,
    extrapolate: bool = False,
) -> _TargetT:
    """Average two sets of weights in place, into the tensors that ``target`` already has.

    Nothing of the model's size is allocated, so one working model serves a whole sweep over alpha.

    Args:
        target: A model, or a state, whose tensors are overwritten. It may be one of the two inputs,
            may be of another floating-point dtype and may be on another device.
        theta_0: The zero-shot model, or its state.
        theta_1: The fine-tuned model, or its state, of the same architecture.
        alpha: The mixing coefficient; 0 gives ``theta_0`` and 1 gives ``theta_1``, bit for bit.
        extrapolate: Allow ``alpha`` outside [0, 1].

    Returns:
        ``target`` itself.

    Raises:
        WeightMismatchError: Keys or shapes of the three differ, dtypes of the inputs differ,
            ``target`` holds integers for weights, or a weight is NaN or infinite; ``target`` is
            then unchanged.
        AlphaError: ``alpha`` lies outside [0, 1] without ``extrapolate=True``.

    Source: section 3, equation 1. Explained in: chapter 4.
    """
    alpha = check_alpha(alpha, extrapolate=extrapolate)
    check_compatible(theta_0, theta_1)
    out, start, end = state_of(target), state_of(theta_0), state_of(theta_1)
    _check_target(out, start)

    written = set()
    for key, tensor in out.items():
        place = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride())
        if place in written:  # one tensor under two names, as tied weights are
            continue
        written.add(place)
        a, b = start[key].to(tensor.device), end[key].to(tensor.device)
        # Copying, where no average is wanted, also keeps the sign of a -0.0 that lerp would lose.
        if alpha in (0.0, 1.0) or not is_averaged(a):
            tensor.copy_(a if alpha < 0.5 else b)
        else:
            torch.lerp(a, b, alpha, out=tensor)
    return target


def check_compatible(theta_0: nn.Module | State, theta_1: nn.Module | State) -> None:
    """Make sure that two sets of weights can be averaged.

    Args:
        theta_0: A model or a state.
        theta_1: A model or a state.

    Raises:
        WeightMismatchError: Keys, shapes or dtypes differ, or a weight is NaN or infinite; the
            message names the offending tensors.

    Source: appendix A, which asserts equal keys. Explained in: chapter 4.
    """
    start, end = state_of(theta_0), state_of(theta_1)
    _check_same_layout("theta_0", start, "theta_1", end)
    if found := [
        f"{key!r} ({start[key].dtype} and {end[key].dtype})"
        for key in start
        if start[key].dtype != end[key].dtype
    ]:
        raise WeightMismatchError(
            f"theta_0 and theta_1 have different dtypes: {_first(found)}. "
            "Convert one of them, preferably to float32, before averaging."
        )
    for name, state in (("theta_0", start), ("theta_1", end)):
        if found := [repr(key) for key, value in state.items() if not _is_finite(value)]:
            raise WeightMismatchError(
                f"{name} has NaN or infinite weights in {_first(found)}. "
                "Its training diverged, or its file is damaged: load or train it again."
            )


def weight_step(theta_0: nn.Module | State, theta_1: nn.Module | State) -> float:
    """How far fine-tuning moved the weights: ``||theta_1 - theta_0|| / ||theta_0||``.

    Args:
        theta_0: The zero-shot model, or its state.
        theta_1: The fine-tuned model, or its state.

    Returns:
        The ratio of Euclidean norms over all floating-point tensors, without unit.

    Raises:
        WeightMismatchError: The two sets of weights are not compatible.

    Source: section 5.2 and appendix F, where a small step is what makes averaging work.
    Explained in: chapter 4.
    """
    check_compatible(theta_0, theta_1)
    start, end = state_of(theta_0), state_of(theta_1)
    averaged = [key for key, value in start.items() if is_averaged(value)]
    moved = math.hypot(*(_norm(_wide(end[key]) - _wide(start[key])) for key in averaged))
    length = math.hypot(*(_norm(start[key]) for key in averaged))
    return moved / length if length else math.inf if moved else 0.0


def state_of(theta: nn.Module | State) -> State:
    """The tensors of a model, by name; a state is returned as it is."""
    return theta.state_dict() if isinstance(theta, nn.Module) else theta


def note_origin(model: nn.Module, method: str) -> None:
    """Note in a model's ``provenance``, where it has one, how it was made of the one before it."""
    if (before := getattr(model, "provenance", None)) is not None:
        vars(model).update(provenance={"method": method, "start": json.dumps(before)}, history=None)


def is_averaged(tensor: Tensor) -> bool:
    """Whether a tensor's average means something: integers and booleans only count or index."""
    return tensor.is_floating_point() or tensor.is_complex()


def _is_finite(tensor: Tensor) -> bool:
    if not is_averaged(tensor) or tensor.numel() == 0:
        return True
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    # The extremes are NaN or infinite exactly if some element is, and cost no second tensor.
    return all(math.isfinite(extreme) for extreme in torch.aminmax(tensor))


def _wide(tensor: Tensor) -> Tensor:
    """The tensor on the CPU, in a format in which differences neither overflow nor vanish."""
    return tensor.detach().cpu().to(torch.complex128 if tensor.is_complex() else torch.float64)


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(_wide(tensor)))


def _check_target(target: State, theta_0: State) -> None:
    _check_same_layout("target", target, "theta_0", theta_0)
    if found := [
        f"{key!r} ({target[key].dtype} for {theta_0[key].dtype})"
        for key in target
        if is_averaged(target[key]) != is_averaged(theta_0[key])
    ]:
        raise WeightMismatchError(
            f"target cannot hold the average: {_first(found)}. "
            "Give it floating-point tensors where theta_0 has them."
        )


def _check_same_layout(name_a: str, a: State, name_b: str, b: State) -> None:
    differences = [
        f"only {name} has {_first([repr(key) for key in keys])}"
        for name, keys in (
            (name_a, [key for key in a if key not in b]),
            (name_b, [key for key in b if key not in a]),
        )
        if keys
    ]
    if differences:
        raise WeightMismatchError(
            f"{name_a} and {name_b} do not have the same tensors: {'; '.join(differences)}. "
            f"{_wrapped(name_a, a, b) or _wrapped(name_b, b, a) or _OTHERWISE}"
        )
    if found := [
        f"{key!r} ({tuple(a[key].shape)} and {tuple(b[key].shape)})"
        for key in a
        if a[key].shape != b[key].shape
    ]:
        raise WeightMismatchError(
            f"{name_a} and {name_b} have tensors of different shapes: {_first(found)}. "
            "A head must be built for the same classes, an encoder for the same architecture."
        )


def _wrapped(name: str, state: State, other: State) -> str:
    """What to do if the tensors differ only in what a wrapper has put before their names."""
    for prefix in _WRAPPERS:
        if {key.removeprefix(prefix) for key in state} == set(other):
            return (
                f"{name} was saved from inside a wrapper, such as DataParallel or torch.compile: "
                f"remove the prefix {prefix!r} from its names."
            )
    return ""


def _first(items: Collection[str], limit: int = 4) -> str:
    """Show the first few items of a list that may be long, and how many more there are."""
    shown = ", ".join(list(items)[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"
