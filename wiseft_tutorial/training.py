"""One run of fine-tuning: its epochs, and the state from which it can be taken up again."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wiseft_tutorial._files import read_tensors, write_tensors
from wiseft_tutorial.attention import training_attention
from wiseft_tutorial.augment import crop, draw_crops
from wiseft_tutorial.benchmarks import Benchmark, Split
from wiseft_tutorial.device import resolve_dtype
from wiseft_tutorial.errors import CheckpointError, DataError, WiseFTError
from wiseft_tutorial.inference import encode_images, evaluation_copy
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.processes import add_up, part
from wiseft_tutorial.recipe import Recipe, learning_rate

__all__ = ["Training", "Watch"]

Watch: TypeAlias = Callable[[int, ImageClassifier], object]

_KIND = "training state"
_RESIDENT = 4 << 30  # training sets up to this many bytes are kept on the GPU, as bytes


class Training:
    """A classifier that is being fine-tuned.

    Args:
        model: Where to start; copied.
        benchmark: Gives the training and the validation images.
        recipe: How to train.
        device: Where to train.

    Attributes:
        model: What has become of the copy.
        history: One row for each finished epoch.

    Source: appendices D.2 and D.3. Explained in: chapter 3.
    """

    def __init__(
        self, model: ImageClassifier, benchmark: Benchmark, recipe: Recipe, device: torch.device
    ) -> None:
        self.benchmark, self.recipe, self.device = benchmark, recipe, device
        # Trained in float32, whatever the format in which the model comes.
        self.model = copy.deepcopy(model).to(device, torch.float32).train()
        self.history: list[dict[str, float]] = []
        if recipe.distillation:
            self._start = copy.deepcopy(self.model).eval().requires_grad_(False)
        self._labels = benchmark.train.labels.to(device)
        self._generator = torch.Generator().manual_seed(recipe.seed)
        self._trained: nn.Module = self.model
        if recipe.method == "lc":
            self._trained = self.model.head
            self._features = self._encode(benchmark.train)
            self._val_features = self._encode(benchmark.val)
        elif benchmark.train.images.nbytes <= _RESIDENT:
            self._images = benchmark.train.images.to(device)
        else:
            self._images = benchmark.train.images
        self._weights = [weight for weight in self._trained.parameters() if weight.requires_grad]
        if recipe.l2_to_init:
            self._origin = [weight.detach().clone() for weight in self._weights]
        if not self._weights:
            raise DataError(
                "every weight that the recipe trains is frozen; call "
                "model.head.requires_grad_(True), or model.requires_grad_(True), first"
            )
        self._optimiser = _optimiser(self._weights, recipe)
        # Compiled beside the model and not in it, so that its copies and files stay ordinary.
        self._encoder = torch.compile(_features) if recipe.compiled else _features

    def run_epoch(self, advance: Callable[[int], object], watch: Watch | None = None) -> None:
        """Train for one epoch, validate, and add a row to the history.

        Args:
            advance: Called after each step with its number of images.
            watch: Called after each step with its number, from 1, and the model.

        Raises:
            WiseFTError: The loss is not a number any more.
        """
        began, done, n = time.perf_counter(), len(self.history), len(self.benchmark.train)
        batches = torch.randperm(n, generator=self._generator).split(self.recipe.batch_size)
        steps = self.recipe.epochs * len(batches)
        totals = torch.zeros(2, device=self.device)  # of losses, and of correct predictions
        with (
            self._seeded(done),
            training_attention(self.model, self.device),
            _recomputing(self.model.image_encoder, self.recipe.gradient_checkpointing),
        ):
            for position, batch in enumerate(batches):
                lr = learning_rate(self.recipe, done * len(batches) + position, steps)
                totals += self._step(batch, lr)
                advance(len(batch))
                if watch is not None:
                    watch(done * len(batches) + position + 1, self.model)
        add_up([totals])
        loss, accuracy = (totals / n).tolist()
        if not math.isfinite(loss):
            raise WiseFTError(
                f"the loss is {loss} after epoch {done + 1}: the training diverged. Lower the "
                f"learning rate, now {self.recipe.lr:g}."
            )
        self.history.append(
            {
                "epoch": done + 1,
                "loss": loss,
                "lr": lr,
                "train_accuracy": accuracy,
                "val_accuracy": self._validate(),
                "seconds": time.perf_counter() - began,
            }
        )

    def save(self, path: Path, key: str) -> None:
        """Write the state to a file, whole or not at all.

        Args:
            path: The file.
            key: Of the run; only the same run can be resumed from the file.
        """
        tensors = {f"weights.{name}": value for name, value in self._trained.state_dict().items()}
        tensors["generator"] = self._generator.get_state()
        for index, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in state.items()}
        write_tensors(
            path, tensors, {"kind": _KIND, "key": key, "history": json.dumps(self.history)}
        )

    def resume(self, path: Path, key: str) -> None:
        """Take up the run where :meth:`save` left it.

        Args:
            path: The file.
            key: Of the run.

        Raises:
            CheckpointError: The file is truncated, of another kind or of another run.
        """
        tensors, facts = read_tensors(path)
        if facts.get("kind") != _KIND or facts["key"] != key:
            raise CheckpointError(
                f"{str(path)!r} is not a state of this run, but of another model, benchmark, "
                "recipe or version of the package. Choose another file, or delete this one."
            )
        self.history = json.loads(facts["history"])
        self._generator.set_state(tensors.pop("generator"))
        weights: dict[str, Tensor] = {}
        states: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            part, _, rest = name.partition(".")
            if part == "weights":
                weights[rest] = value
            else:
                index, _, rest = rest.partition(".")
                states.setdefault(int(index), {})[rest] = value
        self._trained.load_state_dict(weights)
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": states, "param_groups": groups})

    def _step(self, batch: Tensor, lr: float) -> Tensor:
        """Learn from one batch; the sum of its losses, and how many predictions were correct."""
        rows, squares = part(batch), None
        count = len(batch[rows])
        if not count:  # fewer images than processes: take another's, which then counts for nothing
            rows = slice(1)
        if self.recipe.method == "e2e" and self.recipe.crop_scale is not None:
            # Drawn for the whole batch, so that an image's crop does not depend on who takes it.
            squares = draw_crops(len(batch), self.recipe.crop_scale, self._generator)[rows]
        self._optimiser.zero_grad()
        loss, correct = self._loss(batch[rows], squares)
        # Means over parts of a batch, weighted by their sizes, add up to the batch's mean.
        (loss * (count / len(batch))).backward()
        add_up(weight.grad for weight in self._weights if weight.grad is not None)
        if self.recipe.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._weights, self.recipe.clip_norm)
        self._optimiser.param_groups[0]["lr"] = lr
        self._optimiser.step()
        return torch.stack([loss.detach() * count, correct * (count > 0)])

    def _loss(self, batch: Tensor, squares: Tensor | None) -> tuple[Tensor, Tensor]:
        """The loss of some images, all terms of it, and how many predictions were correct."""
        labels = self._labels[batch.to(self.device)]
        inputs = self._inputs(batch, squares)
        logits = self._logits(self.model, inputs)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        if share := self.recipe.distillation:
            with torch.no_grad():
                answers = self._logits(self._start, inputs).softmax(dim=1)
            loss = torch.lerp(loss, F.cross_entropy(logits, answers), share)
        if self.recipe.l2_to_init:
            pairs = zip(self._weights, self._origin, strict=True)
            squared = [(a - b).square().sum() for a, b in pairs]
            loss = loss + self.recipe.l2_to_init * torch.stack(squared).sum()
        return loss, (logits.argmax(1) == labels).sum()

    @contextmanager
    def _seeded(self, epoch: int) -> Iterator[None]:
        """Seed what an encoder draws by itself, such as dropout; the caller's state is restored."""
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(hash((self.recipe.seed, epoch)) % 2**63)
            yield

    def _inputs(self, batch: Tensor, squares: Tensor | None) -> Tensor:
        """Some training images, cropped; or their features, for a linear classifier."""
        if self.recipe.method == "lc":
            return self._features[batch.to(self.device)]
        images = self._images[batch.to(self._images.device)].to(self.device)
        return images if squares is None else crop(images, squares)

    def _logits(self, model: ImageClassifier, inputs: Tensor) -> Tensor:
        """What a model says to :meth:`_inputs`."""
        if self.recipe.method == "lc":
            return model.classify(inputs)
        dtype = resolve_dtype(self.recipe.precision, self.device)
        with torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32):
            features = self._encoder(model, inputs)
        return model.classify(features)

    def _validate(self) -> float:
        features = (
            self._val_features if self.recipe.method == "lc" else self._encode(self.benchmark.val)
        )
        with torch.no_grad():
            predicted = self.model.classify(features).argmax(dim=1).cpu()
        return float((predicted == self.benchmark.val.labels).double().mean())

    def _encode(self, split: Split) -> Tensor:
        """The features of a split, by the encoder as it is now."""
        runner = evaluation_copy(self.model, device=self.device, precision=self.recipe.precision)
        return encode_images(runner, split.images)


def _features(model: ImageClassifier, images: Tensor) -> Tensor:
    return model.encode(images)


@contextmanager
def _recomputing(encoder: Any, wanted: bool) -> Iterator[None]:
    """Let an encoder forget its activations for a while, and compute them again when needed."""
    if wanted and not hasattr(encoder, "set_grad_checkpointing"):
        raise DataError(
            f"{type(encoder).__name__} cannot compute its activations again; use a recipe with "
            "gradient_checkpointing=False"
        )
    if wanted:
        encoder.set_grad_checkpointing(True)
    try:
        yield
    finally:
        if wanted:
            encoder.set_grad_checkpointing(False)


def _optimiser(weights: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """One group of weights: the decay is on every one of them, as in the paper's code."""
    decay = recipe.weight_decay
    if recipe.optimiser == "sgd":
        momentum = recipe.betas[0]
        return torch.optim.SGD(
            weights, recipe.lr, momentum=momentum, weight_decay=decay, fused=True
        )
    kind = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
    return kind(
        weights, recipe.lr, betas=recipe.betas, eps=recipe.eps, weight_decay=decay, fused=True
    )
