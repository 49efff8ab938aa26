"""Task vectors: what fine-tuning added to the weights, as a thing to calculate with."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from wiseft_tutorial.errors import WeightMismatchError
from wiseft_tutorial.weights.interpolation import (
    State,
    check_compatible,
    is_averaged,
    note_origin,
    state_of,
)

__all__ = ["TaskVector", "task_vector"]

_ModuleT = TypeVar("_ModuleT", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class TaskVector:
    """A step in the space of weights: ``theta_1 - theta_0``.

    Steps add up, can be scaled, and can be turned round: ``model + 0.5 * vector`` is WiSE-FT with
    alpha = 0.5, and ``model + (-vector)`` forgets what the vector has learnt.

    Args:
        steps: By the names of the weights; floating-point tensors only.

    Source: Ilharco et al. 2023, section 2. Explained in: chapter 13.
    """

    steps: dict[str, Tensor]

    def __add__(self, other: TaskVector) -> TaskVector:
        """Both steps, one after the other."""
        if self.steps.keys() != other.steps.keys():
            raise WeightMismatchError("these task vectors are of models of different architectures")
        return TaskVector({key: step + other.steps[key] for key, step in self.steps.items()})

    def __sub__(self, other: TaskVector) -> TaskVector:
        """One step, and the other one back."""
        return self + (-other)

    def __mul__(self, factor: float) -> TaskVector:
        """The step, longer or shorter."""
        return TaskVector({key: factor * step for key, step in self.steps.items()})

    __rmul__ = __mul__

    def __neg__(self) -> TaskVector:
        """The step back."""
        return -1.0 * self

    def norm(self) -> float:
        """The length of the step: its Euclidean norm over all weights."""
        norms = [torch.linalg.vector_norm(step.double()) for step in self.steps.values()]
        return float(torch.linalg.vector_norm(torch.stack([norm.cpu() for norm in norms])))

    @torch.no_grad()
    def applied_to(self, model: _ModuleT) -> _ModuleT:
        """A copy of a model that has taken the step.

        Args:
            model: Of the architecture that the vector was measured on; left untouched.

        Returns:
            The copy.

        Raises:
            WeightMismatchError: The model has other weights, or weights of other shapes.
        """
        moved = copy.deepcopy(model)
        weights = {key: value for key, value in moved.state_dict().items() if is_averaged(value)}
        shapes = {key: tuple(value.shape) for key, value in weights.items()}
        if shapes != {key: tuple(step.shape) for key, step in self.steps.items()}:
            raise WeightMismatchError(
                "the model does not have the weights that the task vector was measured on; a step "
                "can be taken by models of one architecture and with the same classes only"
            )
        for key, tensor in weights.items():
            tensor.add_(self.steps[key].to(tensor.device))
        note_origin(moved, "task vector")
        return moved


def task_vector(theta_0: nn.Module | State, theta_1: nn.Module | State) -> TaskVector:
    """The step from one model to another.

    Args:
        theta_0: Where it starts, usually the zero-shot model.
        theta_1: Where it ends.

    Returns:
        ``theta_1 - theta_0``, weight by weight; integers are left out.

    Raises:
        WeightMismatchError: The two sets of weights are not compatible.

    Source: Ilharco et al. 2023, section 2. Explained in: chapter 13.
    """
    check_compatible(theta_0, theta_1)
    start, end = state_of(theta_0), state_of(theta_1)
    return TaskVector(
        {
            key: end[key].detach().to(value.device) - value.detach()
            for key, value in start.items()
            if is_averaged(value)
        }
    )
