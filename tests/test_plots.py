"""Figures: what they show, not how many pixels they are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import colors as mcolors
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from wiseft_tutorial import paper, plots
from wiseft_tutorial.benchmarks import Split
from wiseft_tutorial.errors import DataError, UnknownNameError
from wiseft_tutorial.plots import ROLES
from wiseft_tutorial.plots.axes import LogitPercentLocator, percent
from wiseft_tutorial.plots.labels import Label, place_labels
from wiseft_tutorial.plots.style import styled
from wiseft_tutorial.robustness import Baseline, clopper_pearson

ZEROSHOT = {"Pocket": 0.77, "Pocket-V2": 0.66, "Pocket-R": 0.50}
FINETUNED = {"Pocket": 0.94, "Pocket-V2": 0.83, "Pocket-R": 0.42}
CLASSES = ["lemon", "apple", "hot-air balloon"]


def sweep(lift: float = 0.06, alphas: int = 11, **finetuned: float) -> pd.DataFrame:
    """What ``alpha_sweep`` returns, on 1,000 images of each of three distributions."""
    rows = []
    for alpha in np.linspace(0, 1, alphas):
        for name, start in ZEROSHOT.items():
            end = finetuned.get(name.replace("-", "_"), FINETUNED[name])
            mean = (1 - alpha) * start + alpha * end + 4 * lift * alpha * (1 - alpha)
            low, high = clopper_pearson(round(1000 * mean), 1000)
            kind = "reference" if name == "Pocket" else "shift"
            accuracy = round(1000 * mean) / 1000
            rows.append((round(alpha, 2), name, kind, accuracy, float(low), float(high), 1000))
    columns = ["alpha", "distribution", "kind", "accuracy", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns)


def split(count: int = 12) -> Split:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)
    return Split("Pocket", images, torch.arange(count) % len(CLASSES))


def texts(figure: Figure) -> list[str]:
    return [a.get_text() for ax in figure.axes for a in ax.texts if a.get_text()]


def drawn(ax: Axes, marker: str) -> list[tuple[float, float, str]]:
    """The single marks of a shape: where they are, and their colour."""
    return [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]), mcolors.to_hex(line.get_color()))
        for line in ax.lines
        if line.get_marker() == marker and len(line.get_xdata()) == 1
    ]


def ticks(ax: Axes) -> list[str]:
    ax.figure.draw_without_rendering()
    axes = (ax.xaxis, ax.yaxis)
    return [t.get_text() for axis in axes for t in axis.get_ticklabels() if t.get_text()]


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert left == []


def test_an_error_leaves_no_figure_behind() -> None:
    @styled
    def half_drawn() -> Figure:
        plt.figure()
        raise DataError("the other half cannot be drawn")

    with pytest.raises(DataError):
        half_drawn()
    assert plt.get_fignums() == []


def test_the_two_models_are_where_their_accuracies_are() -> None:
    (ax,) = plots.plot_robustness(sweep()).axes
    blue, red = ROLES["zero-shot"], ROLES["fine-tuned"]
    assert drawn(ax, blue.marker) == [(0.77, pytest.approx(0.58), blue.colour.lower())]
    assert drawn(ax, red.marker) == [(0.94, pytest.approx(0.625), red.colour.lower())]


def test_the_marked_alpha_is_on_the_curve_and_named() -> None:
    figure = plots.plot_robustness(sweep(), mark=0.3)
    role = ROLES["WiSE-FT"]
    ((x, y, colour),) = drawn(figure.axes[0], role.marker)
    assert x == pytest.approx(0.7 * 0.77 + 0.3 * 0.94 + 4 * 0.06 * 0.21, abs=1e-3)
    assert y == pytest.approx(0.7 * 0.58 + 0.3 * 0.625 + 4 * 0.06 * 0.21, abs=1e-3)
    assert colour == role.colour.lower()
    assert set(texts(figure)) == {"WiSE-FT", r"$\alpha$ = 0.3", "zero-shot", "fine-tuned"}


def test_axes_are_logit_scaled_in_percent_and_named() -> None:
    (ax,) = plots.plot_robustness(sweep()).axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("logit", "logit")
    labels = ticks(ax)
    assert len(labels) >= 6
    assert all(label.endswith("%") and 0 < float(label[:-1]) < 100 for label in labels)
    assert ax.get_xlabel() == "Accuracy on Pocket"
    assert ax.get_ylabel() == "Mean accuracy under two shifts"
    (linear,) = plots.plot_robustness(sweep(), logit=False).axes
    assert linear.get_xscale() == "linear"
    assert all(label.endswith("%") for label in ticks(linear))


def test_one_shift_can_be_chosen() -> None:
    (ax,) = plots.plot_robustness(sweep(), shift="Pocket-R").axes
    assert drawn(ax, "*")[0][:2] == (0.77, 0.50)
    assert ax.get_ylabel() == "Accuracy on Pocket-R"
    with pytest.raises(UnknownNameError, match="Pocket-R"):
        plots.plot_robustness(sweep(), shift="Pocket-X")


def test_intervals_are_the_sweeps_own() -> None:
    frame = sweep()
    (ax,) = plots.plot_robustness(frame, shift="Pocket-R").axes
    bars = [line.get_ydata() for line in ax.lines if np.ptp(line.get_xdata()) == 0]
    row = frame.query("alpha == 0 and distribution == 'Pocket-R'").iloc[0]
    assert any(list(bar) == [row["low"], row["high"]] for bar in bars if len(bar) == 2)


def test_sweeps_without_intervals_are_welcome() -> None:
    (ax,) = plots.plot_robustness(paper.alpha_sweeps("ALIGN", "e2e")).axes
    assert not [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert ax.get_ylabel() == "Mean accuracy under five shifts"


@pytest.mark.parametrize("role", list(ROLES))
def test_a_role_keeps_its_look_in_every_figure(role: str) -> None:
    look = ROLES[role]
    both = {"something else": sweep(0.02), role: sweep()}
    for figure in (plots.plot_robustness(both), plots.plot_alpha(both)):
        (curve, *_) = [
            line
            for line in figure.axes[0].lines
            if line.get_label() == look.label and len(line.get_xdata()) == 11
        ]
        assert mcolors.to_hex(curve.get_color()) == look.colour.lower()
    probabilities = {"something else": torch.eye(3)[0], role: torch.eye(3)[1]}
    bars = plots.plot_probabilities(probabilities, CLASSES).axes[1].patches
    assert mcolors.to_hex(bars[0].get_facecolor()) == look.colour.lower()


def test_roles_differ_without_colour_and_their_texts_are_legible() -> None:
    assert len({role.marker for role in ROLES.values()}) == len(ROLES)
    assert len({role.colour for role in ROLES.values()}) == len(ROLES)
    for role in ROLES.values():
        linear = np.array(mcolors.to_rgb(role.ink))
        linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
        assert 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 4.5


def test_several_sweeps_share_the_ends_they_have_in_common() -> None:
    shared = plots.plot_robustness({"WiSE-FT": sweep(), "output-space ensemble": sweep(0.04)})
    assert len(drawn(shared.axes[0], ROLES["zero-shot"].marker)) == 1
    assert len(drawn(shared.axes[0], ROLES["fine-tuned"].marker)) == 1
    classifier = sweep(0.03, Pocket=0.88)
    apart = plots.plot_robustness({"WiSE-FT": sweep(), "linear classifier": classifier})
    assert len(drawn(apart.axes[0], ROLES["zero-shot"].marker)) == 1
    ends = drawn(apart.axes[0], ROLES["linear classifier"].marker)
    assert (0.88, pytest.approx(0.625)) in [end[:2] for end in ends]
    assert texts(apart).count("linear classifier") == 1


def test_two_ends_without_anything_between_are_an_arrow() -> None:
    figure = plots.plot_robustness({"end-to-end": sweep(alphas=2)})
    assert "WiSE-FT" not in texts(figure)
    (arrow,) = [a for a in figure.axes[0].texts if isinstance(a, Annotation) and not a.get_text()]
    assert arrow.xy == pytest.approx((0.94, 0.625))


def test_y_equals_x_is_drawn_where_it_passes() -> None:
    near = sweep()
    near.loc[near["kind"] == "reference", "accuracy"] -= 0.2
    for frame, passes in ((near, True), (sweep(), False)):
        (ax,) = plots.plot_robustness(frame[["alpha", "distribution", "kind", "accuracy"]]).axes
        (line,) = [line for line in ax.lines if line.get_label() == "y = x"]
        np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())
        assert ("y = x" in texts(ax.figure)) == passes


def test_baseline_and_cloud_are_drawn_and_visible() -> None:
    baseline = Baseline(0.9, -0.6)
    cloud = pd.DataFrame({"reference": [0.6, 0.7, 0.85], "shifts": baseline([0.6, 0.7, 0.85])})
    (ax,) = plots.plot_robustness(sweep(), cloud=cloud, baseline=baseline).axes
    (line,) = [line for line in ax.lines if line.get_label() == "baseline"]
    np.testing.assert_allclose(line.get_ydata(), baseline(line.get_xdata()))
    assert ax.get_xlim()[0] < 0.6
    (near,) = plots.plot_robustness(sweep(), cloud=cloud, baseline=baseline, zoom=True).axes
    assert near.get_xlim()[0] > 0.7


def test_gaps_are_effective_robustness() -> None:
    baseline = Baseline(0.9, -0.6)
    figure = plots.plot_robustness(sweep(), baseline=baseline, gaps=True)
    gaps = {"zero-shot": 0.58 - baseline(0.77), "fine-tuned": 0.625 - baseline(0.94)}
    rhos = {name: f"{100 * gap:+.1f}".replace("-", "\N{MINUS SIGN}") for name, gap in gaps.items()}
    written = [text for text in texts(figure) if "rho" in text]
    assert written == [rf"$\rho$({name}) = {rho}" for name, rho in rhos.items()]
    with pytest.raises(DataError, match="baseline"):
        plots.plot_robustness(sweep(), gaps=True)


def test_a_figure_can_be_drawn_into_axes() -> None:
    figure, (left, right) = plt.subplots(1, 2)
    assert plots.plot_robustness(sweep(), ax=right) is figure
    assert right.get_xlabel() == "Accuracy on Pocket"
    assert not left.lines
    plt.close(figure)


def test_the_readers_style_is_left_alone() -> None:
    before = dict(mpl.rcParams)
    plots.plot_robustness(sweep())
    assert dict(mpl.rcParams) == before


def test_use_style_sets_the_style() -> None:
    with mpl.rc_context():
        plots.use_style()
        assert mpl.rcParams["axes.spines.top"] is False
        assert mpl.rcParams["figure.facecolor"] == "white"


def test_no_warnings_when_saved(tmp_path: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.plot_robustness(sweep()).savefig(f"{tmp_path}/figure.png", dpi=30)


@pytest.mark.parametrize("zoom", [False, True])
def test_testbed_shows_cloud_baseline_and_sweeps(zoom: bool) -> None:
    figure = plots.plot_testbed(zoom=zoom)
    (ax,) = figure.axes
    (line,) = [line for line in ax.lines if line.get_label() == "baseline"]
    np.testing.assert_allclose(line.get_ydata(), paper.testbed_baseline()(line.get_xdata()))
    published = paper.table(4).query("alpha == 0.5 and mode == 'e2e'").iloc[0]
    ((x, y, _),) = drawn(ax, ROLES["WiSE-FT"].marker)
    assert x == published["ImageNet"]
    assert y == pytest.approx(published["avg_shifts"], abs=0.001)
    assert {"WiSE-FT", "linear classifier", "fine-tuned"} <= set(texts(figure))
    assert (ax.get_xlim()[0] < 0.6) != zoom


def test_the_whole_testbed_has_a_legend_for_its_grey_marks() -> None:
    legend = plots.plot_testbed(models=()).axes[0].get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["standard training", "robustness intervention", "more data"]


def test_sweeps_are_refused_where_their_reference_accuracy_is_unknown() -> None:
    with pytest.raises(DataError, match=r"models=\(\)"):
        plots.plot_testbed(shift="ImageNet-R")
    (ax,) = plots.plot_testbed(shift="ImageNet-R", models=()).axes
    assert ax.get_xlabel() == "Accuracy on ImageNet, classes of ImageNet-R"


def test_alpha_has_a_panel_for_every_distribution() -> None:
    frame = sweep()
    figure = plots.plot_alpha(frame)
    assert [ax.get_title(loc="left") for ax in figure.axes] == list(ZEROSHOT)
    for ax, name in zip(figure.axes, ZEROSHOT, strict=True):
        lines = {line.get_label(): line for line in ax.lines}
        panel = frame[frame["distribution"] == name]
        np.testing.assert_array_equal(lines["WiSE-FT"].get_ydata(), panel["accuracy"])
        assert list(lines["line"].get_ydata()) == [ZEROSHOT[name], FINETUNED[name]]
        assert set(lines["better end"].get_ydata()) == {max(ZEROSHOT[name], FINETUNED[name])}
        assert any(label.endswith("%") for label in ticks(ax))


def test_sweeps_of_several_models_in_one_frame_are_refused() -> None:
    with pytest.raises(DataError, match="mapping by label"):
        plots.plot_robustness(paper.alpha_sweeps())
    with pytest.raises(DataError, match="empty"):
        plots.plot_alpha({})


def test_a_missing_endpoint_is_an_error() -> None:
    cut = sweep().query("alpha < 1")
    for plot in (plots.plot_robustness, plots.plot_alpha):
        with pytest.raises(DataError, match="both endpoints"):
            plot(cut)


def test_a_gallery_has_a_row_for_every_distribution() -> None:
    figure = plots.plot_gallery({"Pocket": split(), "Pocket-R": split()}, columns=4)
    assert len(figure.axes) == 8
    assert [text.get_text() for text in figure.texts] == ["Pocket", "Pocket-R"]


def test_a_gallery_shows_the_images_it_was_given() -> None:
    images = split().images
    figure = plots.plot_gallery(images, columns=3, seed=None)
    for ax, image in zip(figure.axes, images, strict=False):
        shown = ax.images[0].get_array()
        scale = shown.shape[0] // 8
        assert scale > 1
        np.testing.assert_array_equal(shown[::scale, ::scale], image.permute(1, 2, 0))


def test_a_gallery_can_show_one_class_or_name_them() -> None:
    named = plots.plot_gallery(split(), classnames=CLASSES, columns=3, seed=None)
    names = [ax.get_xlabel() for ax in named.axes]
    assert names == ["lemon", "apple", "hot-air\nballoon"]
    lemons = plots.plot_gallery(split(), classnames=CLASSES, only="lemon", columns=8)
    assert len(lemons.axes) == 4
    with pytest.raises(UnknownNameError, match="lemon"):
        plots.plot_gallery(split(), classnames=CLASSES, only="lemons")
    with pytest.raises(DataError, match="labels"):
        plots.plot_gallery(split().images, classnames=CLASSES, only="lemon")


def test_a_gallery_depends_on_nothing_but_its_seed() -> None:
    def first(seed: int) -> object:
        return plots.plot_gallery(split(), columns=2, seed=seed).axes[0].images[0].get_array()

    np.testing.assert_array_equal(first(1), first(1))
    assert any(not np.array_equal(first(0), first(seed)) for seed in (1, 2, 3))


def test_every_class_has_a_picture_of_its_own() -> None:
    shuffled = split(7).subset(torch.tensor([5, 2, 0, 3, 6, 1, 4]))
    figure = plots.plot_classes(shuffled, CLASSES, columns=2)
    assert [ax.get_xlabel() for ax in figure.axes] == ["lemon", "apple", "hot-air\nballoon"]
    for label, ax in enumerate(figure.axes):
        small = ax.images[0].get_array()[::6, ::6]
        of_class = shuffled.images[shuffled.labels == label].permute(0, 2, 3, 1).numpy()
        assert any(np.array_equal(small, image) for image in of_class)


def test_classes_that_are_absent_or_too_many_are_left_out() -> None:
    without = split().subset(split().labels != 1)
    figure = plots.plot_classes(without, CLASSES)
    assert [ax.get_xlabel() for ax in figure.axes] == ["lemon", "hot-air\nballoon"]
    assert len(plots.plot_classes(split(), CLASSES, most=2).axes) == 2


def test_probabilities_are_bars_in_order_with_their_percentages() -> None:
    figure = plots.plot_probabilities(
        {"zero-shot": torch.tensor([0.2, 0.7, 0.1])}, CLASSES, truth="lemon", top=2
    )
    (ax,) = figure.axes
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.7, 0.2])
    names = ax.get_yticklabels()
    assert [name.get_text() for name in names] == ["apple", "lemon"]
    assert [name.get_fontweight() for name in names] == ["normal", "bold"]
    assert texts(figure) == ["70%", "20%"]
    assert ax.get_title(loc="left") == "zero-shot"


def test_probabilities_may_stand_beside_their_image() -> None:
    p, image = torch.tensor([0.2, 0.7, 0.1]), split().images[0]
    figure = plots.plot_probabilities(p, CLASSES, truth=1, image=image)
    assert len(figure.axes) == 2
    assert len(figure.axes[0].images) == 1


def test_probabilities_must_fit_the_names() -> None:
    with pytest.raises(DataError, match=r"\(2,\) for 3 class names"):
        plots.plot_probabilities(torch.tensor([0.5, 0.5]), CLASSES)
    with pytest.raises(UnknownNameError, match="lemon"):
        plots.plot_probabilities(torch.ones(3) / 3, CLASSES, truth="lemno")


def test_history_shows_loss_and_both_accuracies() -> None:
    history = pd.DataFrame(
        {
            "epoch": [1, 2, 3],
            "loss": [1.0, 0.5, 0.3],
            "train_accuracy": [0.7, 0.9, 0.97],
            "val_accuracy": [0.72, 0.85, 0.88],
        }
    )
    figure = plots.plot_history(history)
    left, right = figure.axes
    assert list(left.lines[0].get_ydata()) == [1.0, 0.5, 0.3]
    assert {tuple(line.get_ydata()) for line in right.lines} == {
        (0.7, 0.9, 0.97),
        (0.72, 0.85, 0.88),
    }
    assert set(texts(figure)) == {"training", "validation"}
    with pytest.raises(DataError, match="loss"):
        plots.plot_history(history.drop(columns="loss"))


@pytest.mark.parametrize(
    "figure",
    [
        lambda: plots.plot_robustness(sweep()),
        lambda: plots.plot_robustness({"WiSE-FT": sweep(), "output-space ensemble": sweep(0.05)}),
        lambda: plots.plot_testbed(),
        lambda: plots.plot_testbed(zoom=True),
        lambda: plots.plot_testbed(models=paper.MODELS[:2]),
        lambda: plots.plot_alpha(sweep()),
    ],
)
def test_labels_neither_collide_nor_leave_the_frame(figure: object) -> None:
    result: Figure = figure()  # type: ignore[operator]
    result.draw_without_rendering()
    for ax in result.axes:
        boxes = [Text.get_window_extent(text) for text in ax.texts if text.get_text()]
        frame = ax.get_window_extent().padded(2)
        assert not [1 for a, b in combinations(boxes, 2) if a.overlaps(b)]
        assert all(frame.contains(b.x0, b.y0) and frame.contains(b.x1, b.y1) for b in boxes)


def test_a_label_avoids_the_line_it_names() -> None:
    figure, ax = plt.subplots(figsize=(4, 3))
    line = np.column_stack([np.linspace(0, 1, 50), np.full(50, 0.5)])
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    place_labels(ax, [Label("a name", [(0.5, 0.5)], "black")], [line])
    box = ax.texts[0].get_window_extent()
    height = ax.transData.transform((0.5, 0.5))[1]
    assert not box.y0 < height < box.y1
    plt.close(figure)


@pytest.mark.parametrize(
    ("low", "high"), [(0.01, 0.99), (0.55, 0.9), (0.76, 0.88), (0.47, 0.56), (0.9, 0.999)]
)
def test_logit_ticks_are_round_enough_and_apart(low: float, high: float) -> None:
    positions = LogitPercentLocator(9).tick_values(low, high)
    assert 3 <= len(positions) <= 10
    assert all(low <= tick <= high for tick in positions)
    assert all(1000 * tick == pytest.approx(round(1000 * tick)) for tick in positions)


def test_percentages_have_no_needless_decimals() -> None:
    written = [percent(x) for x in (0.5, 0.125, 0.999, 0.9995)]
    assert written == ["50%", "12.5%", "99.9%", "99.95%"]
    assert percent(0.126, 0) == "13%"
