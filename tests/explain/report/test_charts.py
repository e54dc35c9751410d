import base64
from statistics import NormalDist

import matplotlib
import numpy as np
import pytest

from tests.explain.report.making import make_scores, make_set
from xcos_tf.evaluation.measurement import UnderOcclusion
from xcos_tf.explain.report.charts import (
    Score,
    draw_det,
    draw_histogram,
    draw_occlusion,
    draw_roc,
    styles_of,
)
from xcos_tf.explain.report.page import figure_uri
from xcos_tf.metrics.curves import det
from xcos_tf.metrics.rates import tar_at_far

SCORE = Score("a", "cosine")
STYLES = styles_of([SCORE])


@pytest.fixture
def pairs():
    vset = make_set(400)
    return make_scores(vset).values, vset.pairs.same


def at(line, x: float) -> float:
    """Return the height of a step curve."""
    reached = np.flatnonzero(line.get_xdata() <= x)
    return line.get_ydata()[reached[-1]]


def test_the_roc_passes_through_the_tar_of_the_table(pairs):
    figure = draw_roc({SCORE: det(*pairs)}, STYLES, 200)
    [axes] = figure.axes
    [line] = axes.lines
    assert line.get_drawstyle() == "steps-post" and axes.get_xscale() == "log"
    assert line.get_color() == STYLES[SCORE].colour
    for far in (0.01, 0.05, 0.1, 0.5):
        assert at(line, far) == pytest.approx(tar_at_far(*pairs, far))
    left, right = axes.get_xlim()
    # One impostor of 200 is well inside, and what happens without any is to be seen.
    assert left < 1 / 200 and right == 1
    assert at(line, left) == pytest.approx(tar_at_far(*pairs, 0))
    assert axes.get_ylim()[0] <= at(line, left) < axes.get_ylim()[1]


def test_the_det_is_drawn_by_normal_deviates(pairs):
    scores, same = pairs
    figure = draw_det({SCORE: det(scores, same)}, STYLES, 200, 200)
    [axes] = figure.axes
    line, diagonal = axes.lines
    deviate = NormalDist().inv_cdf
    for threshold in (0.1, 0.25, 0.4):
        fmr = np.mean(scores[~same] >= threshold)
        fnmr = np.mean(scores[same] < threshold)
        assert np.any(
            np.isclose(line.get_xdata(), deviate(fmr)) & np.isclose(line.get_ydata(), deviate(fnmr))
        )
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    figure.canvas.draw()
    for axis in (axes.xaxis, axes.yaxis):
        labels = [label.get_text() for label in axis.get_ticklabels()]
        for tick, label in zip(axis.get_ticklocs(), labels, strict=True):
            assert tick == pytest.approx(deviate(float(label.removesuffix(" %")) / 100))
        assert "1 %" in labels and "20 %" in labels


@pytest.mark.parametrize("genuine", [0.9, 0.1])
def test_curves_of_scores_that_never_or_always_err(genuine):
    same = np.arange(40) % 2 == 0
    scores = np.where(same, genuine, 0.5)
    curves = {SCORE: det(scores, same)}
    for figure in (draw_roc(curves, STYLES, 20), draw_det(curves, STYLES, 20, 20)):
        line = figure.axes[0].lines[0]
        assert np.isfinite(line.get_xydata()).all() and len(line.get_xdata()) > 1
        assert figure_uri(figure).startswith("data:image/svg+xml;base64,")


def test_curves_of_many_pairs_stay_small(random):
    same = np.arange(100_000) % 2 == 0
    scores = random.normal(0, 0.5, 100_000) + same
    curves = {SCORE: det(scores, same)}
    for figure in (draw_roc(curves, STYLES, 50_000), draw_det(curves, STYLES, 50_000, 50_000)):
        assert len(figure_uri(figure)) < 60_000


def test_a_histogram_counts_each_kind_in_its_own_colour(pairs):
    scores, same = pairs
    style = STYLES[SCORE]
    figure = draw_histogram(scores, same, (-1, 1), style, 0.5)
    [axes] = figure.axes
    filled = [patch for patch in axes.patches if patch.get_fill()]
    for patch, kind in zip(filled, (~same, same), strict=True):
        heights, edges, _ = patch.get_data()
        assert heights.sum() == pytest.approx(1)
        inside = (scores[kind] >= edges[30]) & (scores[kind] < edges[31])
        assert heights[30] == pytest.approx(inside.mean())
    assert matplotlib.colors.to_hex(filled[1].get_facecolor()) == style.colour
    [threshold] = axes.lines
    assert set(threshold.get_xdata()) == {0.5}
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "impostor pairs",
        "genuine pairs",
        "threshold",
    ]
    assert draw_histogram(scores, same, (-1, 1), style, None).axes[0].lines[:] == []


def test_occlusion_shows_accuracy_and_its_spread():
    other = Score("b", "learned")
    styles = styles_of([SCORE, other])
    lines = {
        score: [UnderOcclusion(*score, share, 0.9 - share, 0.01) for share in (0, 0.1, 0.5)]
        for score in (SCORE, other)
    }
    [axes] = draw_occlusion(lines, styles).axes
    means = [line for line in axes.lines if line.get_marker() in ("o", "s")]
    assert [line.get_color() for line in means] == [styles[SCORE].colour, styles[other].colour]
    for line in means:
        np.testing.assert_allclose(line.get_ydata(), [0.9, 0.8, 0.4])
        np.testing.assert_allclose(line.get_xdata(), [0, 0.1, 0.5], atol=0.005)
    [spread, _] = axes.collections
    np.testing.assert_allclose(spread.get_segments()[0][:, 1], [0.89, 0.91])


def test_styles_differ_and_are_dark_enough():
    scores = [Score(f"preset {k}", "learned") for k in range(32)]
    styles = styles_of([*scores, scores[0]])
    assert list(styles) == scores
    assert len({(style.colour, style.dashes) for style in styles.values()}) == 32
    assert len({style.colour for style in list(styles.values())[:8]}) == 8
    for style in styles.values():
        light = [((x + 0.055) / 1.055) ** 2.4 for x in matplotlib.colors.to_rgb(style.colour)]
        luminance = np.dot([0.2126, 0.7152, 0.0722], light)
        assert 1.05 / (luminance + 0.05) >= 4.5  # contrast on white, as by WCAG 2


def test_a_picture_is_the_same_twice_and_leaves_settings_alone(pairs):
    before = dict(matplotlib.rcParams)
    uris = {figure_uri(draw_roc({SCORE: det(*pairs)}, STYLES, 200)) for _ in range(2)}
    assert len(uris) == 1 and dict(matplotlib.rcParams) == before
    kind, content = uris.pop().split(",")
    assert kind == "data:image/svg+xml;base64"
    assert b"<svg" in base64.b64decode(content) and b"<text" not in base64.b64decode(content)
