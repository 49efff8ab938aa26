import random

import pytest
import torch

from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial.pocket.captions import (
    NOTHING,
    TEMPLATES,
    Noise,
    WordTokens,
    all_words,
    caption,
    captions,
    colour_name,
    described,
)
from wiseft_tutorial.pocket.drawing import draw
from wiseft_tutorial.pocket.objects import CLASSNAMES
from wiseft_tutorial.pocket.styles import WEB


def _captions(noise: Noise, seed: int = 0) -> tuple[list[str], list[str]]:
    labels = torch.arange(len(CLASSNAMES)).repeat(10)
    texts: list[str] = []
    for _, style in WEB.values():
        picture = draw(labels, style, torch.Generator().manual_seed(seed))
        texts += captions(picture, labels, random.Random(seed), noise)
    return texts, [CLASSNAMES[k] for k in labels] * len(WEB)


def test_without_noise_every_caption_names_its_object() -> None:
    texts, names = _captions(Noise(0, 0))
    assert all(name in text for name, text in zip(names, texts, strict=True))


def test_noise_misleads_about_as_often_as_asked() -> None:
    texts, names = _captions(Noise(wrong=0.2, empty=0.1))
    named = [name in text for name, text in zip(names, texts, strict=True)]
    assert sum(named) / len(named) == pytest.approx(0.7, abs=0.04)


def test_a_caption_comes_with_the_object_that_it_names_right_or_wrong() -> None:
    labels = torch.arange(len(CLASSNAMES)).repeat(10)
    picture = draw(labels, WEB["photo"][1], torch.Generator().manual_seed(0))
    said = described(picture, labels, random.Random(0), Noise(wrong=0.3, empty=0.2))
    assert all(CLASSNAMES[k] in text for text, k in said if k != NOTHING)
    assert [text for text, _ in said] == captions(
        picture, labels, random.Random(0), Noise(wrong=0.3, empty=0.2)
    )
    named = torch.tensor([k for _, k in said])
    assert (named == NOTHING).float().mean() == pytest.approx(0.2, abs=0.05)
    assert (named == labels).float().mean() == pytest.approx(0.5, abs=0.05)


def test_captions_are_the_same_for_the_same_seed() -> None:
    assert _captions(Noise(), 1)[0] == _captions(Noise(), 1)[0]
    assert _captions(Noise(), 1)[0] != _captions(Noise(), 2)[0]


def test_articles_fit_the_words_that_follow() -> None:
    rng = random.Random(0)
    white = (0.0, 0.0, 1.0)
    texts = [
        caption(name, "cartoon", white, white, 0.0, 0.5, rng, Noise(0, 0))[0]
        for name in ("owl", "umbrella", "lemon")
        for _ in range(20)
    ]
    assert not any(" a owl" in f" {t}" or " a umbrella" in f" {t}" for t in texts)
    assert any(" an owl" in f" {t}" for t in texts)
    assert not any(" an lemon" in f" {t}" for t in texts)


@pytest.mark.parametrize(
    ("hsv", "name"),
    [
        ((0.0, 0.9, 0.9), "red"),
        ((52 / 360, 0.85, 0.95), "yellow"),
        ((0.6, 0.8, 0.8), "blue"),
        ((0.3, 0.05, 0.95), "white"),
        ((0.3, 0.05, 0.5), "grey"),
        ((0.3, 0.9, 0.1), "black"),
        ((25 / 360, 0.6, 0.4), "brown"),
        ((1.999, 0.9, 0.9), "red"),
    ],
)
def test_colours_have_their_everyday_names(hsv: tuple[float, float, float], name: str) -> None:
    assert colour_name(*hsv) == name


def test_whole_word_tokens_are_those_of_clips_tokenizer() -> None:
    ensure_torchvision()
    import open_clip

    tokenizer = open_clip.SimpleTokenizer(context_length=20)
    fast = WordTokens(tokenizer.encode, tokenizer.sot_token_id, tokenizer.eot_token_id, 20)
    texts = _captions(Noise())[0][:200] + [t.format("ice cream cone") for t in TEMPLATES]
    assert torch.equal(fast(texts), tokenizer(texts))


def test_every_word_of_a_caption_is_in_the_vocabulary() -> None:
    words = {word for text in _captions(Noise())[0] for word in text.split()}
    assert words <= all_words()
