"""A benchmark: one reference distribution, and the shifts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from wiseft_tutorial.benchmarks.split import Split
from wiseft_tutorial.errors import DataError, unknown

__all__ = ["Benchmark"]


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A reference distribution to fine-tune on, and distributions that only test.

    Attributes:
        name: The benchmark's.
        classnames: The K classes, in words.
        templates: Prompts with ``{}`` where a class name goes.
        train: Of the reference distribution, to fine-tune on.
        val: Of the reference distribution, to choose alpha and recipes on.
        test: Of the reference distribution, to report.
        shifts: Test sets under distribution shift, by name; nothing is chosen on them.

    Raises:
        DataError: The splits do not fit together.

    Source: section 2. Explained in: chapter 1.
    """

    name: str
    classnames: tuple[str, ...]
    templates: tuple[str, ...]
    train: Split
    val: Split
    test: Split
    shifts: Mapping[str, Split]

    def __post_init__(self) -> None:
        if self.test.name in self.shifts:
            raise DataError(f"{self.test.name!r} is both the reference and a shift")
        size = self.test.images.shape[-2:]
        for split in (self.train, self.val, self.test, *self.shifts.values()):
            highest = max(int(split.labels.max()), *(split.classes or (0,)))
            if highest >= len(self.classnames):
                raise DataError(
                    f"split {split.name!r} has class {highest}, but benchmark {self.name!r} has "
                    f"{len(self.classnames)} class names, numbered from 0"
                )
            if split.images.shape[-2:] != size:
                raise DataError(
                    f"split {split.name!r} has images of {tuple(split.images.shape[-2:])} pixels "
                    f"and split {self.test.name!r} of {tuple(size)}; a benchmark has one size"
                )

    @property
    def image_size(self) -> int:
        """Height and width of the images, in pixels."""
        return self.test.images.shape[-1]

    @property
    def distributions(self) -> dict[str, Split]:
        """The test sets by name: the reference first, then the shifts."""
        return {self.test.name: self.test, **self.shifts}

    def check_order(self, classnames: Sequence[str]) -> None:
        """Make sure that a model's classes are not the benchmark's in another order.

        Labels are positions in the list of names, so such a model would answer with other classes
        than it means. Other words for the classes pass: nobody can tell their order.

        Args:
            classnames: The model's.

        Raises:
            DataError: Two or more names are the benchmark's own and stand in other places, as when
                folders were sorted otherwise, or one was added and another removed.

        Explained in: chapter 2.
        """
        moved = [
            i
            for i, (ours, theirs) in enumerate(zip(self.classnames, classnames, strict=False))
            if ours != theirs and theirs in self.classnames
        ]
        if len(moved) > 1:
            wrong = moved[0]
            raise DataError(
                f"the class names are those of benchmark {self.name!r} in another order: class "
                f"{wrong} is {classnames[wrong]!r} instead of {self.classnames[wrong]!r}. Labels "
                "are positions in the benchmark's list; keep its order"
            )

    def matched(self, shift: str) -> tuple[Tensor, Tensor]:
        """The reference's test images of the classes that a shift has.

        A shift of 200 classes is easier than a reference of 1,000, so the paper compares it with
        the reference on those 200.

        Args:
            shift: Its name.

        Returns:
            (M,) int64 positions in ``test``, and (M,) int64 labels as the shift has them, where
            classes of the reference may be one.

        Raises:
            UnknownNameError: There is no such shift; names the nearest.

        Source: section 2, figures 7 and 8. Explained in: chapter 15.
        """
        if shift not in self.shifts:
            raise unknown("shift", shift, self.shifts)
        split, labels = self.shifts[shift], self.test.labels
        first = torch.arange(len(self.classnames))
        for members in split.together:
            first[list(members)] = members[0]
        there = torch.zeros(len(self.classnames), dtype=torch.bool)
        there[list(split.classes or range(len(self.classnames)))] = True
        positions = there[labels].nonzero()[:, 0]
        return positions, first[labels[positions]]

    def few_shot(self, k: int | None, *, seed: int = 0) -> Benchmark:
        """The same benchmark with only ``k`` training images of each class, in random order.

        Args:
            k: Images per class; None for all that there are, as they are.
            seed: Which images.

        Returns:
            A benchmark that shares all other splits with this one.

        Raises:
            DataError: A class has fewer than ``k`` training images.

        Source: appendix C.5, figures 17 to 19. Explained in: chapter 7.
        """
        if k is None:
            return self
        wanted = set(self.train.classes or range(len(self.classnames)))
        if missing := sorted(wanted - set(self.train.labels.unique().tolist())):
            raise DataError(
                f"split {self.train.name!r} has no image of {self.classnames[missing[0]]!r}"
                + (f" and {len(missing) - 1} other classes" if len(missing) > 1 else "")
            )
        return replace(self, train=self.train.per_class(k, seed=seed))
