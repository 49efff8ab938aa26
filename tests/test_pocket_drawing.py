import pytest
import torch

from wiseft_tutorial.pocket.drawing import IMAGE_SIZE, draw, hsv_to_rgb
from wiseft_tutorial.pocket.objects import (
    CLASSNAMES,
    MAX_LAYERS,
    OBJECTS,
    POCKET_CLASSES,
    build_atlas,
)
from wiseft_tutorial.pocket.styles import MEDIA, SHIFTS, STYLES, WEB, WORLDS


def _seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_benchmark_has_forty_classes_and_lemon_is_the_first() -> None:
    assert len(POCKET_CLASSES) == 40
    assert CLASSNAMES[POCKET_CLASSES[0]] == "lemon"
    assert len(set(CLASSNAMES)) == len(OBJECTS)


def test_every_object_fits_into_the_frame() -> None:
    silhouettes = build_atlas().distances[:, :, 0]
    border = torch.cat(
        [silhouettes[..., :4, :].flatten(2), silhouettes[..., -4:, :].flatten(2),
         silhouettes[..., :, :4].flatten(2), silhouettes[..., :, -4:].flatten(2)], -1
    )  # fmt: skip
    assert border.min() > 0
    covered = (silhouettes < 0).float().mean((2, 3))
    assert covered.min() > 0.02


def test_the_silhouette_is_the_union_of_the_layers() -> None:
    distances = build_atlas().distances
    layers = distances[:, :, 1 : 1 + MAX_LAYERS].amin(2)
    # Where there is no layer, 1 is stored: far outside.
    assert torch.equal(distances[:, :, 0].clamp(max=1), layers.clamp(max=1))


def test_variants_of_an_object_differ() -> None:
    lemons = build_atlas().distances[0, :, 0]
    assert not torch.equal(lemons[0], lemons[1])


@pytest.mark.parametrize("name", STYLES)
def test_the_same_seed_draws_the_same_images(name: str) -> None:
    labels = torch.arange(20)
    first, again = (draw(labels, STYLES[name], _seeded(3)).images for _ in range(2))
    other = draw(labels, STYLES[name], _seeded(4)).images
    assert first.shape == (20, 3, IMAGE_SIZE, IMAGE_SIZE)
    assert first.dtype == torch.uint8
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", [*STYLES, *WEB])
def test_no_image_is_empty(name: str) -> None:
    style = STYLES[name] if name in STYLES else WEB[name][1]
    images = draw(torch.arange(len(OBJECTS)), style, _seeded()).images.float()
    assert images.flatten(1).std(1).min() > 4


def test_sketches_have_no_colour_and_renditions_do() -> None:
    labels = torch.arange(40)
    sketch = draw(labels, STYLES["Pocket-Sketch"], _seeded()).images.float()
    rendition = draw(labels, STYLES["Pocket-R"], _seeded()).images.float()
    assert (sketch - sketch[:, :1]).abs().max() == 0
    assert (rendition - rendition[:, :1]).abs().amax((1, 2, 3)).median() > 60


def test_backgrounds_tell_the_class_on_the_reference_only() -> None:
    """Nearest class mean of the top border's colour, which objects rarely reach."""
    labels = torch.arange(len(POCKET_CLASSES)).repeat(30)

    def borders(name: str, seed: int) -> torch.Tensor:
        images = draw(torch.tensor(POCKET_CLASSES)[labels], STYLES[name], _seeded(seed)).images
        return images[:, :, :2].float().mean((2, 3))

    train = borders("Pocket", 1)
    means = torch.stack([train[labels == k].mean(0) for k in range(len(POCKET_CLASSES))])

    def accuracy(name: str) -> float:
        guess = torch.cdist(borders(name, 2), means).argmin(1)
        return float((guess == labels).float().mean())

    chance = 1 / len(POCKET_CLASSES)
    assert accuracy("Pocket") > 5 * chance
    assert accuracy("Pocket-Object") < 2 * chance
    assert accuracy("Pocket") > 1.3 * accuracy("Pocket-V2")


def test_each_distribution_uses_its_media() -> None:
    for name, style in STYLES.items():
        used = draw(torch.arange(64), style, _seeded()).medium.unique().tolist()
        assert {MEDIA[m] for m in used} == {m for m, _ in style.media}, name
    assert set(SHIFTS) - set(STYLES) == {"Pocket-A"}


def test_hsv_to_rgb_on_pure_colours() -> None:
    hsv = torch.tensor([[0, 1, 1], [1 / 3, 1, 1], [2 / 3, 1, 1], [0.4, 0, 0.7], [1.0, 1, 1]])
    expected = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.7, 0.7, 0.7], [1, 0, 0]])
    torch.testing.assert_close(hsv_to_rgb(hsv), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("world", WORLDS)
def test_a_worlds_shares_are_of_a_whole(world: str) -> None:
    assert sum(share for share, _ in WORLDS[world].values()) == pytest.approx(1)
