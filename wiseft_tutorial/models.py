"""Models: a CLIP with both its towers, and the classifier that its image tower becomes.

``Clip`` is any model that open_clip knows, Pocket-CLIP among them. ``ImageClassifier`` is what the
rest of the package fine-tunes, averages and evaluates: an image encoder and a linear head without a
bias. Image features are normalised inside the classifier, always: in training, in evaluation and
after averaging.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import pickle
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn

from wiseft_tutorial._files import read_facts, read_tensors, write_tensors
from wiseft_tutorial._pixels import check_images, prepare
from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial._version import __version__
from wiseft_tutorial.device import resolve_device
from wiseft_tutorial.errors import (
    CheckpointError,
    DataError,
    MissingFileError,
    UnknownNameError,
    WeightMismatchError,
    unknown,
)

__all__ = ["Clip", "ImageClassifier", "load_clip"]

_POCKET = "pocket-clip"
_POCKET_FOLDER = Path(__file__).with_name("pocket")
_POCKET_PIXELS = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
_KIND = "image classifier"
_LONGEST = 400  # characters of torch's message on tensors that do not fit


@dataclass(frozen=True, eq=False)
class Clip:
    """A CLIP: an image tower and a text tower that map into one space.

    Attributes:
        name: The model's name in open_clip.
        pretrained: Which weights it has: a tag of open_clip's, a file, or ``"random"``.
        model: The open_clip model, in evaluation mode.
        tokenizer: From strings to token ids, (N, L).
        image_size: Height and width of its images, in pixels.
        mean: Of each channel, subtracted from images in 0..1.
        std: Of each channel.
        device: Where the model is.

    Source: section 2. Explained in: chapter 2.
    """

    name: str
    pretrained: str
    model: Any
    tokenizer: Callable[[Sequence[str]], Tensor]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    device: torch.device

    @property
    def logit_scale(self) -> float:
        """What cosines are multiplied by to become logits: the inverse of the temperature."""
        return float(self.model.logit_scale.detach().exp())

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str], *, batch_size: int = 256) -> Tensor:
        """The features of texts.

        Args:
            texts: N strings.
            batch_size: How many are encoded at once.

        Returns:
            (N, D) float32, L2-normalised, on the model's device.

        Raises:
            DataError: There are no texts.

        Explained in: chapter 2.
        """
        if isinstance(texts, str) or len(texts) == 0:
            raise DataError("encode_text needs a non-empty list of strings")
        tokens = self.tokenizer(list(texts))
        features = [
            self.model.encode_text(part.to(self.device)) for part in tokens.split(batch_size)
        ]
        return F.normalize(torch.cat(features).float(), dim=-1)

    @torch.no_grad()
    def encode_image(self, images: Tensor, *, batch_size: int = 256) -> Tensor:
        """The features of images.

        Args:
            images: (N, 3, H, H), uint8 in 0..255 or floating point in 0..1; of another size than
                the model's, they are resized bicubically.
            batch_size: How many are encoded at once.

        Returns:
            (N, D) float32, L2-normalised, on the model's device.

        Raises:
            DataError: The images have the wrong shape or dtype.

        Explained in: chapter 2.
        """
        check_images(images)
        mean, std = (torch.tensor(value, device=self.device) for value in (self.mean, self.std))
        features = [
            self.model.encode_image(prepare(part.to(self.device), self.image_size, mean, std))
            for part in images.split(batch_size)
        ]
        return F.normalize(torch.cat(features).float(), dim=-1)


def load_clip(
    name: str = "pocket",
    *,
    pretrained: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    seed: int = 0,
) -> Clip:
    """Load a CLIP: Pocket-CLIP, which comes with this package, or any model that open_clip knows.

    Args:
        name: ``"pocket"``, or a name of open_clip's such as ``"ViT-B-32-quickgelu"``.
        pretrained: A tag of open_clip's such as ``"openai"`` (downloaded on the first use), a file
            of weights, or ``"random"`` for an untrained network. ``None`` means Pocket-CLIP's own.
        device: Where to put it; ``None`` means the best device present.
        seed: Which untrained network, if ``pretrained="random"``.

    Returns:
        The model, in float32 and in evaluation mode.

    Raises:
        UnknownNameError: There is no such model, or it has no such weights; names the nearest.
        WeightMismatchError: The weights were trained with another activation function than the
            model has, or do not fit its tensors.
        MissingFileError: The file of weights is not there.
        CheckpointError: The file of weights is truncated or of another kind.

    Source: section 2. Explained in: chapter 2.
    """
    open_clip = _open_clip()
    target = resolve_device(device)
    name = _POCKET if name == "pocket" else name
    if name not in open_clip.list_models():
        raise unknown("model", name, ["pocket", *open_clip.list_models()])
    weights = _weights(open_clip, name, pretrained)
    with _reproducible(seed), _quiet():
        try:
            pixels = _POCKET_PIXELS if name == _POCKET else None
            model = open_clip.create_model(name, weights, force_preprocess_cfg=pixels)
        except (SafetensorError, pickle.UnpicklingError, EOFError) as error:
            raise CheckpointError(
                f"the weights {weights!r} cannot be read ({error}). The file is truncated or of "
                "another kind: make or fetch it again."
            ) from error
        except (RuntimeError, AssertionError) as error:  # open_clip asserts some of the shapes
            if isinstance(error, RuntimeError) and "state_dict" not in str(error):
                raise
            raise WeightMismatchError(
                f"the weights {weights!r} do not fit the model {name!r}: {_short(error)}"
            ) from error
    cfg = model.visual.preprocess_cfg
    return Clip(
        name=name,
        pretrained="random" if weights is None else Path(weights).name,
        model=model.to(target).eval(),
        tokenizer=open_clip.get_tokenizer(name),
        image_size=_side(model.visual.image_size),
        mean=tuple(cfg["mean"]),
        std=tuple(cfg["std"]),
        device=target,
    )


class ImageClassifier(nn.Module):
    """An image classifier: the image tower of a CLIP and a linear head without a bias.

    Its state holds ``image_encoder.*`` and ``head.weight`` (K, D), and nothing else, so averaging
    two states is WiSE-FT. The preprocessing is part of the class, not of the state.

    Args:
        image_encoder: From normalised images, (N, 3, H, W), to features, (N, D).
        head: The head's weights, (K, D); the logit scale is already multiplied in.
        classnames: The K classes.
        clip_name: The open_clip model that the encoder is the image tower of.
        image_size: Height and width of the images, in pixels.
        mean: Of each channel, subtracted from images in 0..1.
        std: Of each channel.
        provenance: Where the weights come from, in words.

    Attributes:
        history: One row per epoch of the fine-tuning that made this model, if one did.

    Raises:
        DataError: The head has another number of rows than there are classes.

    Source: sections 2 and 3, where f(x, theta) = g(x, V)^T W. Explained in: chapter 2.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        image_encoder: nn.Module,
        head: Tensor,
        *,
        classnames: Sequence[str],
        clip_name: str,
        image_size: int,
        mean: Sequence[float],
        std: Sequence[float],
        provenance: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        if head.ndim != 2 or len(head) != len(classnames):
            raise DataError(
                f"the head has shape {tuple(head.shape)}, but there are {len(classnames)} class "
                "names: a head is (classes, features)"
            )
        if hasattr(image_encoder, "output_tokens"):
            encoder: Any = image_encoder  # one that would return every patch's features as well
            encoder.output_tokens = False
        self.image_encoder = image_encoder
        self.head = nn.Linear(head.shape[1], head.shape[0], bias=False, device=head.device)
        self.head.weight = nn.Parameter(head.detach().clone())
        self.classnames = tuple(classnames)
        self.clip_name = clip_name
        self.image_size = image_size
        # Buffers, so that they follow the module to its device, but not part of its state.
        for name, value in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(value, device=head.device), persistent=False)
        self.provenance = dict(provenance or {})
        self.history: pd.DataFrame | None = None

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.head.weight.device

    def encode(self, images: Tensor) -> Tensor:
        """The features of images.

        Args:
            images: (N, 3, H, H), uint8 in 0..255 or floating point in 0..1, on the model's device;
                of another size than the model's, they are resized bicubically.

        Returns:
            (N, D), L2-normalised, of the head's dtype even where the encoder has another.

        Raises:
            DataError: The images have the wrong shape or dtype.
        """
        encoder_dtype = next(self.image_encoder.parameters()).dtype
        pixels = prepare(images, self.image_size, self.mean, self.std).to(encoder_dtype)
        return F.normalize(self.image_encoder(pixels).to(self.head.weight.dtype), dim=-1)

    def classify(self, features: Tensor) -> Tensor:
        """From normalised features (N, D) to logits (N, K)."""
        logits: Tensor = self.head(features)
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """From images (N, 3, H, W), uint8 in 0..255 or floating point in 0..1, to logits (N, K)."""
        return self.classify(self.encode(images))

    def record_average(self, theta_1: object, alpha: float) -> None:
        """Note in ``provenance`` that this copy of a model has become an average.

        Args:
            theta_1: What it was averaged with.
            alpha: The mixing coefficient.
        """
        self.provenance = {
            "method": "average",
            "alpha": f"{alpha:g}",
            "theta_0": json.dumps(self.provenance),
            "theta_1": json.dumps(getattr(theta_1, "provenance", {})),
        }
        self.history = None

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the classifier to one safetensors file, whole or not at all.

        Args:
            path: Where to; missing folders are made, an existing file is replaced.

        Returns:
            The path.

        Explained in: chapter 4.
        """
        facts = {
            "kind": _KIND,
            "wiseft_tutorial": __version__,
            "clip_name": self.clip_name,
            "classnames": json.dumps(self.classnames),
            "image_size": json.dumps(self.image_size),
            "mean": json.dumps(self.mean.tolist()),
            "std": json.dumps(self.std.tolist()),
            "provenance": json.dumps(self.provenance),
        }
        if self.history is not None:
            facts["history"] = json.dumps(self.history.to_dict("list"))
        return write_tensors(path, self.state_dict(), facts)

    def save_image_tower(self, path: str | os.PathLike[str]) -> Path:
        """Write the encoder alone, under the names that open_clip gives its tensors.

        ``open_clip.create_model(clip_name, pretrained_image_path=path)`` reads it.

        Args:
            path: Where to; missing folders are made, an existing file is replaced.

        Returns:
            The path.

        Explained in: chapter 4.
        """
        return write_tensors(path, self.image_encoder.state_dict(), {"clip_name": self.clip_name})

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, device: str | torch.device | None = None
    ) -> ImageClassifier:
        """Read a classifier that :meth:`save` wrote.

        Args:
            path: The file.
            device: Where to put the model; ``None`` means the best device present.

        Returns:
            The classifier, bit for bit, in evaluation mode.

        Raises:
            MissingFileError: There is no such file.
            CheckpointError: The file is truncated, or is not a classifier of this package.

        Explained in: chapter 4.
        """
        tensors, facts = read_tensors(path)
        if facts.get("kind") != _KIND or "head.weight" not in tensors:
            raise CheckpointError(
                f"{path} holds no image classifier; ImageClassifier.load reads what "
                "ImageClassifier.save wrote"
            )
        clip = load_clip(facts["clip_name"], pretrained="random", device="cpu")
        model = cls(
            clip.model.visual,
            tensors["head.weight"],
            classnames=json.loads(facts["classnames"]),
            clip_name=facts["clip_name"],
            image_size=json.loads(facts["image_size"]),
            mean=json.loads(facts["mean"]),
            std=json.loads(facts["std"]),
            provenance=json.loads(facts["provenance"]),
        )
        try:
            model.load_state_dict(tensors, assign=True)
        except RuntimeError as error:
            raise CheckpointError(
                f"{path} does not fit {model.clip_name!r}: {_short(error)}"
            ) from error
        if "history" in facts:
            model.history = pd.DataFrame(json.loads(facts["history"]))
        return model.to(resolve_device(device)).eval()


@functools.cache
def _open_clip() -> Any:
    """The open_clip library, which is slow to import, with Pocket-CLIP among its models."""
    ensure_torchvision()
    import open_clip  # here, because it is slow to import

    open_clip.add_model_config(_POCKET_FOLDER / f"{_POCKET}.json")
    return open_clip


def _weights(open_clip: Any, name: str, pretrained: str | os.PathLike[str] | None) -> str | None:
    """What open_clip is to load: a tag it knows, a file that is there, or None for nothing."""
    tags = open_clip.list_pretrained_tags_by_model(name)
    if pretrained is None and name != _POCKET:
        raise UnknownNameError(
            f"load_clip({name!r}) needs pretrained=..., one of {', '.join(map(repr, tags))}, a "
            "file of weights, or 'random'"
        )
    chosen = os.fspath(pretrained or _POCKET_FOLDER / f"{_POCKET}.safetensors")
    if chosen == "random":
        return None
    if chosen in tags:
        _check_activation(open_clip, name, chosen)
        return chosen
    if Path(chosen).is_file():
        _check_architecture(name, chosen)
        return chosen
    if Path(chosen).suffix:
        raise MissingFileError(f"there is no file of weights {chosen!r}")
    raise unknown(f"weights of {name!r}", chosen, [*tags, "random"])


def _check_activation(open_clip: Any, name: str, tag: str) -> None:
    """Refuse weights that would run, and be wrong, with another activation function."""
    # Early versions of open_clip knew this of OpenAI's weights without writing it down.
    trained = open_clip.get_pretrained_cfg(name, tag).get("quick_gelu", tag == "openai")
    built = open_clip.get_model_config(name).get("quick_gelu", False)
    if trained != built:
        other = f"{name}-quickgelu" if trained else name.removesuffix("-quickgelu")
        raise WeightMismatchError(
            f"the weights {tag!r} were trained {'with' if trained else 'without'} QuickGELU, but "
            f"the model {name!r} is built {'with' if built else 'without'} it, and would be less "
            f"accurate without saying so. Use load_clip({other!r}, pretrained={tag!r})."
        )


def _check_architecture(name: str, path: str) -> None:
    """Refuse a file that this package wrote for another model, of equal shapes or not."""
    if Path(path).suffix != ".safetensors":
        return
    facts = read_facts(path)
    if facts.get("kind") == _KIND:
        raise WeightMismatchError(
            f"the file {path!r} holds an {_KIND}, without a text tower: ImageClassifier.load reads "
            "it, and export_clip writes what load_clip reads"
        )
    meant = facts.get("clip_name", name)
    if meant != name:
        raise WeightMismatchError(
            f"the weights {path!r} are of {meant!r}, not of {name!r}. Use load_clip({meant!r}, "
            f"pretrained={path!r})."
        )


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """Seed torch's generator on the CPU, where networks are initialised, and restore it after."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence open_clip's remarks on what it loads; errors still come through."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _short(error: Exception) -> str:
    """The beginning of a message that may name every tensor of a model."""
    return textwrap.shorten(str(error), _LONGEST, placeholder=" ...")


def _side(image_size: int | tuple[int, int]) -> int:
    return image_size if isinstance(image_size, int) else image_size[0]
