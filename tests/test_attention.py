"""Plain attention: torch's results and gradients, for a while, and only where it can give them."""

from __future__ import annotations

import contextlib
import copy

import pytest
import tiny
import torch
from torch import Tensor, nn

from wiseft_tutorial.attention import plain_attention, training_attention


def tower() -> nn.Module:
    return copy.deepcopy(tiny.clip().model.visual)


def outputs_and_gradients(model: nn.Module, images: Tensor) -> list[Tensor]:
    features = model(images)
    features.square().sum().backward()
    return [features.detach(), *(parameter.grad for parameter in model.parameters())]  # type: ignore[list-item]


def test_an_image_tower_computes_and_learns_the_same() -> None:
    images = torch.randn(5, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    torchs, ours = tower().train(), tower().train()
    expected = outputs_and_gradients(torchs, images)
    with plain_attention(ours):
        found = outputs_and_gradients(ours, images)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4 * float(b.abs().max()), rtol=1e-4)


def test_it_is_really_used_and_only_for_a_while() -> None:
    model = tower()
    kinds = [type(layer) for layer in model.modules()]
    assert nn.MultiheadAttention in kinds
    with contextlib.suppress(KeyboardInterrupt), plain_attention(model):
        assert nn.MultiheadAttention not in [type(layer) for layer in model.modules()]
        raise KeyboardInterrupt
    assert [type(layer) for layer in model.modules()] == kinds


@pytest.mark.parametrize(("device", "plain"), [("cpu", True), ("cuda", False)])
def test_only_a_cpu_trains_with_it(device: str, plain: bool) -> None:
    model = tower()
    with training_attention(model, torch.device(device)):
        kinds = {type(layer) for layer in model.modules()}
    assert (nn.MultiheadAttention not in kinds) == plain


def test_the_weights_keep_their_names_and_places() -> None:
    model = tower()
    before = {name: value.data_ptr() for name, value in model.named_parameters()}
    with plain_attention(model):
        assert {name: value.data_ptr() for name, value in model.named_parameters()} == before


@pytest.mark.parametrize(
    ("layer", "call"),
    [
        ({}, {}),
        ({}, {"need_weights": True}),
        ({}, {"need_weights": False, "attn_mask": torch.ones(4, 4).triu(1).bool()}),
        ({}, {"need_weights": False, "key_padding_mask": torch.eye(3, 4).bool()}),
        ({"batch_first": False}, {"need_weights": False}),
        ({"add_bias_kv": True}, {"need_weights": False}),
        ({"add_zero_attn": True}, {"need_weights": False}),
    ],
    ids=str,
)
def test_whatever_else_is_asked_for_torch_does(
    layer: dict[str, bool], call: dict[str, object]
) -> None:
    torch.manual_seed(0)
    model = nn.MultiheadAttention(8, 2, **{"batch_first": True, **layer})  # type: ignore[arg-type]
    x = torch.randn(3, 4, 8)
    expected = model(x, x, x, **call)
    with plain_attention(model):
        found = model(x, x, x, **call)
    assert torch.equal(found[0], expected[0])
    assert (found[1] is None) == (expected[1] is None)


def test_attention_to_other_tokens_is_torchs() -> None:
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    x, y = torch.randn(3, 4, 8), torch.randn(3, 5, 8)
    expected, _ = model(x, y, y, need_weights=False)
    with plain_attention(model):
        assert torch.equal(model(x, y, y, need_weights=False)[0], expected)
