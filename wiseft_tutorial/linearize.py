"""The tangent model: a network that is linear in its weights, and agrees with another at theta_0.

For a model like this, averaging weights and averaging outputs are one and the same: the paper's
Proposition 1. How far fine-tuning departs from it says how far it has left the linear regime.
"""

from __future__ import annotations

import copy
import warnings

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp

from wiseft_tutorial.attention import plain_attention
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.weights import check_compatible

__all__ = ["TangentModel", "linearize"]


class TangentModel(nn.Module):
    """The first-order expansion of a classifier's logits in its weights.

    ``f_lin(x, theta) = f(x, theta_0) + J(x) (theta - theta_0)``, where J is the Jacobian of the
    logits at theta_0. J is never built: its product with the step costs one pass forward with
    derivatives carried along, in about three times the memory of a plain pass.

    The weights theta are this module's parameters. So it can be averaged by ``interpolate``, and
    trained: fine-tuning in the tangent space.

    Args:
        start: The model to expand at: theta_0; copied. Features are normalised inside it, and that
            is part of what is expanded.

    Attributes:
        start: theta_0, frozen.
        theta: A copy of ``start`` whose weights are the theta above.

    Source: section 5.2 and appendix F. Explained in: chapter 9.
    """

    def __init__(self, start: ImageClassifier) -> None:
        super().__init__()
        self.start = copy.deepcopy(start).float().eval().requires_grad_(False)
        self.theta = copy.deepcopy(start).float().eval().requires_grad_(True)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.start.device

    def forward(self, images: Tensor) -> Tensor:
        """Linearised logits.

        Args:
            images: (N, 3, H, W) uint8, as the classifier takes them.

        Returns:
            (N, K) float32.
        """
        origin = dict(self.start.named_parameters())
        step = {name: w - origin[name] for name, w in self.theta.named_parameters()}

        def logits(weights: dict[str, Tensor]) -> Tensor:
            result: Tensor = functional_call(self.start, weights, (images,))
            return result

        # torch's fused kernels carry no derivatives forward; what it loads for that is scripted.
        with plain_attention(self.start), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated")
            value, change, *_ = jvp(logits, (origin,), (step,))
        total: Tensor = value + change
        return total

    @torch.no_grad()
    def logits(self, images: Tensor, *, batch_size: int = 64) -> Tensor:
        """Linearised logits of many images, batch by batch.

        Args:
            images: (N, 3, H, W) uint8, on any device.
            batch_size: Images whose activations are held in memory at once, with their derivatives.

        Returns:
            (N, K) float32, on the CPU.
        """
        batches = images.split(batch_size)
        return torch.cat([self(batch.to(self.device)).cpu() for batch in batches])


def linearize(start: ImageClassifier, weights: ImageClassifier | None = None) -> TangentModel:
    """Expand a classifier at its weights, and evaluate the expansion at others.

    Args:
        start: Where to expand, usually the zero-shot model; left untouched.
        weights: Where to evaluate, such as the fine-tuned model; ``None`` means at ``start``.

    Returns:
        The tangent model, on the device of ``start``.

    Raises:
        WeightMismatchError: The two have different weights.

    Source: appendix F, proposition 1. Explained in: chapter 9.
    """
    tangent = TangentModel(start)
    if weights is not None:
        check_compatible(start, weights)
        tangent.theta.load_state_dict(weights.state_dict())
    return tangent
