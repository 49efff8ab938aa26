"""ImageNet in words: lists from two libraries, which must agree on the order of the classes."""

from __future__ import annotations

from wiseft_tutorial.imagenet_words import (
    imagenet_classnames,
    imagenet_folders,
    imagenet_templates,
)


def test_names_and_prompts_are_those_of_open_clip() -> None:
    names, templates = imagenet_classnames(), imagenet_templates()
    assert (len(names), len(templates)) == (1000, 80)
    assert all("lemon" in template("lemon") for template in templates)


def test_folders_and_names_are_in_the_same_order() -> None:
    names = dict(zip(imagenet_folders(), imagenet_classnames(), strict=True))
    assert len(names) == 1000
    assert list(names) == sorted(names)
    assert names["n07749582"] == "lemon"
    assert names["n02106662"] == "German Shepherd Dog"
