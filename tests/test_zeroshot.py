"""The zero-shot head: the mean of unit vectors, made a unit vector, times the logit scale, once."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from wiseft_tutorial.benchmarks import Benchmark, Split
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.models import Clip, load_clip
from wiseft_tutorial.zeroshot import (
    build_zeroshot_head,
    zeroshot_classifier,
)

NAMES = ("lemon", "coffee mug", "key")
TEMPLATES = ("a photo of a {}", "a sketch of a {}.", "{}")


@pytest.fixture(scope="module")
def clip() -> Clip:
    return load_clip("pocket", pretrained="random", device="cpu")


def bench(size: int = 48) -> Benchmark:
    images = torch.zeros(3, 3, size, size, dtype=torch.uint8)
    split = Split("photos", images, torch.arange(3))
    return Benchmark("fruit", NAMES, TEMPLATES, split, split, split, {})


def test_a_row_is_the_scaled_mean_of_its_prompts(clip: Clip) -> None:
    head = build_zeroshot_head(clip, NAMES, TEMPLATES)
    assert (head.shape, head.dtype) == ((3, 128), torch.float32)
    for row, name in zip(head, NAMES, strict=True):
        mean = clip.encode_text([template.replace("{}", name) for template in TEMPLATES]).mean(0)
        torch.testing.assert_close(row, clip.logit_scale * mean / mean.norm())


def test_every_row_has_the_length_of_the_logit_scale(clip: Clip) -> None:
    lengths = build_zeroshot_head(clip, NAMES, TEMPLATES).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((3,), clip.logit_scale))


def test_batches_over_classes_and_templates_change_nothing(clip: Clip) -> None:
    whole = build_zeroshot_head(clip, NAMES, TEMPLATES)
    torch.testing.assert_close(build_zeroshot_head(clip, NAMES, TEMPLATES, batch_size=2), whole)


def test_a_template_may_be_a_function(clip: Clip) -> None:
    functions = [lambda name, t=template: t.replace("{}", name) for template in TEMPLATES]
    assert torch.equal(
        build_zeroshot_head(clip, NAMES, functions), build_zeroshot_head(clip, NAMES, TEMPLATES)
    )


def test_a_class_name_may_hold_braces(clip: Clip) -> None:
    head = build_zeroshot_head(clip, ["a {set}", "a {} pair"], ["one {}"])
    expected = F.normalize(clip.encode_text(["one a {set}", "one a {} pair"]), dim=-1)
    torch.testing.assert_close(head, clip.logit_scale * expected)


def test_the_classifier_is_the_tower_and_the_head(clip: Clip) -> None:
    model = zeroshot_classifier(clip, bench())
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (4, 3, 48, 48), dtype=torch.uint8, generator=generator)
    head = build_zeroshot_head(clip, NAMES, TEMPLATES)
    torch.testing.assert_close(model(images).detach(), clip.encode_image(images) @ head.T)
    assert model.classnames == NAMES
    assert not model.training
    assert model.provenance["clip"] == "pocket-clip, random"


def test_the_classifier_owns_its_weights(clip: Clip) -> None:
    before = clip.model.visual.proj.detach().clone()
    with torch.no_grad():
        zeroshot_classifier(clip, bench()).image_encoder.proj.zero_()
    assert torch.equal(clip.model.visual.proj, before)


def test_words_may_replace_those_of_the_benchmark(clip: Clip) -> None:
    model = zeroshot_classifier(clip, bench(), classnames=("a", "b", "c"), templates=["my {}"])
    assert model.classnames == ("a", "b", "c")
    expected = build_zeroshot_head(clip, ("a", "b", "c"), ["my {}"])
    assert torch.equal(model.head.weight, expected)


def test_the_names_of_a_benchmark_keep_their_order(clip: Clip) -> None:
    with pytest.raises(DataError, match="in another order: class 0 is 'key' instead of 'lemon'"):
        zeroshot_classifier(clip, bench(), classnames=NAMES[::-1])


def test_no_benchmark_is_needed(clip: Clip) -> None:
    model = zeroshot_classifier(clip, classnames=NAMES, templates=TEMPLATES)
    assert torch.equal(model.head.weight, build_zeroshot_head(clip, NAMES, TEMPLATES))


@pytest.mark.parametrize("templates", [[], (), "a photo of a {}"])
def test_no_prompts(clip: Clip, templates: list[str]) -> None:
    with pytest.raises(DataError, match="needs prompts"):
        build_zeroshot_head(clip, NAMES, templates)


@pytest.mark.parametrize("names", [[], "lemon"])
def test_no_classes(clip: Clip, names: list[str]) -> None:
    with pytest.raises(DataError, match="needs class names"):
        build_zeroshot_head(clip, names, TEMPLATES)


def test_a_template_without_a_place_for_the_name(clip: Clip) -> None:
    with pytest.raises(DataError, match=r"'a photo' has no \{\} where"):
        build_zeroshot_head(clip, NAMES, ["a photo"])


def test_neither_benchmark_nor_words(clip: Clip) -> None:
    with pytest.raises(DataError, match="needs class names"):
        zeroshot_classifier(clip)


def test_as_many_names_as_the_benchmark_has_classes(clip: Clip) -> None:
    with pytest.raises(DataError, match="2 class names were given, but 'fruit' has 3"):
        zeroshot_classifier(clip, bench(), classnames=("lemon", "mug"))
