"""Averages along one run of fine-tuning: they watch it, and cost no training of their own."""

from __future__ import annotations

import copy
from collections.abc import Collection

import torch
from torch import Tensor

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.weights import State
from wiseft_tutorial.weights.interpolation import is_averaged, note_origin

__all__ = ["EMA", "SWA", "Snapshots"]


class EMA:
    """An exponential moving average of a run's weights: ``mu = decay * mu + (1 - decay) * theta``.

    *Biased*, it begins at the model that the run starts from, and keeps ``decay ** T`` of it after
    T steps. *Debiased*, it begins at zero, and is divided by ``1 - decay ** T``. So the biased one
    is WiSE-FT between the start and the debiased one, with alpha = ``1 - decay ** T``.

    Pass it to ``finetune`` as ``watch``.

    Args:
        start: Where the run starts; copied.
        decay: In [0, 1); near 1, the average looks far back.
        debiased: Forget the start.

    Attributes:
        steps: How many steps it has seen.

    Raises:
        DataError: ``decay`` lies outside [0, 1).

    Source: appendix C.3.2, EMA 1 (debiased) and EMA 2 (biased). Explained in: chapter 12.
    """

    def __init__(self, start: ImageClassifier, decay: float, *, debiased: bool = True) -> None:
        if not 0 <= decay < 1:
            raise DataError(f"decay = {decay:g}, but it must be in [0, 1), such as 0.99")
        self.decay, self.debiased, self.steps = decay, debiased, 0
        self._model = copy.deepcopy(start)
        self._mu = {
            key: torch.zeros_like(value) if debiased else value.clone()
            for key, value in _weights(start.state_dict()).items()
        }

    @property
    def alpha(self) -> float:
        """How much of the debiased average is in the biased one."""
        return 1 - self.decay**self.steps

    @torch.no_grad()
    def __call__(self, step: int, model: ImageClassifier) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        for key, value in _weights(model.state_dict()).items():
            self._mu[key].lerp_(value.to(self._mu[key].device), 1 - self.decay)

    def model(self) -> ImageClassifier:
        """The average so far, in evaluation mode.

        Raises:
            DataError: It is debiased, and has seen no step.
        """
        if self.debiased and not self.steps:
            raise DataError("a debiased average of no steps is not defined; train first")
        share = self.alpha if self.debiased else 1.0
        return _with(self._model, {key: value / share for key, value in self._mu.items()})


class SWA:
    """The plain mean of a run's weights from some step on.

    Pass it to ``finetune`` as ``watch``.

    Args:
        start: A model of the run's architecture; copied.
        first: The first step that counts, from 1.
        every: Of the steps after it, only each of this number.

    Attributes:
        count: How many models are in the mean.

    Raises:
        DataError: ``first`` or ``every`` is smaller than 1.

    Source: Izmailov et al. 2018, algorithm 1. Explained in: chapter 12.
    """

    def __init__(self, start: ImageClassifier, *, first: int, every: int = 1) -> None:
        if first < 1 or every < 1:
            raise DataError(f"first = {first} and every = {every}, but steps are counted from 1")
        self.first, self.every, self.count = first, every, 0
        self._model = copy.deepcopy(start)
        self._mean = {
            key: torch.zeros_like(value, dtype=torch.float64)
            for key, value in _weights(start.state_dict()).items()
        }

    @torch.no_grad()
    def __call__(self, step: int, model: ImageClassifier) -> None:
        """Take in the weights after a step, if it counts."""
        if step < self.first or (step - self.first) % self.every:
            return
        self.count += 1
        for key, value in _weights(model.state_dict()).items():
            mean = self._mean[key]
            mean += (value.to(mean.device, torch.float64) - mean) / self.count

    def model(self) -> ImageClassifier:
        """The mean so far, in evaluation mode.

        Raises:
            DataError: No step has counted yet.
        """
        if not self.count:
            raise DataError(f"the mean is of no models: the run has not come to step {self.first}")
        return _with(self._model, self._mean)


class Snapshots:
    """Copies of a run's weights at some of its steps: what early stopping would have given.

    Pass it to ``finetune`` as ``watch``.

    Args:
        start: The model that the run starts from; copied, and kept as step 0.
        steps: After which steps, from 1.

    Source: figure 3, early stopping. Explained in: chapter 6.
    """

    def __init__(self, start: ImageClassifier, steps: Collection[int]) -> None:
        self._model, self._wanted = copy.deepcopy(start), frozenset(steps)
        self._states: dict[int, State] = {0: _weights(self._model.state_dict())}

    def __call__(self, step: int, model: ImageClassifier) -> None:
        """Copy the weights after a step, if they are wanted."""
        if step in self._wanted:
            kept = _weights(model.state_dict()).items()
            self._states[step] = {key: value.detach().to("cpu", copy=True) for key, value in kept}

    def models(self) -> dict[int, ImageClassifier]:
        """The model after each step that has been kept, in evaluation mode."""
        return {step: _with(self._model, state) for step, state in self._states.items()}


def _weights(state: State) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if is_averaged(value)}


@torch.no_grad()
def _with(model: ImageClassifier, weights: State) -> ImageClassifier:
    """A copy of a model with other weights."""
    model = copy.deepcopy(model).eval()
    for key, value in _weights(model.state_dict()).items():
        value.copy_(weights[key])
    note_origin(model, "along a run")
    return model
