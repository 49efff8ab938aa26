"""Trains Pocket-CLIP from pictures and captions, or Pocket-Labels from pictures and labels.

    python -m wiseft_tutorial.pocket.pretrain --out build/pocket-clip --steps 20000
    python -m wiseft_tutorial.pocket.pretrain --out build/pocket-labels --learn-from labels

The first is a CLIP that open_clip loads, the second a classifier of all objects of the same world.
The pictures are drawn while training goes on. The rate warms up, stays, and falls over the last
``--cooldown`` steps, so that a run can be stopped, judged, resumed and lengthened: a later call
with more steps goes on from the last checkpoint taken before the fall. Where only a finished model
is left, ``--after`` goes on from that, with a rate that warms up once more.

Explained in: chapters 2 and 16.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from wiseft_tutorial._files import write_tensors
from wiseft_tutorial.errors import CheckpointError, DataError, unknown
from wiseft_tutorial.pocket.captions import Noise, described
from wiseft_tutorial.pocket.drawing import draw
from wiseft_tutorial.pocket.lessons import LESSONS, PRECISIONS, Lesson
from wiseft_tutorial.pocket.muon import Muon
from wiseft_tutorial.pocket.objects import CLASSNAMES, POCKET_CLASSES
from wiseft_tutorial.pocket.styles import STYLES, WORLDS

__all__ = ["Pretraining", "main", "pretrain"]

VALIDATION_SEED = 910_000  # of no chapter, and of no benchmark split

# Some things are photographed more often than others: here, those of the benchmark.
_FREQUENCY = [1.0 if k in POCKET_CLASSES else 0.25 for k in range(len(CLASSNAMES))]


@dataclass(frozen=True)
class Pretraining:
    """The settings of one pre-training run.

    Attributes:
        steps: optimiser steps; the last ``cooldown`` of them with a falling rate.
        batch_size: pictures a step.
        fresh: pictures a step that are newly drawn; the others come from a store of recent ones.
        store: how many recent pictures are kept.
        lr: the rate between warm-up and cooldown.
        optimiser: ``"muon"`` (for the matrices inside the transformers) or ``"adamw"``.
        world: what is drawn, one of :data:`wiseft_tutorial.pocket.styles.WORLDS`.
        start: the first step, and the first of the warm-up; :func:`pretrain` sets it where it goes
            on from a finished model.
        noise_wrong, noise_empty: shares of captions that mislead or say nothing.
        learn_from: ``"captions"``, or ``"labels"``: the numbers of the objects that they name.
        precision: of the towers' matrix products, ``"bfloat16"`` or ``"float32"``, which is far
            faster on a processor without instructions for the former.
    """

    steps: int = 20_000
    cooldown: int = 2_000
    warmup: int = 300
    batch_size: int = 256
    fresh: int = 96
    store: int = 32_768
    lr: float = 2e-3
    weight_decay: float = 0.1
    optimiser: str = "muon"
    world: str = "web"
    noise_wrong: float = 0.1
    noise_empty: float = 0.1
    seed: int = 0
    start: int = 0
    learn_from: str = "captions"
    precision: str = "bfloat16"

    def __post_init__(self) -> None:
        choices = {
            "optimiser": ("muon", "adamw"),
            "world": WORLDS,
            "learn_from": LESSONS,
            "precision": PRECISIONS,
        }
        for name, known in choices.items():
            if (value := getattr(self, name)) not in known:
                raise unknown(name, value, known)
        if self.fresh < 3 or self.fresh % 3:
            raise DataError(
                f"fresh is {self.fresh}; pictures are drawn in threes: take 3, 6, 9, ..."
            )

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        up = min(1.0, (step - self.start + 1) / max(1, self.warmup))
        down = min(1.0, (self.steps - step) / max(1, self.cooldown))
        return self.lr * min(up, down)


class _Stream:
    """Batches of pictures and what they come with, the same for the same seed and step."""

    def __init__(self, settings: Pretraining, lesson: Lesson, device: torch.device) -> None:
        self.settings, self.lesson, self.device = settings, lesson, device
        self.images = torch.empty(settings.store, 3, 48, 48, dtype=torch.uint8, device=device)
        self.kept = torch.zeros(settings.store, lesson.width, dtype=torch.int64)
        self.step = 0

    def seek(self, step: int) -> None:
        """Bring the store to its state at the start of a step, by drawing the recent past again."""
        back = math.ceil(self.settings.store / self.settings.fresh)
        for past in range(step - back, step):
            self._refresh(past)
        self.step = step

    def _refresh(self, step: int) -> None:
        s = self.settings
        rng = random.Random(s.seed * 1_000_003 + step)
        generator = torch.Generator(self.device).manual_seed(rng.getrandbits(40))
        styles = list(WORLDS[s.world].values())
        share = s.fresh // 3
        for i in range(3):
            _, style = rng.choices(styles, [w for w, _ in styles])[0]
            labels = torch.tensor(rng.choices(range(len(CLASSNAMES)), _FREQUENCY, k=share))
            picture = draw(labels, style, generator)
            said = described(picture, labels, rng, Noise(s.noise_wrong, s.noise_empty))
            at = (torch.arange(share) + step * s.fresh + i * share) % s.store
            self.images[at.to(self.device)] = picture.images
            self.kept[at] = self.lesson.kept(said)

    def next(self) -> tuple[Tensor, Tensor]:
        """Images (N, 3, 48, 48) uint8, and what the lesson keeps of each (N, width), on the CPU."""
        self._refresh(self.step)
        generator = torch.Generator().manual_seed(self.settings.seed * 7_000_003 + self.step)
        size = (self.settings.batch_size,)
        picked = torch.randint(self.settings.store, size, generator=generator)
        self.step += 1
        return self.images[picked.to(self.device)], self.kept[picked]


@dataclass
class _Validation:
    """Measures zero-shot accuracy on pictures of the benchmark's classes in every style."""

    per_class: int = 15
    sets: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def prepare(self) -> None:
        labels = torch.arange(len(POCKET_CLASSES)).repeat(self.per_class)
        objects = torch.tensor(POCKET_CLASSES)[labels]
        for i, (name, style) in enumerate(STYLES.items()):
            generator = torch.Generator().manual_seed(VALIDATION_SEED + i)
            self.sets[name] = (draw(objects, style, generator).images, labels)

    @torch.no_grad()
    def __call__(self, lesson: Lesson, device: torch.device) -> dict[str, float]:
        lesson.model.eval()
        weights = lesson.head()
        result = {}
        for name, (images, labels) in self.sets.items():
            right = 0
            for x, y in zip(images.split(256), labels.split(256), strict=True):
                with lesson.precision():
                    f = lesson.model.visual(_normalise(x.to(device)))
                right += int(((f.float() @ weights.T).argmax(1).cpu() == y).sum())
            result[name] = round(right / len(labels), 4)
        lesson.model.train()
        return result


def _normalise(images: Tensor) -> Tensor:
    return (images.float() / 255 - 0.5) / 0.25


def pretrain(
    settings: Pretraining,
    out: Path,
    *,
    device: torch.device,
    after: Path | None = None,
    every: int = 500,
    validation_per_class: int = 15,
) -> Path:
    """Train, or go on training, and return the path of the finished model.

    Args:
        settings: the run; a checkpoint in ``out`` of a run that differs only in ``steps`` or
            ``cooldown``, taken before its rate began to fall, is taken up.
        out: folder for checkpoints, the log (JSON lines) and the model.
        device: where to draw and train.
        after: folder of a finished run, to go on from its model: steps count on from there.
        every: steps between measurements; checkpoints are taken then too.
        validation_per_class: images of each class and style to measure on.

    Raises:
        CheckpointError: ``out`` holds checkpoints, but only of other runs.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    lesson = LESSONS[settings.learn_from](device, settings.precision)
    model = lesson.model
    earlier = _go_on(after, lesson, out) if after else []
    if earlier:
        settings = replace(settings, start=earlier[-1]["steps"])
    optimisers = _optimisers(model, settings)
    stream = _Stream(settings, lesson, device)
    first, spent = _resume(out, settings, model, optimisers)
    _forget_after(first, out / "log.jsonl")
    validation = _Validation(validation_per_class)
    validation.prepare()
    stream.seek(first)
    model.train()
    # Draw the next batch on another thread while this one trains.
    pool = ThreadPoolExecutor(1)
    upcoming = pool.submit(stream.next)
    began, losses = time.monotonic() - spent, []
    for step in range(first, settings.steps):
        images, kept = upcoming.result()
        upcoming = pool.submit(stream.next)
        loss = lesson.loss(_normalise(images), kept)
        model.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = settings.rate(step)
            optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        losses.append(loss.detach())
        done = step + 1
        if done % every == 0 or done == settings.steps:
            record = {
                "step": done,
                "loss": round(float(torch.stack(losses).mean()), 4),
                "scale": round(model.logit_scale.exp().item(), 2),
                "lr": round(settings.rate(step), 6),
                "seconds": round(time.monotonic() - began),
                **validation(lesson, device),
            }
            losses = []
            with (out / "log.jsonl").open("a") as log:
                log.write(json.dumps(record) + "\n")
            print(json.dumps(record), flush=True)
            name = "stable" if done <= settings.steps - settings.cooldown else "falling"
            _save_training(
                out / f"{name}.safetensors",
                settings,
                model,
                optimisers,
                done,
                time.monotonic() - began,
            )
            if name == "stable" and done % 2_000 == 0:
                path = out / f"step-{done}.safetensors"
                _save_model(path, lesson, settings, done, earlier)
    pool.shutdown()
    path = out / f"{lesson.file}.safetensors"
    _save_model(path, lesson, settings, settings.steps, earlier)
    return path


def _go_on(after: Path, lesson: Lesson, out: Path) -> list[dict[str, Any]]:
    """Start from the model and the log of a finished run; returns the settings that led to it."""
    with safe_open(after / f"{lesson.file}.safetensors", "pt") as file:
        state = {k: file.get_tensor(k).float() for k in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    lesson.load_state(state)
    if not (out / "log.jsonl").exists():
        (out / "log.jsonl").write_bytes((after / "log.jsonl").read_bytes())
    earlier: list[dict[str, Any]] = json.loads(metadata.get("earlier", "[]"))
    return [*earlier, json.loads(metadata["settings"])]


def _optimisers(model: Any, settings: Pretraining) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the transformers, AdamW for everything else.

    Short runs seemed to learn faster so; the two were not compared with everything else equal.
    """
    named = model.named_parameters() if settings.optimiser == "muon" else ()
    inner = [p for n, p in named if p.ndim == 2 and "resblocks" in n]
    chosen = {id(p) for p in inner}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    adamw = torch.optim.AdamW(
        [
            {"params": [p for p in rest if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=settings.lr,
        betas=(0.9, 0.98),
        fused=True,
    )
    if not inner:
        return [adamw]
    if settings.precision == "float32":
        return [adamw, Muon(inner, lr=settings.lr, weight_decay=settings.weight_decay)]
    muon = torch.optim.Muon(
        inner, lr=settings.lr, weight_decay=settings.weight_decay, adjust_lr_fn="match_rms_adamw"
    )
    return [adamw, muon]


def _save_training(
    path: Path,
    settings: Pretraining,
    model: Any,
    optimisers: list[torch.optim.Optimizer],
    step: int,
    spent: float,
) -> None:
    tensors = {f"model.{k}": v.detach().cpu().contiguous() for k, v in model.state_dict().items()}
    for o, optimiser in enumerate(optimisers):
        for i, state in optimiser.state_dict()["state"].items():
            tensors |= {
                f"optimiser.{o}.{i}.{k}": v.detach().cpu().contiguous() for k, v in state.items()
            }
    metadata = {"step": str(step), "spent": str(spent), "settings": json.dumps(asdict(settings))}
    write_tensors(path, tensors, metadata)


def _resume(
    out: Path, settings: Pretraining, model: Any, optimisers: list[torch.optim.Optimizer]
) -> tuple[int, float]:
    """Load the latest checkpoint that this run may go on from; returns its step and time spent."""
    best: tuple[int, float, Path] | None = None
    others: list[str] = []
    for path in (out / "stable.safetensors", out / "falling.safetensors"):
        if not path.exists():
            continue
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        then, now = asdict(Pretraining()) | json.loads(metadata["settings"]), asdict(settings)
        free = ("steps", "cooldown") if path.stem == "stable" else ()
        step = int(metadata["step"])
        differs = [k for k in now if k not in free and then[k] != now[k]]
        if differs or step > settings.steps:
            others.append(f"{path.name} (step {step}; other {', '.join(differs) or 'steps'})")
        elif best is None or step > best[0]:
            best = (step, float(metadata["spent"]), path)
    if best is None and others:
        raise CheckpointError(
            f"{str(out)!r} holds checkpoints of another run, which this one would overwrite: "
            f"{'; '.join(others)}. Choose another --out, or delete them."
        )
    if best is None:
        log = out / "log.jsonl"
        spent = json.loads(log.read_text().splitlines()[-1])["seconds"] if settings.start else 0.0
        return settings.start, spent
    with safe_open(best[2], "pt") as file:
        tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    for o, optimiser in enumerate(optimisers):
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(f"optimiser.{o}."):
                _, _, index, name = key.split(".")
                state.setdefault(int(index), {})[name] = value
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": state, "param_groups": groups})
    return best[0], best[1]


def _forget_after(step: int, log: Path) -> None:
    """Drop from the log what was measured after the checkpoint that a run goes on from."""
    if log.exists():
        rows = [line for line in log.read_text().splitlines() if json.loads(line)["step"] <= step]
        log.write_text("".join(f"{row}\n" for row in rows))


def _save_model(
    path: Path,
    lesson: Lesson,
    settings: Pretraining,
    step: int,
    earlier: list[dict[str, Any]],
) -> None:
    half = {k: v.half() if v.is_floating_point() else v for k, v in lesson.state().items()}
    metadata = lesson.facts() | {"step": str(step), "settings": json.dumps(asdict(settings))}
    write_tensors(path, half, metadata | {"earlier": json.dumps(earlier)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".sha256").write_text(f"{digest}  {path.name}\n")


def main(argv: Sequence[str] | None = None) -> None:
    """Train Pocket-CLIP or Pocket-Labels from the command line."""
    parser = argparse.ArgumentParser(description="Train Pocket-CLIP or Pocket-Labels.")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for checkpoints and the model"
    )
    parser.add_argument("--after", type=Path, help="folder of a finished run to go on from")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--every", type=int, default=500, help="steps between measurements")
    options = {k: v for k, v in asdict(Pretraining()).items() if k != "start"}
    for name, value in options.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    arguments = vars(parser.parse_args(argv))
    out, device, after, every = (arguments.pop(k) for k in ("out", "device", "after", "every"))
    settings = Pretraining(**arguments)
    path = pretrain(settings, out, device=torch.device(device), after=after, every=every)
    print(path)


if __name__ == "__main__":
    main()
