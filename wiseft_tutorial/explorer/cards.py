"""The explorer's gallery in HTML: one card per image, with a bar for each likely class.

The images stand in a style sheet that is sent to the browser once; what changes with alpha is text.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

from PIL import Image
from torch import Tensor

from wiseft_tutorial.plots.axes import percent
from wiseft_tutorial.plots.style import ROLES

_STYLE = """
.{name} {{display: grid; grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); gap: 8px;
  font-size: 12px; line-height: 1.4}}
.{name} .card {{display: grid; grid-template-columns: 52px minmax(0, 1fr); column-gap: 6px;
  padding: 3px 5px 5px; border: 1px solid rgba(128, 128, 128, .35); border-left-width: 4px;
  border-radius: 4px}}
.{name} .right {{border-left-color: {right}}}
.{name} .wrong {{border-left-color: {wrong}}}
.{name} .truth {{grid-column: 1 / 3; opacity: .8; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap}}
.{name} .image {{height: 52px; align-self: center; border-radius: 2px;
  background-size: 100% 100%; image-rendering: pixelated}}
.{name} .bar {{display: flex; justify-content: space-between; gap: 3px; padding: 0 3px;
  margin-top: 1px; border-radius: 2px; white-space: nowrap}}
.{name} .bar > :first-child {{overflow: hidden; text-overflow: ellipsis}}
.{name} .first {{font-weight: bold}}
"""
_RIGHT, _WRONG = ROLES["WiSE-FT"].colour, ROLES["fine-tuned"].colour
_BAR = "rgba(0, 114, 178, .28)"  # pale enough for text on it, in the light and in the dark


def style_sheet(name: str, images: Tensor) -> str:
    """Return the style of all cards, with the images (N, 3, H, W) uint8, as an HTML element."""
    rules = [_STYLE.format(name=name, right=_RIGHT, wrong=_WRONG)]
    for i, image in enumerate(images):
        rules.append(f".{name} .image-{i} {{background-image: url({_data_uri(image)})}}")
    return f"<style>{''.join(rules)}</style>"


def cards(
    name: str,
    sources: Sequence[str],
    labels: Tensor,
    probabilities: Tensor,
    shown: Sequence[Sequence[int]],
    classnames: Sequence[str],
) -> str:
    """Return the gallery as HTML.

    Args:
        name: The class of HTML elements that :func:`style_sheet` was given.
        sources: The distribution of each of the N images.
        labels: Their true classes, (N,).
        probabilities: What the model thinks of them, (N, K).
        shown: The classes to draw bars for; the most probable one replaces the last, if it is not
            among them.
        classnames: Names of the K classes.
    """
    rows = zip(sources, labels.tolist(), probabilities, shown, strict=True)
    written = [_card(i, *row, classnames) for i, row in enumerate(rows)]
    return f'<div class="{name}">{"".join(written)}</div>'


def _card(
    position: int,
    source: str,
    truth: int,
    probabilities: Tensor,
    shown: Sequence[int],
    classnames: Sequence[str],
) -> str:
    best = int(probabilities.argmax())
    right = best == truth
    bars = "".join(
        _bar(classnames[k], float(probabilities[k]), ("✓ " if right else "✗ ") * (k == best))
        for k in (shown if best in shown else [*shown[:-1], best])
    )
    name = html.escape(classnames[truth])
    return (
        f'<div class="card {"right" if right else "wrong"}">'
        f'<div class="truth">{html.escape(source)}: {name}</div>'
        f'<div class="image image-{position}" role="img" aria-label="{name}"></div>'
        f"<div>{bars}</div></div>"
    )


def _bar(name: str, probability: float, mark: str) -> str:
    filled = f"{100 * probability:.1f}%"
    kind = "bar first" if mark else "bar"
    return (
        f'<div class="{kind}" style="background: linear-gradient(to right, {_BAR} {filled}, '
        f'transparent {filled})"><span>{mark}{html.escape(name)}</span>'
        f"<span>{percent(probability, 0)}</span></div>"
    )


def _data_uri(image: Tensor) -> str:
    file = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).cpu().numpy()).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
