"""A glued value reaches the prose as it was written."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from wiseft_tutorial.prose import glue, points


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a notebook: outputs are displayed to somebody."""
    # Where another environment is active than the one that runs the tests, IPython warns.
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    InteractiveShell.instance(history_manager=None)
    yield
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("value", ["4.20", "+1.3", "1,260", "lemon and pear", 7])
def test_what_is_recorded_is_what_the_book_reads(value: object) -> None:
    """MyST-NB itself, where it is installed, finds the value that was recorded."""
    render = pytest.importorskip("myst_nb.ext.glue")
    nbformat = pytest.importorskip("nbformat")
    with capture_output() as captured:
        glue("gain", value)
    (output,) = captured.outputs
    cell = nbformat.v4.new_code_cell(
        outputs=[nbformat.v4.new_output("display_data", data=output.data, metadata=output.metadata)]
    )
    ((name, recorded),) = render.extract_glue_data_cell(cell)
    assert name == "gain"
    assert ast.literal_eval(recorded["data"]["text/plain"]) == str(value)  # as its role does
    assert cell.outputs == []  # it is quoted in the prose and not shown under the cell


@pytest.mark.parametrize(
    ("fraction", "sign", "written"),
    [
        (0.0321, "", "3.2"),
        (-0.0321, "", "\N{MINUS SIGN}3.2"),
        (0.0321, "+", "+3.2"),
        (-0.0001, "", "0.0"),
        (1.0, "", "100.0"),
    ],
)
def test_points_are_written_as_they_are_read(fraction: float, sign: str, written: str) -> None:
    assert points(fraction, sign) == written
