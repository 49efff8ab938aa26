"""What pre-training learns from a picture: its caption, or only the number of what it names.

With equal settings both lessons see the same pictures and begin with the same image tower. The one
learns to tell which caption belongs to which picture, and becomes a CLIP. The other learns which of
the world's objects the caption names, and becomes a classifier: it never reads a word.

Explained in: chapters 2 and 16.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiseft_tutorial._torchvision import ensure_torchvision
from wiseft_tutorial.attention import training_attention
from wiseft_tutorial.contrastive import contrastive_loss
from wiseft_tutorial.pocket.captions import NOTHING, TEMPLATES, WordTokens, all_words
from wiseft_tutorial.pocket.objects import CLASSNAMES, POCKET_CLASSES

__all__ = ["LESSONS", "PRECISIONS", "Captions", "Labels", "Lesson"]

CONFIG = Path(__file__).with_name("pocket-clip.json")
PRECISIONS = {"bfloat16": torch.bfloat16, "float32": torch.float32}


class Lesson(Protocol):
    """What a picture comes with, and how a model learns from that.

    Attributes:
        file: The name of the finished model, without its suffix.
        width: How many integers are kept of what a picture comes with.
        model: What is trained; its image tower is ``visual``, and it has a ``logit_scale``.
    """

    file: str
    width: int
    model: Any

    def precision(self) -> AbstractContextManager[Any]:
        """In which the towers compute."""
        ...

    def kept(self, described: list[tuple[str, int]]) -> Tensor:
        """What is kept, (N, width) int64, of captions and of the objects that they name."""
        ...

    def loss(self, pixels: Tensor, kept: Tensor) -> Tensor:
        """The loss of a batch of normalised images (N, 3, 48, 48)."""
        ...

    def head(self) -> Tensor:
        """One direction for each class of the benchmark, (K, D)."""
        ...

    def state(self) -> dict[str, Tensor]:
        """What a finished model's file holds, on the CPU."""
        ...

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up what :meth:`state` gave."""
        ...

    def facts(self) -> dict[str, str]:
        """What its file says of the model."""
        ...


class Captions:
    """Which caption belongs to which picture: a CLIP.

    While it is trained, its token table holds only the words that occur.

    Args:
        device: Where to train.
        precision: Of the towers, a key of ``PRECISIONS``.
    """

    file = "pocket-clip"

    def __init__(self, device: torch.device, precision: str = "bfloat16") -> None:
        open_clip = _open_clip()
        self.device, self.dtype = device, PRECISIONS[precision]
        self.model = open_clip.create_model("pocket-clip", device=device)
        tokenizer = open_clip.get_tokenizer("pocket-clip")
        self.width = self.model.context_length
        self.tokens = WordTokens(
            tokenizer.encode, tokenizer.sot_token_id, tokenizer.eot_token_id, self.width
        )
        ids = {0, self.tokens.start, self.tokens.end}
        for word in all_words():
            ids.update(self.tokens.encode(word))
        self.vocabulary = torch.tensor(sorted(ids))  # sorted: the end token stays the largest
        table = self.model.token_embedding
        small = nn.Embedding(len(self.vocabulary), table.embedding_dim, device=device)
        small.weight.data.copy_(table.weight.data[self.vocabulary.to(device)])
        self.model.token_embedding = small
        self.lookup = torch.zeros(table.num_embeddings, dtype=torch.int64)
        self.lookup[self.vocabulary] = torch.arange(len(self.vocabulary))

    def precision(self) -> AbstractContextManager[Any]:
        """In which the towers compute."""
        return _precision(self.device, self.dtype)

    def kept(self, described: list[tuple[str, int]]) -> Tensor:
        """Tokens of the captions."""
        return self.tokens([text for text, _ in described])

    def loss(self, pixels: Tensor, kept: Tensor) -> Tensor:
        """InfoNCE, in which equal captions of a batch count once."""
        rows, which = kept.unique(dim=0, return_inverse=True)
        with self.precision(), training_attention(self.model, self.device):
            f = self.model.encode_image(pixels)
            g = self.model.encode_text(self.lookup[rows].to(self.device))
        return contrastive_loss(
            F.normalize(f.float(), dim=-1),
            F.normalize(g.float(), dim=-1),
            which.to(self.device),
            self.model.logit_scale.exp(),
        )

    def head(self) -> Tensor:
        """From words, as every zero-shot head is built."""
        head = []
        for template in TEMPLATES:
            texts = [template.format(CLASSNAMES[k]) for k in POCKET_CLASSES]
            rows = self.lookup[self.tokens(texts)].to(self.device)
            head.append(F.normalize(self.model.encode_text(rows).float(), dim=-1))
        return F.normalize(torch.stack(head).mean(0), dim=-1)

    def state(self) -> dict[str, Tensor]:
        """With a token table of CLIP's whole vocabulary; unseen words are zero."""
        state = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
        seen = state["token_embedding.weight"]
        table = torch.zeros(len(self.lookup), seen.shape[1])
        table[self.vocabulary] = seen
        return state | {"token_embedding.weight": table}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up what :meth:`state` gave."""
        seen = state["token_embedding.weight"][self.vocabulary]
        self.model.load_state_dict(state | {"token_embedding.weight": seen})

    def facts(self) -> dict[str, str]:
        """Its name."""
        return {"model": self.file}


class Labels:
    """Which of the world's objects a caption names: a classifier, with cosines as its logits.

    Args:
        device: Where to train.
        precision: Of the towers, a key of ``PRECISIONS``.
    """

    file = "pocket-labels"
    width = 1

    def __init__(self, device: torch.device, precision: str = "bfloat16") -> None:
        clip = _open_clip().create_model("pocket-clip", device=device)
        self.device, self.dtype = device, PRECISIONS[precision]
        self.model = _Cosines(clip, len(CLASSNAMES)).to(device)

    def precision(self) -> AbstractContextManager[Any]:
        """In which the tower computes."""
        return _precision(self.device, self.dtype)

    def kept(self, described: list[tuple[str, int]]) -> Tensor:
        """The number of the object that each caption names."""
        return torch.tensor([[k] for _, k in described])

    def loss(self, pixels: Tensor, kept: Tensor) -> Tensor:
        """Cross-entropy; a picture whose caption names nothing teaches nothing."""
        with self.precision(), training_attention(self.model, self.device):
            f = self.model.visual(pixels)
        logits = self.model.logit_scale.exp() * F.normalize(f.float(), dim=-1) @ self._rows().T
        return F.cross_entropy(logits, kept[:, 0].to(self.device), ignore_index=NOTHING)

    def head(self) -> Tensor:
        """The rows that classification has learnt."""
        return self._rows()[list(POCKET_CLASSES)]

    def state(self) -> dict[str, Tensor]:
        """The tower, the head's directions, and the logarithm of their scale."""
        state = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
        return state | {"head.weight": self._rows().detach().cpu()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take up what :meth:`state` gave."""
        self.model.load_state_dict(state)

    def facts(self) -> dict[str, str]:
        """Its name, its tower, and the names of its classes."""
        return {
            "model": self.file,
            "clip_name": "pocket-clip",
            "classnames": json.dumps(CLASSNAMES),
        }

    def _rows(self) -> Tensor:
        return F.normalize(self.model.head.weight, dim=-1)


LESSONS: dict[str, type[Captions] | type[Labels]] = {"captions": Captions, "labels": Labels}


class _Cosines(nn.Module):
    """A CLIP's image tower and scale, and a head of directions instead of its text tower."""

    def __init__(self, clip: Any, classes: int) -> None:
        super().__init__()
        self.visual = clip.visual
        self.head = nn.Linear(clip.visual.output_dim, classes, bias=False)
        self.logit_scale = clip.logit_scale


def _open_clip() -> Any:
    ensure_torchvision()
    import open_clip

    open_clip.add_model_config(CONFIG)
    return open_clip


def _precision(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[Any]:
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype)
