"""A split: images of one distribution, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from wiseft_tutorial.errors import DataError, unknown

__all__ = ["Metric", "Split", "balanced_head", "balanced_order"]

Metric: TypeAlias = Literal["accuracy", "worst-group accuracy", "macro-F1"]


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled images of one distribution.

    Attributes:
        name: The distribution's.
        images: (N, 3, H, W) uint8, in memory or memory-mapped.
        labels: (N,) int64, positions in the benchmark's class names.
        classes: The only classes that occur in this distribution, if they are not all of the
            benchmark's, as ImageNet-R has 200 of ImageNet's 1,000; others are then no answer.
        together: Classes of the benchmark that are one class here, as several of ImageNet's are one
            of ObjectNet's; the images have the first of them as their label.
        answers: (N, K) bool, which classes are right, for images that show several things.
        groups: (N,) int64, such as the region of the world an image was taken in.
        metric: What is measured on this distribution; a worst group needs ``groups``.

    Raises:
        DataError: Shapes, dtypes or labels do not fit together.
        UnknownNameError: No such metric.

    Source: section 2. Explained in: chapter 1.
    """

    name: str
    images: Tensor
    labels: Tensor
    classes: tuple[int, ...] | None = None
    together: tuple[tuple[int, ...], ...] = ()
    answers: Tensor | None = None
    groups: Tensor | None = None
    metric: Metric = "accuracy"

    def __post_init__(self) -> None:
        self._require(
            self.images.ndim == 4
            and self.images.shape[1] == 3
            and self.images.dtype == torch.uint8,
            f"images are {self.images.dtype} {tuple(self.images.shape)}, not uint8 (N, 3, H, W)",
        )
        self._require(
            self.labels.shape == self.images.shape[:1] and self.labels.dtype == torch.int64,
            f"labels are {self.labels.dtype} {tuple(self.labels.shape)}, "
            f"not int64 ({len(self.images)},), one for each image",
        )
        self._require(len(self.labels) > 0, "there are no images")
        self._require(int(self.labels.min()) >= 0, f"label {int(self.labels.min())} is negative")
        if self.classes is not None:
            self._require(min(self.classes, default=-1) >= 0, "classes are empty, or negative")
            strange = sorted(set(self.labels.unique().tolist()) - set(self.classes))
            self._require(not strange, f"labels {strange[:5]} are not among its classes")
        later = {member for members in self.together for member in members[1:]}
        self._require(
            not later & set(self.labels.unique().tolist()),
            "of classes that are together, the first is the label of all",
        )
        if self.answers is not None:
            self._require(
                self.answers.ndim == 2
                and len(self.answers) == len(self)
                and self.answers.dtype == torch.bool,
                f"answers are {self.answers.dtype} {tuple(self.answers.shape)}, "
                f"not bool ({len(self)}, K)",
            )
        if self.metric not in get_args(Metric):
            raise unknown("metric", self.metric, get_args(Metric))
        self._require(
            self.metric != "worst-group accuracy" or self.groups is not None,
            "there is no worst group without groups",
        )
        if self.groups is not None:
            self._require(
                self.groups.shape == self.labels.shape and self.groups.dtype == torch.int64,
                f"groups are {self.groups.dtype} {tuple(self.groups.shape)}, not int64, one for "
                "each image",
            )

    def _require(self, condition: bool, otherwise: str) -> None:
        if not condition:
            raise DataError(f"split {self.name!r}: {otherwise}")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def truth(self) -> Tensor:
        """What a prediction is compared with: ``answers`` where there are some, or ``labels``."""
        return self.labels if self.answers is None else self.answers

    def subset(self, indices: Tensor) -> Split:
        """The images at some positions, in that order.

        Args:
            indices: (M,) int64 positions, or (N,) bool.

        Returns:
            A split of those images.
        """
        return replace(
            self,
            images=self.images[indices],
            labels=self.labels[indices],
            answers=None if self.answers is None else self.answers[indices],
            groups=None if self.groups is None else self.groups[indices],
        )

    def head(self, n: int, *, seed: int = 0) -> Split:
        """The first ``n`` images of a seeded order in which every class comes equally often.

        Args:
            n: How many, at least 1; all there are, if there are fewer.
            seed: Which of the many such orders.

        Returns:
            A split of ``n`` images whose numbers per class differ by at most one, unless a class
            runs out.

        Raises:
            DataError: ``n`` is less than 1.
        """
        self._require(n >= 1, f"the first {n} images were asked for; ask for at least 1")
        return self.subset(balanced_head(self.labels, n, seed))

    def per_class(self, k: int, *, seed: int = 0) -> Split:
        """A seeded choice of ``k`` images of each class, shuffled.

        Args:
            k: How many of each.
            seed: Which choice, and which order.

        Returns:
            A split in random order.

        Raises:
            DataError: A class has fewer than ``k`` images.

        Source: appendix C.5. Explained in: chapter 7.
        """
        counts = self.labels.bincount()
        for label in self.labels.unique().tolist():
            self._require(
                int(counts[label]) >= k, f"class {label} has {counts[label]} images, not k = {k}"
            )
        order, turn = balanced_order(self.labels, seed)
        return self.subset(order[turn < k])

    def joined(self, other: Split) -> Split:
        """The images of two splits, as for training on two data sets.

        Args:
            other: With images of the same size, and labels of the same meaning.

        Returns:
            A split of this one's images and then the other's; its classes are those of either.

        Raises:
            DataError: The images have different sizes.

        Explained in: chapter 14.
        """
        sizes = tuple(self.images.shape[2:]), tuple(other.images.shape[2:])
        self._require(
            sizes[0] == sizes[1], f"{other.name!r} has images of {sizes[1]} pixels, not {sizes[0]}"
        )
        both = self.classes is not None and other.classes is not None
        return Split(
            f"{self.name} and {other.name}",
            torch.cat([self.images, other.images]),
            torch.cat([self.labels, other.labels]),
            tuple(sorted({*(self.classes or ()), *(other.classes or ())})) if both else None,
        )

    def mask(self, logits: Tensor) -> Tensor:
        """Rule out the classes that this distribution does not have.

        Args:
            logits: (M, K), of all classes of the benchmark.

        Returns:
            The same, with ``-inf`` for those classes; where several classes are one here, the
            largest of their logits stands at the first, and ``-inf`` at the others. The very
            tensor, if there is nothing to rule out.

        Source: section 2, where a shift has some of ImageNet's classes. Explained in: chapter 9.
        """
        if self.classes is not None:
            keep = torch.zeros(logits.shape[-1], dtype=torch.bool, device=logits.device)
            keep[list(self.classes)] = True
            logits = logits.masked_fill(~keep, -torch.inf)
        if self.together:
            logits = logits.clone()
            for members in map(list, self.together):
                logits[:, members[0]] = logits[:, members].amax(dim=1)
                logits[:, members[1:]] = -torch.inf
        return logits


def balanced_order(labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """A random order of images, and for each how many of its class come before it.

    Args:
        labels: (N,) int64.
        seed: Which order.

    Returns:
        (N,) int64 positions, and (N,) int64 for the images in that order: 0 for the first of its
        class, 1 for the second, and so on.
    """
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    labels = labels[order]
    by_class = labels.argsort(stable=True)
    starts = labels.bincount().cumsum(0) - labels.bincount()
    turn = torch.empty_like(order)
    turn[by_class] = torch.arange(len(labels)) - starts[labels[by_class]]
    return order, turn


def balanced_head(labels: Tensor, n: int, seed: int) -> Tensor:
    """The first ``n`` positions of a random order in which every class comes equally often.

    Args:
        labels: (N,) int64.
        n: How many; all there are, if there are fewer.
        seed: Which order.
    """
    order, turn = balanced_order(labels, seed)
    return order[turn.argsort(stable=True)][:n]
