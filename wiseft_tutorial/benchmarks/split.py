"""A split: images of one distribution, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from wiseft_tutorial.errors import DataError

__all__ = ["Split"]


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled images of one distribution.

    Attributes:
        name: The distribution's.
        images: (N, 3, H, W) uint8, in memory or memory-mapped.
        labels: (N,) int64, positions in the benchmark's class names.
        classes: The only classes that occur in this distribution, if they are not all of the
            benchmark's, as ImageNet-R has 200 of ImageNet's 1,000; others are then no answer.

    Raises:
        DataError: Shapes, dtypes or labels do not fit together.

    Source: section 2. Explained in: chapter 1.
    """

    name: str
    images: Tensor
    labels: Tensor
    classes: tuple[int, ...] | None = None

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

    def _require(self, condition: bool, otherwise: str) -> None:
        if not condition:
            raise DataError(f"split {self.name!r}: {otherwise}")

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: Tensor) -> Split:
        """The images at some positions, in that order.

        Args:
            indices: (M,) int64 positions, or (N,) bool.

        Returns:
            A split of those images.
        """
        return replace(self, images=self.images[indices], labels=self.labels[indices])

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
        order, turn = self._order(seed)
        return self.subset(order[turn.argsort(stable=True)][:n])

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
        order, turn = self._order(seed)
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
            The same, with ``-inf`` for those classes; the very tensor, if there are none.

        Source: section 2, where a shift has some of ImageNet's classes. Explained in: chapter 9.
        """
        if self.classes is None:
            return logits
        keep = torch.zeros(logits.shape[-1], dtype=torch.bool, device=logits.device)
        keep[list(self.classes)] = True
        return logits.masked_fill(~keep, -torch.inf)

    def _order(self, seed: int) -> tuple[Tensor, Tensor]:
        """A random order of all images, and for each how many of its class come before it."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        labels = self.labels[order]
        by_class = labels.argsort(stable=True)
        starts = labels.bincount().cumsum(0) - labels.bincount()
        turn = torch.empty_like(order)
        turn[by_class] = torch.arange(len(self)) - starts[labels[by_class]]
        return order, turn
