"""The separate model that chooses Pocket-A: a small network that saw only reference images.

ImageNet-A was collected by keeping the photographs that a ResNet-50 gets wrong. Pocket-A is made
in the same way: candidates are drawn like the reference, somewhat more freely, and those stay
that this network, trained from scratch on its own sample of the reference, gives to another
class. Neither the zero-shot nor any fine-tuned model of this book takes part in the choice.

    python -m wiseft_tutorial.pocket.adversary      # train it again, about a minute

Explained in: chapter 1.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from wiseft_tutorial._files import write_tensors
from wiseft_tutorial.pocket.drawing import draw
from wiseft_tutorial.pocket.objects import POCKET_CLASSES
from wiseft_tutorial.pocket.styles import STYLES

__all__ = ["Adversary", "is_hard", "load_adversary", "train_adversary"]

WEIGHTS = Path(__file__).with_name("pocket-adversary.safetensors")
SEED = 920_000  # of no benchmark split


class Adversary(nn.Module):
    """A small convolutional network: (N, 3, 48, 48) uint8 in, (N, classes) logits out."""

    def __init__(self, classes: int, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inside, out, stride in (
            (3, width, 2),
            (width, 2 * width, 1),
            (2 * width, 4 * width, 1),
        ):
            conv = nn.Conv2d(inside, out, 3, stride=stride, padding=1, bias=False)
            layers += [conv, nn.GroupNorm(8, out), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers[:-1])
        self.head = nn.Linear(4 * width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images."""
        x = (images.float() / 255 - 0.5) / 0.25
        logits: Tensor = self.head(self.features(x).amax((2, 3)))
        return logits


def train_adversary(*, per_class: int = 20, epochs: int = 40, seed: int = SEED) -> Adversary:
    """Train from scratch on reference images that no benchmark split contains."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(POCKET_CLASSES)).repeat(per_class)
    objects = torch.tensor(POCKET_CLASSES)[labels]
    images = draw(objects, STYLES["Pocket"], generator).images
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Adversary(len(POCKET_CLASSES))
    steps = epochs * (len(labels) // 100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(labels), generator=generator).split(100):
            x = images[batch]
            x = torch.where(torch.rand(len(x), 1, 1, 1, generator=generator) < 0.5, x, x.flip(3))
            loss = F.cross_entropy(model(x), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


@lru_cache(maxsize=1)
def load_adversary() -> Adversary:
    """The network that ships with the package."""
    model = Adversary(len(POCKET_CLASSES))
    model.load_state_dict({k: v.float() for k, v in load_file(WEIGHTS).items()})
    return model.eval()


@torch.no_grad()
def is_hard(images: Tensor, labels: Tensor, *, batch_size: int = 250) -> Tensor:
    """(N,) bool: the adversary prefers another class, and gives the true one less than a quarter.

    Args:
        images: (N, 3, 48, 48) uint8.
        labels: (N,) indices into the benchmark's classes.
    """
    model = load_adversary()
    logits = torch.cat([model(x) for x in images.split(batch_size)])
    true = logits.softmax(1).gather(1, labels[:, None])[:, 0]
    return (logits.argmax(1) != labels) & (true < 0.25)


def main() -> None:
    """Train the adversary and write its weights, with its accuracy on fresh reference images."""
    model = train_adversary()
    labels = torch.arange(len(POCKET_CLASSES)).repeat(50)
    fresh = torch.Generator().manual_seed(SEED + 1)
    images = draw(torch.tensor(POCKET_CLASSES)[labels], STYLES["Pocket"], fresh).images
    with torch.no_grad():
        accuracy = float((model(images).argmax(1) == labels).float().mean())
    metadata = {"reference_accuracy": json.dumps(round(accuracy, 4)), "seed": str(SEED)}
    write_tensors(WEIGHTS, {k: v.half() for k, v in model.state_dict().items()}, metadata)
    print(f"reference accuracy {accuracy:.3f}; wrote {WEIGHTS.name}")


if __name__ == "__main__":
    main()
