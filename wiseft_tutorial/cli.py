"""The command line: ``wiseft`` and what it can do, with help that teaches.

Explained in: chapter 17.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from wiseft_tutorial._version import __version__
from wiseft_tutorial.benchmarks import (
    Benchmark,
    benchmark_from_folders,
    benchmark_names,
    load_benchmark,
)
from wiseft_tutorial.datafiles.sources import SOURCES, download
from wiseft_tutorial.errors import DataError, MissingFileError, WiseFTError
from wiseft_tutorial.evaluate import ALPHAS, alpha_sweep, predict, summarise
from wiseft_tutorial.export import export_clip, origin
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.metrics import score
from wiseft_tutorial.models import Clip, ImageClassifier, load_clip
from wiseft_tutorial.places import data_folder
from wiseft_tutorial.processes import first, processes, together
from wiseft_tutorial.recipe import Recipe, default_recipe
from wiseft_tutorial.records import load_sweep, save_sweep
from wiseft_tutorial.weights import interpolate
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["main"]

_ABOUT = """\
Robust fine-tuning: average the weights of a zero-shot model and of the same model fine-tuned.

A whole experiment on Pocket, the drawn benchmark that needs no download, in minutes on a CPU:

    wiseft sweep --benchmark pocket --few-shot 16 -o sweep.jsonl
    wiseft plot sweep.jsonl -o sweep.png

On your own images, one folder for each class:

    wiseft sweep --reference photos --shift sketches=drawings -o sweep.jsonl

with better names for the classes than those of the folders, {"n07749582": "lemon", ...}:

    wiseft sweep --reference photos --classnames names.json --template "a photo of a {}"

The same for CLIP ViT-B/32 and CIFAR-10, on a GPU:

    wiseft download cifar10 cifar10.1 cifar10.2
    wiseft sweep --benchmark cifar10 --model ViT-B-32-quickgelu --pretrained openai -o sweep.jsonl

Step by step, keeping every model:

    wiseft zeroshot --benchmark pocket -o zeroshot.safetensors
    wiseft finetune zeroshot.safetensors --benchmark pocket -o finetuned.safetensors
    wiseft sweep zeroshot.safetensors finetuned.safetensors --benchmark pocket -o sweep.jsonl
    wiseft export zeroshot.safetensors finetuned.safetensors --alpha 0.5 -o clip.safetensors
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: What stands after ``wiseft``; ``None`` means as the shell gave it.

    Returns:
        The exit status: 0, or 1 if the command could not be carried out.
    """
    given = _parser().parse_args(arguments)
    try:
        if processes() > 1 and given.run is not _finetune:
            raise DataError(
                f"{processes()} processes were started, and only `wiseft finetune` shares its work "
                "among them; start this command without torchrun"
            )
        given.run(given)
    except WiseFTError as error:
        print(f"wiseft: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "wiseft", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"wiseft {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    fetch = commands.add_parser(
        "download",
        help="fetch data sets",
        description="Fetch data sets into the data folder, or say how to get them. What broke off "
        "goes on where it stopped, and every archive is compared with its SHA-256. Data sets: "
        f"{', '.join(SOURCES)}.",
    )
    fetch.add_argument("names", nargs="+", metavar="NAME", help="of a data set")
    fetch.set_defaults(run=_download)

    zeroshot = commands.add_parser(
        "zeroshot",
        help="build a classifier from words, and test it",
        description="Build the zero-shot classifier, alpha = 0, from class names and prompts; "
        "write it to a file, and print its accuracy on every distribution.",
    )
    _takes_data(zeroshot)
    _takes_model(zeroshot)
    _writes(zeroshot, "zeroshot.safetensors")
    zeroshot.set_defaults(run=_zeroshot)

    tune = commands.add_parser(
        "finetune",
        help="fine-tune a classifier on the reference",
        description="Fine-tune a classifier on the benchmark's training images, alpha = 1. A run "
        "that is stopped goes on where its last epoch ended. Several GPUs share the work, with the "
        "result of one: torchrun --nproc-per-node 4 --no-python wiseft finetune ...",
    )
    tune.add_argument("model", type=Path, help="where to start: what `wiseft zeroshot` wrote")
    _takes_data(tune)
    _takes_recipe(tune)
    _takes_device(tune)
    _writes(tune, "finetuned.safetensors")
    tune.set_defaults(run=_finetune)

    sweep = commands.add_parser(
        "sweep",
        help="average two models at every alpha, and test each average",
        description="Average the zero-shot and the fine-tuned model at every alpha, and measure "
        "each average on the reference and on every shift. Without models, both are made first. "
        "Alpha = 0.5 is what the paper recommends where nothing is known of the shift.",
    )
    sweep.add_argument("zeroshot", type=Path, nargs="?", help="alpha = 0; made if not given")
    sweep.add_argument("finetuned", type=Path, nargs="?", help="alpha = 1; made if not given")
    _takes_data(sweep)
    _takes_model(sweep)
    _takes_recipe(sweep)
    sweep.add_argument(
        "--alphas", type=float, nargs="+", default=list(ALPHAS), metavar="A", help="0 to 1"
    )
    _writes(sweep, "sweep.jsonl")
    sweep.set_defaults(run=_sweep)

    plot = commands.add_parser(
        "plot",
        help="draw sweeps",
        description="Draw accuracy under shift against accuracy on the reference, a curve for each "
        "sweep; or, with --by alpha, accuracy against alpha for each distribution.",
    )
    plot.add_argument("sweeps", type=Path, nargs="+", help="what `wiseft sweep` wrote")
    plot.add_argument("--by", choices=["reference", "alpha"], default="reference")
    _writes(plot, "sweep.png")
    plot.set_defaults(run=_plot)

    export = commands.add_parser(
        "export",
        help="make a CLIP for open_clip of a classifier, or of an average",
        description="Write a CLIP whose image tower is that of a classifier, or of the average of "
        "two, for open_clip.create_model(NAME, pretrained=FILE).",
    )
    export.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="one, or two")
    export.add_argument("--alpha", type=float, default=0.5, help="of two models (default: 0.5)")
    export.add_argument(
        "--pretrained", help="the weights it all began with, as for `wiseft zeroshot`"
    )
    _writes(export, "clip.safetensors")
    export.set_defaults(run=_export)
    return parser


def _takes_data(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("data: a benchmark, or folders of images")
    data.add_argument("--benchmark", metavar="NAME", help=f"one of {', '.join(benchmark_names())}")
    data.add_argument(
        "--reference", type=Path, metavar="DIR", help="a folder for each class, of your images"
    )
    data.add_argument(
        "--shift",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="the same classes, otherwise taken; may be given again",
    )
    data.add_argument(
        "--classnames",
        type=Path,
        metavar="FILE",
        help="JSON: what the folders' classes are called in prompts",
    )
    data.add_argument(
        "--template",
        action="append",
        metavar="TEXT",
        help="a prompt with {} where a class name goes; may be given again",
    )
    data.add_argument("--test-images", type=int, metavar="N", help="of each test set, not all")
    data.add_argument("--few-shot", type=int, metavar="K", help="training images of each class")
    data.add_argument(
        "--image-size",
        type=int,
        metavar="S",
        help="in pixels, of decoded images (of folders: by default the model's)",
    )
    data.add_argument("--seed", type=int, default=0, help="of all choices (default: 0)")


def _takes_model(parser: argparse.ArgumentParser) -> None:
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model", default="pocket", help="of open_clip, or pocket, which is the default"
    )
    model.add_argument(
        "--pretrained", help="its weights: a tag such as openai, or a file of your own"
    )
    _takes_device(model)


def _takes_device(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--device", help="cuda or cpu (default: the best there is)")


def _takes_recipe(parser: argparse.ArgumentParser) -> None:
    recipe = parser.add_argument_group("recipe: what is not given is the default for the model")
    recipe.add_argument(
        "--method", choices=["e2e", "lc"], default="e2e", help="every weight, or the head alone"
    )
    recipe.add_argument("--epochs", type=int)
    recipe.add_argument("--lr", type=float)
    recipe.add_argument("--batch-size", type=int, help="images per step, of all processes together")
    recipe.add_argument(
        "--gradient-checkpointing",
        action="store_true",
        default=None,
        help="for a model that does not fit: less memory, a third more time, the same result",
    )
    recipe.add_argument(
        "--compiled",
        action="store_true",
        default=None,
        help="for a long run on a GPU: torch.compile, half a minute at the start, faster steps",
    )


def _writes(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "-o", "--out", type=Path, default=Path(default), help=f"(default: {default})"
    )


def _download(given: argparse.Namespace) -> None:
    print(f"data folder: {data_folder()}")
    for name in given.names:
        print(f"{SOURCES[name].title if name in SOURCES else name}: {download(name)}")


def _zeroshot(given: argparse.Namespace) -> None:
    clip = _clip(given)
    bench = _benchmark(given, clip.image_size)
    model = zeroshot_classifier(clip, bench)
    print(model.save(given.out))
    rows = {
        name: score(predict(model, split, device=given.device, progress=True), split)
        for name, split in bench.distributions.items()
    }
    table = pd.DataFrame({name: [f.value, f.low, f.high, f.n] for name, f in rows.items()}).T
    table.columns = ["accuracy", "low", "high", "n"]
    print(table.astype({"n": int}).round(3).to_string())


def _finetune(given: argparse.Namespace) -> None:
    with together() as own:
        device = own or given.device
        start = ImageClassifier.load(given.model, device=device)
        bench = _benchmark(given, start.image_size)
        tuned = finetune(start, bench, _recipe(given, start.clip_name), device=device)
        if first():
            print(tuned.save(given.out))


def _sweep(given: argparse.Namespace) -> None:
    if given.zeroshot:
        zeroshot = ImageClassifier.load(given.zeroshot, device=given.device)
        bench = _benchmark(given, zeroshot.image_size)
    else:
        clip = _clip(given)
        bench = _benchmark(given, clip.image_size)
        zeroshot = zeroshot_classifier(clip, bench)
    if given.finetuned:
        finetuned = ImageClassifier.load(given.finetuned, device=given.device)
    else:
        recipe = _recipe(given, zeroshot.clip_name)
        finetuned = finetune(zeroshot, bench, recipe, device=given.device)
    sweep = alpha_sweep(
        zeroshot, finetuned, bench, alphas=given.alphas, matched=True, device=given.device
    )
    print(save_sweep(sweep, given.out))
    table = summarise(sweep) if bench.shifts else sweep.drop(columns=["distribution", "kind"])
    print(table.round(3).to_string(index=False))


def _plot(given: argparse.Namespace) -> None:
    # Here, because the figures are slow to import.
    from wiseft_tutorial.plots import plot_alpha, plot_robustness

    sweeps = {path.stem: load_sweep(path) for path in given.sweeps}
    if len(sweeps) < len(given.sweeps):
        raise DataError("two of the files have the same name; the curves would be called alike")
    shown = next(iter(sweeps.values())) if len(sweeps) == 1 else sweeps
    figure = (plot_robustness if given.by == "reference" else plot_alpha)(shown)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(given.out)
    print(given.out)


def _export(given: argparse.Namespace) -> None:
    if len(given.models) > 2:
        raise DataError(f"{len(given.models)} models were given; export takes one, or two")
    model, *others = (ImageClassifier.load(path, device="cpu") for path in given.models)
    for other in others:
        model = interpolate(model, other, given.alpha)
    began = origin(model.provenance) if model.clip_name != "pocket-clip" else None
    clip = load_clip(model.clip_name, pretrained=given.pretrained or began, device="cpu")
    print(export_clip(model, clip, given.out))


def _benchmark(given: argparse.Namespace, image_size: int) -> Benchmark:
    """The benchmark that was asked for, by name or as folders, of images that suit the model."""
    options: dict[str, Any] = {"test_images": given.test_images, "seed": given.seed}
    if given.image_size:
        options["image_size"] = given.image_size
    if bool(given.benchmark) == bool(given.reference):
        raise DataError("give either --benchmark or --reference, and not both")
    if given.reference:
        words = {"classnames": given.classnames and _classnames(given.classnames)}
        words["templates"] = given.template
        options |= {key: value for key, value in words.items() if value is not None}
        options.setdefault("image_size", image_size)
        pairs = [shift.partition("=") for shift in given.shift]
        if wrong := [name for name, equals, _ in pairs if not equals]:
            raise DataError(f"--shift {wrong[0]} names no folder; write --shift NAME=DIR")
        folders = {name: Path(place) for name, _, place in pairs}
        bench = benchmark_from_folders(given.reference, folders, **options)
    else:
        for option in ("shift", "classnames", "template"):
            if getattr(given, option):
                raise DataError(f"--{option} goes with --reference; a benchmark has its own")
        options = {key: value for key, value in options.items() if value is not None}
        bench = load_benchmark(given.benchmark, **options)
    return bench.few_shot(given.few_shot, seed=given.seed)


def _classnames(path: Path) -> dict[str, str]:
    """What classes are called, by folder."""
    if not path.is_file():
        raise MissingFileError(f"there is no file {str(path)!r}")
    try:
        names = json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{str(path)!r} is not JSON ({error})") from error
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise DataError(f'{str(path)!r} should look like {{"folder": "class name", ...}}')
    return names


def _clip(given: argparse.Namespace) -> Clip:
    return load_clip(given.model, pretrained=given.pretrained, device=given.device)


def _recipe(given: argparse.Namespace, clip_name: str) -> Recipe:
    fields = ("epochs", "lr", "batch_size", "gradient_checkpointing", "compiled")
    asked = {field: getattr(given, field) for field in fields}
    changes = {key: value for key, value in asked.items() if value is not None}
    return default_recipe(clip_name, given.method, seed=given.seed, **changes)
