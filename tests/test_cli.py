"""The command line on folders of real files: every command, and what it says when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trees

from wiseft_tutorial.cli import main
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.records import load_sweep
from wiseft_tutorial.weights import interpolate, weight_step

FOLDERS = ["lemon", "mug", "key", "kite"]
QUICK = ["--device", "cpu", "--image-size", "48"]


@pytest.fixture(scope="module", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WISEFT_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("WISEFT_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("images")
    photos = trees.class_folders(root / "photos", FOLDERS, 10, suffix=".jpg")
    prints = trees.class_folders(root / "prints", FOLDERS, 5, style="Pocket-R", suffix=".jpg")
    return ["--reference", str(photos), "--shift", f"prints={prints}", *QUICK]


@pytest.fixture(scope="module")
def models(data: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Both models, made step by step."""
    root = tmp_path_factory.mktemp("models")
    zeroshot, finetuned = (str(root / f"{name}.safetensors") for name in ("zeroshot", "finetuned"))
    assert main(["zeroshot", *data, "-o", zeroshot]) == 0
    quick = ["--epochs", "1", "--batch-size", "8"]
    assert main(["finetune", zeroshot, *data, *quick, "-o", finetuned]) == 0
    return [zeroshot, finetuned]


def test_step_by_step(models: list[str], data: list[str], tmp_path: Path) -> None:
    out = tmp_path / "sweep.jsonl"
    assert main(["sweep", *models, *data, "--alphas", "0", "0.5", "1", "-o", str(out)]) == 0
    sweep = load_sweep(out)
    assert sweep["alpha"].unique().tolist() == [0, 0.5, 1]
    assert sweep["distribution"].unique().tolist() == ["photos", "prints"]
    assert sweep["accuracy"].between(0, 1).all()


def test_a_whole_experiment_with_one_command(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sweep.jsonl"
    quick = ["--method", "lc", "--epochs", "1", "--few-shot", "2", "-o", str(out)]
    assert main(["sweep", *data, *quick]) == 0
    assert "shifts_low" in capsys.readouterr().out
    assert len(load_sweep(out)) == 22


def test_folders_are_decoded_at_the_size_that_the_model_sees(
    data: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path / "cache"))
    without = data[: data.index("--image-size")]
    assert main(["zeroshot", *without, "-o", str(tmp_path / "zeroshot.safetensors")]) == 0
    decoded = [path.stem for path in (tmp_path / "cache" / "decoded").glob("*.npy")]
    assert len(decoded) == 4
    assert all(name.endswith("x48") for name in decoded)


def test_classes_are_called_as_the_reader_says(data: list[str], tmp_path: Path) -> None:
    names, out = tmp_path / "names.json", tmp_path / "zeroshot.safetensors"
    names.write_text('{"kite": "toy kite"}')
    words = ["--classnames", str(names), "--template", "a {}", "--template", "my {}"]
    assert main(["zeroshot", *data, *words, "-o", str(out)]) == 0
    model = ImageClassifier.load(out, device="cpu")
    assert model.classnames == ("key", "toy kite", "lemon", "mug")
    assert model.provenance["templates"] == "2"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no file"),
        ("kite: toy kite", "is not JSON"),
        ('["toy kite"]', 'should look like {"folder": "class name", ...}'),
        ('{"kites": "toy kite"}', "unknown folder 'kites'; did you mean 'kite'"),
    ],
)
def test_names_that_cannot_be_read(
    data: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    says: str,
) -> None:
    if content is not None:
        (tmp_path / "names.json").write_text(content)
    assert main(["zeroshot", *data, "--classnames", str(tmp_path / "names.json")]) == 1
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("by", ["reference", "alpha"])
def test_sweeps_are_drawn(models: list[str], data: list[str], tmp_path: Path, by: str) -> None:
    for name in ("one", "two"):
        out = str(tmp_path / f"{name}.jsonl")
        assert main(["sweep", *models, *data, "--alphas", "0", "0.5", "1", "-o", out]) == 0
    for names in (["one"], ["one", "two"]):
        files = [str(tmp_path / f"{name}.jsonl") for name in names]
        picture = tmp_path / "pictures" / f"{len(names)}.png"
        assert main(["plot", *files, "--by", by, "-o", str(picture)]) == 0
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_an_average_goes_to_open_clip(models: list[str], tmp_path: Path) -> None:
    out = tmp_path / "clip.safetensors"
    assert main(["export", *models, "--alpha", "0.25", "-o", str(out)]) == 0
    theirs = trees.from_open_clip("pocket-clip", pretrained=str(out)).visual.state_dict()
    both = [ImageClassifier.load(path, device="cpu") for path in models]
    ours = interpolate(*both, 0.25).image_encoder.state_dict()
    assert ours.keys() == theirs.keys()
    assert all((ours[key] == theirs[key]).all() for key in ours)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["download", "cifar"], "unknown data set 'cifar'; did you mean 'cifar10'"),
        (["download", "objectnet"], "cannot be fetched by a program"),
        (["zeroshot"], "give either --benchmark or --reference"),
        (["zeroshot", "--benchmark", "pockt"], "did you mean 'pocket'"),
        (["zeroshot", "--benchmark", "cifar10"], "`wiseft download cifar10` fetches it (170 MB)"),
        (["zeroshot", "--reference", "nowhere"], "there is no folder 'nowhere'"),
        (["zeroshot", "--reference", "x", "--shift", "y"], "write --shift NAME=DIR"),
        (["zeroshot", "--benchmark", "pocket", "--shift", "a=b"], "--shift goes with --reference"),
        (["zeroshot", "--benchmark", "pocket", "--template", "{}"], "--template goes with"),
        (["plot", "nowhere.jsonl"], "there is no file 'nowhere.jsonl'"),
        (["plot", "a/x.jsonl", "b/x.jsonl"], "there is no file 'a/x.jsonl'"),
        (["export", "a", "b", "c"], "3 models were given"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        assert main(arguments) == 1
    finally:
        os.chdir(before)
    said = capsys.readouterr().err
    assert said.startswith("wiseft: ")
    assert says in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", [[], ["download"], ["zeroshot"], ["finetune"], ["sweep"], ["plot"], ["export"]]
)
def test_help_teaches(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    said = capsys.readouterr().out
    assert len(said) > 300
    assert "usage: wiseft" in said


def test_the_command_is_installed() -> None:
    wiseft = Path(sys.executable).with_name("wiseft")
    done = subprocess.run([wiseft, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("wiseft ")


def test_it_runs_where_the_command_is_not_on_the_path() -> None:
    command = [sys.executable, "-m", "wiseft_tutorial", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("wiseft ")


def test_two_processes_share_a_run_and_the_first_writes(
    models: list[str], data: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "finetuned.safetensors"
    started = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    finetune = ["finetune", models[0], *data, "--epochs", "1", "-o", str(out)]
    script = tmp_path / "wiseft.py"
    script.write_text("import sys\nfrom wiseft_tutorial.cli import main\nsys.exit(main())\n")
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "WISEFT_CACHE": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, *started, str(script), *finetune],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines() == [str(out)]
    assert main([*finetune[:-1], str(tmp_path / "alone.safetensors")]) == 0
    start, together, alone = (
        ImageClassifier.load(path) for path in (models[0], out, tmp_path / "alone.safetensors")
    )
    assert weight_step(alone, together) < 0.01 * weight_step(start, alone)


def test_other_commands_are_not_started_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["zeroshot", "--benchmark", "pocket"]) == 1
    assert "start this command without torchrun" in capsys.readouterr().err
