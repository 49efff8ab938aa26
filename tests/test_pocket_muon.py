"""Muon in single precision: torch's, but for the rounding."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from wiseft_tutorial.pocket.muon import Muon, orthogonalised


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (12, 12)])
def test_singular_values_come_close_to_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonalised(matrix)
    assert found.shape == shape
    values = (u.T @ found @ v.T).diagonal()
    assert ((values > 0.3) & (values < 1.3)).all()


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")
def test_its_steps_are_torchs_but_for_the_rounding() -> None:
    ours = nn.Parameter(torch.randn(6, 10, generator=torch.Generator().manual_seed(1)))
    theirs = nn.Parameter(ours.detach().clone())
    mine = Muon([ours], lr=0.1, weight_decay=0.2)
    reference = torch.optim.Muon([theirs], lr=0.1, weight_decay=0.2, adjust_lr_fn="match_rms_adamw")
    for seed in range(3):
        gradient = torch.randn(6, 10, generator=torch.Generator().manual_seed(seed))
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        reference.step()
    assert torch.allclose(ours, theirs, atol=5e-3)
