"""Soups: the average of many models that were fine-tuned from the same start."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import nn

from wiseft_tutorial.errors import DataError, WeightMismatchError
from wiseft_tutorial.weights.interpolation import check_compatible, is_averaged, note_origin

__all__ = ["Soup", "greedy_soup", "uniform_soup"]

_ModuleT = TypeVar("_ModuleT", bound=nn.Module)


@dataclass(frozen=True)
class Soup(Generic[_ModuleT]):
    """What a greedy soup was made of.

    Attributes:
        model: The average of its members.
        members: Their positions among the models given, in the order in which they were added.
        scores: The soup's score after each of them; never falling.
    """

    model: _ModuleT
    members: tuple[int, ...]
    scores: tuple[float, ...]


def uniform_soup(models: Sequence[_ModuleT]) -> _ModuleT:
    """Average many models, each counting the same.

    Args:
        models: One or more, of one architecture; left untouched.

    Returns:
        A new model of the first one's kind. Sums are kept in float64, so the order of the models
        makes no difference beyond the last rounding; integers are copied from the first.

    Raises:
        DataError: There are no models.
        WeightMismatchError: A model does not fit the first one; says which.

    Source: Wortsman et al. 2022, "Model soups", table 2. Explained in: chapter 13.
    """
    check_soup(models)
    return _average(models)


def greedy_soup(models: Sequence[_ModuleT], score: Callable[[_ModuleT], float]) -> Soup[_ModuleT]:
    """Add models to a soup from the best one on, and keep each that does not make it worse.

    Args:
        models: One or more, of one architecture; left untouched.
        score: Higher is better, such as the accuracy on validation images of the reference. Its
            argument must not be kept or changed.

    Returns:
        The soup, its members and its course.

    Raises:
        DataError: There are no models.
        WeightMismatchError: A model does not fit the first one; says which.

    Source: Wortsman et al. 2022, "Model soups", recipe 1. Explained in: chapter 13.
    """
    check_soup(models)
    alone = [float(score(model)) for model in models]
    first, *others = sorted(range(len(models)), key=lambda i: -alone[i])
    members, scores, soup = [first], [alone[first]], copy.deepcopy(models[first])
    for position in others:
        tried = _average([models[i] for i in [*members, position]])
        value = float(score(tried))
        if value >= scores[-1]:
            members.append(position)
            scores.append(value)
            soup = tried
    return Soup(soup, tuple(members), tuple(scores))


def check_soup(models: Sequence[nn.Module]) -> None:
    """Make sure that many models can be averaged.

    Args:
        models: One or more.

    Raises:
        DataError: There are no models.
        WeightMismatchError: A model does not fit the first one; says which.

    Explained in: chapter 13.
    """
    if not models:
        raise DataError("a soup is made of one model or more; there are none")
    for position, model in enumerate(models):
        try:
            check_compatible(models[0], model)
        except WeightMismatchError as error:
            raise WeightMismatchError(
                f"model {position} of the soup, here theta_1, does not fit model 0, here theta_0. "
                f"{error}"
            ) from None


@torch.no_grad()
def _average(models: Sequence[_ModuleT]) -> _ModuleT:
    """The mean of models that are known to fit together, one tensor at a time."""
    soup = copy.deepcopy(models[0])
    states = [model.state_dict() for model in models]
    for key, tensor in soup.state_dict().items():
        if is_averaged(tensor) and len(models) > 1:
            wide = torch.promote_types(tensor.dtype, torch.float64)
            total = torch.zeros_like(tensor, dtype=wide)
            for state in states:
                total += state[key].to(tensor.device, wide)
            tensor.copy_(total / len(models))
    if len(models) > 1:
        note_origin(soup, f"soup of {len(models)}")
    return soup
