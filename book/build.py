"""Make the book: execute the chapters that are out of date, then build the pages.

`make book` calls this. It stands beside the chapters and not in the package because it needs
papermill and jupyter-book, which nobody needs who only imports the package.

A chapter is executed once, by papermill, and what is published is what ran. An executed notebook
carries in its metadata the key of everything that made it: its source, every file of the package,
the locked tool chain. A chapter whose key has changed is executed again; one whose key has not is
left alone. (jupyter-book's own cache hashes a notebook's cells only, and so shows old numbers after
the package has changed.) The pages are rebuilt from nothing whenever something they show has
changed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nbformat
import yaml

import claims
import tables

Tier = Literal["full", "fast"]

ROOT = Path(__file__).resolve().parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"
# Runs after a chapter: prints its peak memory in kilobytes, and leaves nothing of it behind.
EMPTY_THE_KERNEL = """
import resource
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
%reset -f
import gc
gc.collect()
del gc
"""
# What a text leaves to the build, as ``<!-- claims -->`` in a line of its own.
PLACE = re.compile(r"^<!-- ([a-z ]+) -->$", re.MULTILINE)
SOLUTION = re.compile(r"^```\{dropdown\} Solution$(.*?)^```$", re.MULTILINE | re.DOTALL)
STAMPED = ("wiseft-tutorial", "torch", "open_clip_torch", "numpy")  # named at the foot of a page
MEMORY_PER_CHAPTER = 2 * 2**30  # a chapter may use 1.5 GB; do not start more than fit


class BookError(Exception):
    """The book cannot be made, and the message says why."""


@dataclass(frozen=True)
class Run:
    """How the execution of one chapter went."""

    chapter: str
    seconds: float
    peak_bytes: int  # of its kernel, until it ended
    executed: bool  # False: nothing had changed, so an earlier execution still stands
    error: str = ""


@dataclass(frozen=True)
class Book:
    """Where everything lies.

    The "full" tier runs the chapters as they are written, each in a kernel of its own; that is what
    is published. The "fast" tier is for tests alone. It overrides the parameters that a notebook
    lists in its metadata, under ``wiseft``, ``fast``, runs the code of the exercises' solutions
    after the chapter, and empties a kernel for the next chapter instead of starting another: to
    import torch and all the rest takes longer than most of what is tested.
    """

    root: Path = ROOT
    tier: Tier = "full"

    @property
    def source(self) -> Path:
        """Chapters without outputs, texts, bibliography, styles."""
        return self.root / "book"

    @property
    def out(self) -> Path:
        """Everything that this tier makes."""
        return self.root / "build" if self.tier == "full" else self.root / "build" / self.tier

    @property
    def executed(self) -> Path:
        """The book as jupyter-book reads it: executed chapters and copies of the rest."""
        return self.out / "book"

    @property
    def html(self) -> Path:
        """The finished pages."""
        return self.out / "html"

    @functools.cached_property
    def toc(self) -> Any:
        """The table of contents."""
        return yaml.safe_load((self.root / "_toc.yml").read_text())

    @property
    def chapters(self) -> list[str]:
        """The notebooks of the table of contents, in reading order."""
        names = files_of(self.toc)
        return [name for name in names if not (self.source / f"{name}.md").exists()]

    @property
    def texts(self) -> list[Path]:
        """The files of the book that are read as they are: no notebooks, no programs."""
        hidden = {"__pycache__", ".ipynb_checkpoints"}
        files = (
            p for p in sorted(self.source.rglob("*")) if p.is_file() and not hidden & {*p.parts}
        )
        return [p for p in files if p.suffix not in {".ipynb", ".py"}]

    @functools.cached_property
    def _shared_key(self) -> str:
        # This very file counts too: it decides what an executed notebook looks like.
        package = sorted((self.root / "wiseft_tutorial").rglob("*"))
        files = [p for p in package if p.is_file() and "__pycache__" not in p.parts]
        files += [self.root / "requirements-book.lock", Path(__file__)]
        return _digest(self.root, files, platform.python_version(), self.tier)

    def key(self, chapter: str) -> str:
        """A hash of everything that a chapter's outputs depend on."""
        return _digest(self.root, [self.source / f"{chapter}.ipynb"], self._shared_key)

    def record(self, chapter: str) -> dict[str, Any]:
        """What the executed notebook says of its execution; empty if that is not up to date."""
        path = self.executed / f"{chapter}.ipynb"
        if path.exists():
            made: dict[str, Any] = nbformat.read(path, as_version=4).metadata.get("wiseft", {})
            if made.get("key") == self.key(chapter):
                return made
        return {}


# Executing ----------------------------------------------------------------------------------------


def execute(
    book: Book, chapters: Sequence[str], *, jobs: int | None = None, force: bool = False
) -> list[Run]:
    """Execute the chapters that are out of date, several at once where cores and memory allow."""
    cores = len(os.sched_getaffinity(0))
    runs = {} if force else {name: _standing(book, name) for name in chapters}
    due = [name for name in chapters if runs.get(name) is None]
    # Two cores for each chapter, because that is the machine for which the pages state their times.
    # Nobody reads the times of the fast tier, and one core for each leaves less of them idle.
    each = 2 if book.tier == "full" else 1
    jobs = jobs or max(1, min(len(due), cores // each, _free_memory() // MEMORY_PER_CHAPTER))
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()

    def run_next(chapter: str) -> Run:
        worker = idle.get()
        try:
            return worker.run(chapter, progress)
        finally:
            idle.put(worker)

    with (
        contextlib.ExitStack() as at_the_end,
        ThreadPoolExecutor(jobs) as pool,
        _Progress(len(due)) as progress,
    ):
        for number in range(jobs):
            worker = _Worker(book, number, threads=max(1, cores // jobs))
            at_the_end.callback(worker.stop)
            idle.put(worker)
        # Neighbours often need one model: started together, one waits while the other trains it.
        spread = due if jobs == 1 else [name for first in (2, 0, 1) for name in due[first::3]]
        futures = {name: pool.submit(run_next, name) for name in spread}
        while wait(futures.values(), timeout=0.5).not_done:
            progress.show()
        runs |= {name: future.result() for name, future in futures.items()}
    return [run for name in chapters if (run := runs[name])]


def _standing(book: Book, chapter: str) -> Run | None:
    made = book.record(chapter)
    return Run(chapter, made["seconds"], made["peak_bytes"], executed=False) if made else None


class _Worker:
    """A process that executes chapters, one after another; it starts when it is first needed.

    It is asked by a line on its standard input, and answers with lines of JSON.
    """

    def __init__(self, book: Book, number: int, *, threads: int) -> None:
        self._book = book
        self._log = book.out / "running" / f"worker-{number}.log"
        self._environment = os.environ | {
            "OMP_NUM_THREADS": str(threads),
            "PYTHONPATH": str(book.root),  # this book's package, whatever else is installed
            "WISEFT_CACHE": str(book.root / "build" / "cache"),  # fine-tuned models, for all
            "IPYTHONDIR": str(book.out / "ipython"),  # nobody's own profile changes what is shown
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        self._process: subprocess.Popen[str] | None = None

    def run(self, chapter: str, progress: _Progress) -> Run:
        """Execute one chapter, and wait for it."""
        progress.update(chapter, "starting")
        process = self._process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        last: dict[str, Any] = {}
        try:
            print(chapter, file=process.stdin, flush=True)
            for line in process.stdout:
                last = json.loads(line) if line.startswith("{") else last
                if "seconds" in last:
                    break
                if "cell" in last:
                    progress.update(chapter, f"cell {last['cell']} of {last['cells']}")
        except BrokenPipeError:
            pass  # it died; how, is said below
        error = last.get("error", "")
        if "seconds" not in last:
            error = f"stopped with exit status {self.stop()}\n{self._log.read_text()}"
        elif error:  # the kernel may be in any state
            self.stop()
        run = Run(
            chapter,
            last.get("seconds", 0.0),
            last.get("peak_bytes", 0),
            executed=True,
            error=error,
        )
        progress.done(run)
        return run

    def stop(self) -> int:
        """Let the process end, and with it its kernel; return its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(BrokenPipeError), process:
            pass  # closes its standard input, which ends it, and waits
        return process.wait()

    def _start(self) -> subprocess.Popen[str]:
        options = ["--root", str(self._book.root), "--tier", self._book.tier, "--worker"]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("w") as errors:
            return subprocess.Popen(
                [sys.executable, str(Path(__file__)), *options],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )


def _work(book: Book) -> int:
    """What a worker does: execute the chapters that its standard input names, one after another."""
    # Slow to import, and only a worker needs them. On a new machine matplotlib says on stderr that
    # it is building its font cache: here nobody hears it; in a chapter it would be a warning.
    import matplotlib.font_manager  # noqa: F401
    from jupyter_client.manager import AsyncKernelManager

    kernel = AsyncKernelManager(kernel_name="python3") if book.tier == "fast" else None

    async def stop() -> None:
        if kernel and kernel.has_kernel:
            await kernel.shutdown_kernel(now=True)

    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            _execute(book, line.strip(), Path(folder), kernel)
            for path in Path(folder).iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    asyncio.run(stop())
    return 0


def _execute(book: Book, chapter: str, folder: Path, kernel: Any) -> None:
    """Execute one chapter, stamp it, and put it in place; report as JSON lines.

    Args:
        book: The book that it belongs to.
        chapter: Its name.
        folder: Where it runs: empty, so that a chapter finds only what it makes.
        kernel: The manager of a kernel that goes on afterwards; None for a kernel of its own.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    source, target = (folder / f"{chapter}.ipynb" for folder in (book.source, book.executed))
    key, started = book.key(chapter), time.monotonic()
    target.unlink(missing_ok=True)  # whatever happens next, no old output is shown
    notebook = nbformat.read(source, as_version=4)
    added = [*(solutions(notebook) if book.tier == "fast" else ()), EMPTY_THE_KERNEL]
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in added]
    asked, running = (book.out / "running" / f"{chapter}{end}.ipynb" for end in ("-asked", ""))
    nbformat.write(notebook, asked)
    current: dict[str, Any] = {"cell": 0, "cells": len(notebook.cells), "source": ""}

    def on_cell_start(cell: Any, cell_index: int) -> None:
        current.update(cell=cell_index + 1, source=cell.source)
        _say(cell=cell_index + 1, cells=current["cells"])

    def used(kilobytes: int = 0) -> dict[str, Any]:
        return {"seconds": round(time.monotonic() - started, 1), "peak_bytes": kilobytes * 1024}

    fast = notebook.metadata.get("wiseft", {}).get("fast", {})
    try:
        executed = papermill.execute_notebook(
            asked,
            running,
            parameters=dict(fast) if book.tier == "fast" else {},
            kernel_name="python3",
            progress_bar=False,
            cwd=folder,
            on_cell_start=on_cell_start,
            km=kernel,
            # A busy machine is slow, and that is no mistake in a chapter.
            start_timeout=600,
            iopub_timeout=60,
        )
    except PapermillExecutionError as error:
        trace = "\n".join(error.traceback) or f"{error.ename}: {error.evalue}"
        _say(error=_failure(book, chapter, error.cell_index + 1, error.source, trace), **used())
        return
    except Exception as error:  # most often: the kernel died, as when memory runs out
        trace = f"{type(error).__name__}: {error}"
        _say(error=_failure(book, chapter, current["cell"], current["source"], trace), **used())
        return

    peak = int(executed.cells[-1].outputs[0].text.split()[0])
    del executed.cells[len(executed.cells) - len(added) :]
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    nbformat.write(_published(book, chapter, executed, {"key": key, **used(peak)}), partial)
    os.replace(partial, target)
    for path in (asked, running):
        path.unlink()
    _say(**used(peak))


def solutions(notebook: Any) -> list[str]:
    """The code in each solution of a chapter's exercises: the lines that are indented by four."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return [
        "\n".join(
            line[4:] for line in solution.splitlines() if line[:4].isspace() or not line
        ).strip("\n")
        for solution in SOLUTION.findall(text)
    ]


def _say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def _failure(book: Book, chapter: str, cell: int, source: str, trace: str) -> str:
    """A failing cell and its traceback, as a person wants to read them."""
    notebook = book.out / "running" / f"{chapter}.ipynb"
    ruler = "-" * 80
    return (
        f"{ruler}\n{chapter}: cell {cell} failed\n{ruler}\n{source}\n{ruler}\n{trace}\n{ruler}\n"
        f"What had run until then: {_short(notebook)}"
    )


def _published(book: Book, chapter: str, notebook: Any, record: dict[str, Any]) -> Any:
    """The notebook as the page shows it: less what is dead on a page, plus badges and a stamp."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.pop("papermill", None)  # names this machine's folders
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if cell.cell_type == "code":  # a slider without a kernel does nothing, so it is not shown
            cell.outputs = [o for o in cell.outputs if WIDGET not in o.get("data", {})]
    text = (
        f"Executed on {datetime.date.today():%d %B %Y} in {_duration(record['seconds'])} "
        f"on {_count(int(os.environ['OMP_NUM_THREADS']), 'CPU core')}, "
        f"with at most {_size(record['peak_bytes'])} of memory: "
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {importlib.metadata.version(name)}" for name in STAMPED)
        + "."
    )
    title, _, rest = notebook.cells[0].source.partition("\n")
    badges = " ".join(f"[{label}]({url})" for label, url in launches(book, chapter).items())
    notebook.cells[0].source = f"{title}\n\n:::{{div}} wiseft-badges\n{badges}\n:::\n{rest}"
    stamp = nbformat.v4.new_markdown_cell(f":::{{div}} wiseft-stamp\n{text}\n:::", id="stamp")
    notebook.cells.append(stamp)
    notebook.metadata["wiseft"] = {**notebook.metadata.get("wiseft", {}), **record}
    return notebook


def launches(book: Book, chapter: str) -> dict[str, str]:
    """Where a chapter can be run without installing anything, by what its badges say."""
    settings = yaml.safe_load((book.root / "_config.yml").read_text())
    place, where = settings["repository"], settings["launch_buttons"]
    repository = place["url"].removeprefix("https://github.com/")
    path = f"{place['path_to_book']}/{chapter}.ipynb"
    return {
        "Open in Colab": f"{where['colab_url']}/github/{repository}/blob/{place['branch']}/{path}",
        "Open in Binder": f"{where['binderhub_url']}/v2/gh/{repository}/{place['branch']}"
        f"?urlpath=lab/tree/{path}",
    }


# Pages --------------------------------------------------------------------------------------------


def build_pages(book: Book, chapters: Sequence[str] | None = None) -> Path:
    """Build the pages of the executed chapters, and return the first one.

    A warning is an error. With ``chapters``, only these and the texts become pages, in a draft of
    their own where warnings are only shown, since a reference may lead to a chapter left out.
    """
    html = book.html if chapters is None else book.out / "draft"
    left_out = set() if chapters is None else set(book.chapters) - set(chapters)
    key, first = _pages_key(book, left_out), html / "index.html"
    if _is_made(html, key):
        return first

    work = book.out / "pages"
    for folder in (html, work):  # from here on, no old page is shown
        shutil.rmtree(folder, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "_toc.yml").write_text(yaml.safe_dump(_without(book.toc, left_out), sort_keys=False))
    _copy_texts(book)
    _fill_in(book, left_out)
    print("building the pages ...", flush=True)
    jupyter_book = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    files = {"--config": book.root / "_config.yml", "--toc": work / "_toc.yml"}
    options = [str(word) for pair in files.items() for word in pair]
    strict = [] if left_out else ["-n", "-W", "--keep-going"]
    # The package whose docstrings are shown, and the extension of Sphinx that shows them.
    found_in = os.pathsep.join([str(book.root), str(Path(__file__).parent)])
    built = subprocess.run(
        [*jupyter_book, "build", str(book.executed), "--path-output", str(work), *options, *strict],
        env=os.environ | {"PYTHONPATH": found_in},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if built.returncode:
        raise BookError(f"{built.stdout}\njupyter-book could not build the pages; see above")
    if left_out:
        print(*(line for line in built.stdout.splitlines() if "WARNING" in line), sep="\n")
    os.replace(work / "_build" / "html", html)
    html.with_suffix(".key").write_text(key)
    return first


def pages_are_current(book: Book) -> bool:
    """Whether the pages are there and show the book as it is now."""
    executed = all(book.record(chapter) for chapter in book.chapters)
    return executed and _is_made(book.html, _pages_key(book))


def _is_made(html: Path, key: str) -> bool:
    made = html.with_suffix(".key")
    return (html / "index.html").exists() and made.exists() and made.read_text() == key


def _pages_key(book: Book, left_out: Iterable[str] = ()) -> str:
    """A hash of everything that the pages show, and of how they are made."""
    made = [book.executed / f"{name}.ipynb" for name in book.chapters if name not in left_out]
    names = ("_config.yml", "_toc.yml", "requirements-book.lock", "Makefile")
    settings = [path for name in names if (path := book.root / name).exists()]
    programs = sorted(Path(__file__).parent.glob("*.py"))
    # The package counts by itself, too: a page shows its docstrings, another its data sets.
    files = [*made, *book.texts, *settings, *programs]
    return _digest(book.root, files, book._shared_key, *sorted(left_out))


def _copy_texts(book: Book) -> None:
    """Bring the copies up to date, and remove whatever the source no longer has."""
    wanted = {book.executed / p.relative_to(book.source): p for p in book.texts}
    notebooks = {book.executed / f"{name}.ipynb" for name in notebooks_of(book)}
    for path in book.executed.rglob("*"):
        if path.is_file() and path not in wanted and path not in notebooks:
            path.unlink()
    for copy, original in wanted.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, copy)


def _fill_in(book: Book, left_out: Iterable[str]) -> None:
    """Put into the texts what is not written but made, each where a text has its place."""
    makers: dict[str, Callable[[], str]] = {
        "claims": lambda: claims.tables(
            claims.read(book.source / "claims.yml"), _executed(book, left_out)
        ),
        "commands": lambda: tables.commands((book.root / "Makefile").read_text()),
        "data sets": tables.data_sets,
    }
    for path in (book.executed / text.relative_to(book.source) for text in book.texts):
        if path.suffix != ".md":
            continue
        text = path.read_text()
        for place in PLACE.findall(text):
            if place not in makers:
                raise BookError(f"{path.name} has a place for {place!r}, which nothing makes")
            try:
                text = text.replace(f"<!-- {place} -->", makers[place]())
            except claims.ClaimError as error:
                raise BookError(str(error)) from error
        path.write_text(text)


def _executed(book: Book, left_out: Iterable[str]) -> dict[str, Any]:
    return {
        name: nbformat.read(book.executed / f"{name}.ipynb", as_version=4)
        for name in book.chapters
        if name not in left_out
    }


def notebooks_of(book: Book) -> list[str]:
    """Every notebook of the book, in the table of contents or not."""
    found = (path.relative_to(book.source) for path in sorted(book.source.rglob("*.ipynb")))
    return [p.with_suffix("").as_posix() for p in found if ".ipynb_checkpoints" not in p.parts]


def files_of(node: Any) -> Iterator[str]:
    """Every file named in a table of contents, in order."""
    if isinstance(node, dict):
        yield from (node[k] for k in ("root", "file") if k in node)
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from files_of(child)


def _without(node: Any, left_out: set[str]) -> Any:
    """The table of contents without some of its files, and without parts that this empties."""
    if isinstance(node, list):
        kept = [_without(child, left_out) for child in node if child.get("file") not in left_out]
        return [child for child in kept if child.get("chapters", True)]
    if isinstance(node, dict):
        return {k: _without(v, left_out) for k, v in node.items()}
    return node


# Small things -------------------------------------------------------------------------------------


class _Progress:
    """One line that is rewritten in a terminal; a line now and then in a log."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._running: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()
        self._live = sys.stdout.isatty()
        self._shown = time.monotonic()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def update(self, chapter: str, what: str) -> None:
        with self._lock:
            started, _ = self._running.get(chapter, (time.monotonic(), ""))
            self._running[chapter] = started, what

    def done(self, run: Run) -> None:
        with self._lock:
            self._running.pop(run.chapter, None)
            self._done += 1
            self._clear()
            outcome = "FAILED after" if run.error else "executed in"
            count = f"[{self._done}/{self._total}]"
            print(f"{count} {run.chapter}: {outcome} {_duration(run.seconds)}", flush=True)
            self._shown = time.monotonic()

    def show(self) -> None:
        with self._lock:
            if not self._live and time.monotonic() - self._shown < 20:
                return
            now = self._shown = time.monotonic()
            states = [
                f"{name}: {what}, {_duration(now - started)}"
                for name, (started, what) in self._running.items()
            ]
            line = " | ".join(states)
            if self._live:
                width = shutil.get_terminal_size().columns - 1
                print(f"\r\033[K{line[:width]}", end="", flush=True)
            elif line:
                print(line, flush=True)

    def _clear(self) -> None:
        if self._live:
            print("\r\033[K", end="", flush=True)


def _digest(root: Path, files: Sequence[Path], *words: str) -> str:
    """SHA-256 over files, with their names, and words."""
    digest = hashlib.sha256(json.dumps(words).encode())
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\n{os.path.relpath(path, root)} {content}".encode())
    return digest.hexdigest()


def _free_memory() -> int:
    try:
        available = re.search(r"MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text())
    except OSError:  # not Linux: take the word of whoever asked
        available = None
    return int(available[1]) * 1024 if available else 2**62


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _short(path: Path) -> str:
    """A path as one would type it here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def report(runs: Sequence[Run]) -> str:
    """Time and peak memory of every chapter, as a table."""
    width = max([len("chapter"), *(len(run.chapter) for run in runs)])
    lines = [f"{'chapter':{width}}  {'time':>8}  {'memory':>8}"]
    for run in runs:
        note = "FAILED" if run.error else "" if run.executed else "unchanged"
        time_, memory = _duration(run.seconds), _size(run.peak_bytes)
        lines.append(f"{run.chapter:{width}}  {time_:>8}  {memory:>8}  {note}".rstrip())
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit status is 0 only if the whole book was made."""
    parser = argparse.ArgumentParser(description="Execute the chapters and build the pages.")
    parser.add_argument("chapters", nargs="*", help="only these, as a draft (default: all)")
    parser.add_argument("--tier", choices=("full", "fast"), default="full")
    parser.add_argument("--jobs", type=int, help="chapters at once (default: as many as fit)")
    parser.add_argument("--no-pages", action="store_true", help="execute only")
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    book = Book(options.root.resolve(), options.tier)
    if options.worker:
        return _work(book)
    try:
        chapters = [name.removesuffix(".ipynb") for name in options.chapters] or book.chapters
        if unknown := [name for name in chapters if name not in notebooks_of(book)]:
            raise BookError(f"book/ has no notebook {', '.join(unknown)}")
        runs = execute(book, chapters, jobs=options.jobs)
        failed = [run for run in runs if run.error]
        for run in failed:
            print(run.error, file=sys.stderr)
        print(report(runs))
        if failed:
            if not options.chapters:  # a draft that fails takes nothing of the book away
                shutil.rmtree(book.html, ignore_errors=True)
            raise BookError(f"{_count(len(failed), 'chapter')} failed; no pages were built")
        if not options.no_pages:
            print(_short(build_pages(book, chapters if options.chapters else None)))
    except BookError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
