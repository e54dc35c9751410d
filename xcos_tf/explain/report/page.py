"""The report's one entry: from measurements to a file that any browser opens.

Faces, figures and maps are parts of the page, so that nothing has to be fetched.
"""

import base64
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

import jinja2
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

import xcos_tf
from xcos_tf.drawing import default_look
from xcos_tf.errors import explained
from xcos_tf.evaluation.measurement import (
    FALSE_ACCEPT_RATES,
    Measurement,
    ScoredPairs,
    UnderOcclusion,
    at_default_fmr,
)
from xcos_tf.evaluation.results_text import NOT_MEASURED, percent, rate_name
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.explain.gallery import make_galleries
from xcos_tf.explain.output_paths import check_report_path
from xcos_tf.explain.panels import MapPanel, map_panels
from xcos_tf.explain.regions import region_map
from xcos_tf.explain.report import content
from xcos_tf.explain.report.charts import (
    draw_det,
    draw_histogram,
    draw_occlusion,
    draw_roc,
    styles_of,
)
from xcos_tf.explain.report.content import score_of
from xcos_tf.explain.words import as_number, as_sentence, enough_decimals, short_title
from xcos_tf.files import replace_file
from xcos_tf.metrics.curves import det
from xcos_tf.metrics.intervals import format_rate

_JPEG_QUALITY = 88
_STOPS = 9


def write_report(
    path: str | os.PathLike,
    vset: VerificationSet,
    results: Sequence[tuple[ScoredPairs, Measurement]],
    face: Callable[[int], np.ndarray],
    occlusion: Sequence[UnderOcclusion] = (),
    command: str = "",
) -> None:
    """Write the report on one set as one HTML file, whole or not at all; what is there is replaced.

    Args:
        results: each score of each preset and what it is worth, in the order to show them; at
            least one. Presets with a grid are loaded again, by the name they have here, for the
            maps of the gallery.
        face: gives the aligned face of a photo of the set by its position, uint8 (112, 112, 3)
            RGB; called for the few photos that the gallery shows.
        occlusion: accuracy under occlusion, if it was measured, in any order.
        command: that made the report, for whoever wants to make it again.

    Raises:
        XcosError: as by `check_report_path`, `Verifier.from_preset` and `face`, or the file cannot
            be written.
        ValueError: there are no results, or not one value for each pair.
    """
    path = check_report_path(path)
    page = _render(_content(vset, results, face, occlusion, command))
    # Names need not be valid Unicode; what is left of that after `_plain` is not to stop us here.
    page = page.encode("utf-8", "replace")
    with explained(f"the report cannot be written to {path}", "choose another place"):
        replace_file(path, lambda stream: stream.write(page))


def _content(vset, results, face, occlusion, command) -> dict:
    """Return what the template shows; the quick parts first, so that mistakes turn up early."""
    _check(vset, results)
    lines = content.by_score(occlusion)
    styles = styles_of([*(score_of(scored) for scored, _ in results), *lines])
    today, covered = date.today(), None
    if lines:
        shares, table = content.occlusion_table(lines)
        chart = figure_uri(draw_occlusion(lines, styles))
        covered = {"lines": lines, "shares": shares, "table": table, "chart": chart}
    curves = {score_of(scored): det(scored.values, vset.pairs.same) for scored, _ in results}
    impostor, genuine = results[0][1].impostor, results[0][1].genuine
    return {
        "set_name": vset.name,
        "date": f"{today.day} {today:%B %Y}",
        "version": xcos_tf.__version__,
        "summary": content.summary(vset, results),
        "facts": content.set_facts(vset, results),
        "presets": {scored.preset: scored.sha256 for scored, _ in results},
        "command": command,
        "notes": vset.notes,
        "styles": styles,
        "not_measured": NOT_MEASURED,
        "rates": FALSE_ACCEPT_RATES,
        "results": results,
        "remarks": content.remarks(results),
        "roc": figure_uri(draw_roc(curves, styles, impostor)),
        "det": figure_uri(draw_det(curves, styles, impostor, genuine)),
        "histograms": _histograms(vset.pairs.same, [scored for scored, _ in results], styles),
        "occlusion": covered,
        "scales": scales(),
        "galleries": list(make_galleries(vset, [scored for scored, _ in results], face)),
        "skipped": vset.skipped,
    }


def _histograms(same: np.ndarray, scores: Sequence[ScoredPairs], styles) -> list[dict]:
    """Return a histogram for each score, all on one axis, and what is said about it."""
    values = [scored.values for scored in scores]
    low, high = float(np.min(values)), float(np.max(values))
    margin = 0.02 * (high - low) or 0.1
    limits = (low - margin, high + margin)
    shown = []
    for scored in scores:
        threshold = at_default_fmr(scored.thresholds)
        figure = draw_histogram(scored.values, same, limits, styles[score_of(scored)], threshold)
        accepted = scored.values.astype(np.float64) >= (threshold or 0)
        shown.append(
            {
                "scored": scored,
                "uri": figure_uri(figure),
                "medians": [float(np.median(scored.values[kind])) for kind in (same, ~same)],
                "threshold": threshold,
                "accepted": np.sum(accepted & ~same),
                "rejected": np.sum(~accepted & same),
            }
        )
    return shown


def _check(vset: VerificationSet, results: Sequence[tuple[ScoredPairs, Measurement]]) -> None:
    if not results:
        raise ValueError("Expected `results` to hold at least one score. Received: none")
    for scored, _ in results:
        if scored.values.shape != (len(vset.pairs),):
            raise ValueError(
                f"Expected a value for each of {len(vset.pairs)} pairs. Received: "
                f"{scored.values.shape=} for {scored.score} of {scored.preset}"
            )


def _render(page: dict) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # names are strangers' text
        finalize=_plain,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = (as_sentence, rate_name, enough_decimals, as_number, format_rate, percent)
    pictures = (map_panels, cells, face_uri)
    environment.globals |= {helper.__name__: helper for helper in (*words, *pictures, score_of)}
    return environment.get_template("page.html.j2").render(page)


def _plain(value):
    """Return text that is to be escaped without control characters and broken Unicode."""
    if type(value) is not str:
        return value
    # A per-cent sign stays on the line of its number.
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", short_title(value, sys.maxsize))


def cells(panel: MapPanel) -> Iterator[tuple[int, int, str, str]]:
    """Yield the column, the row, the colour as in CSS and the words of each cell of a map."""
    colours = ScalarMappable(panel.norm, panel.colours)
    parts = region_map(*panel.values.shape)
    for (y, x), value in np.ndenumerate(panel.values):
        text = f"{parts[y, x]}: {as_number(value, panel.decimals)}"
        yield x, y, to_hex(colours.to_rgba(value)), text


def scales() -> dict[str, str]:
    """Return the colour scales of S and W as gradients in CSS, from their low to their high end."""
    even, found = np.ones((1, 1)), {}
    for panel in map_panels(even, even)[:2]:
        colours = ScalarMappable(panel.norm, panel.colours)
        values = np.linspace(panel.norm.vmin, panel.norm.vmax, _STOPS)
        stops = ", ".join(to_hex(colours.to_rgba(x)) for x in values)
        found[panel.title] = f"linear-gradient(to right, {stops})"
    return found


def figure_uri(figure: Figure) -> str:
    """Return a figure as an SVG; the same figure gives the same text. Letters become shapes."""
    stream = io.BytesIO()
    with default_look({"svg.fonttype": "path", "svg.hashsalt": "xcos"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return _uri("image/svg+xml", stream.getvalue())


def face_uri(face: np.ndarray) -> str:
    """Return a face, uint8 (H, W, 3) RGB, as a JPEG."""
    stream = io.BytesIO()
    Image.fromarray(face).save(stream, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return _uri("image/jpeg", stream.getvalue())


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
