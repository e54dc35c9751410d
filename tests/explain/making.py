"""What the tests of figures share: explanations without a network, and what a figure shows."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from xcos_tf.explain.comparison import ExplainedScore
from xcos_tf.explain.explanation import Explanation

GRID = {"xcos": "learned", "xcos-patched": "patched", "random": "learned"}


def explained(method: str, threshold: float | None = 0.4, **changes) -> ExplainedScore:
    """Return random maps under a method's name: S and W of xCos's, else a map for each face."""
    random = np.random.default_rng(len(method))
    maps = [random.uniform(-1, 1, (7, 7)).astype(np.float32) for _ in range(2)]
    known = {"method": method, "signed": True, "per_pair": False, "score": 0.5}
    known |= {"map_a": maps[0], "map_b": maps[1], "seconds": 0.25, "forward": 4, "backward": 2}
    if method.startswith("xcos"):
        weights = random.dirichlet(np.ones(49)).reshape(7, 7)
        known |= {"per_pair": True, "map_b": maps[0], "seconds": 0.031, "forward": 2, "backward": 0}
        known |= {"similarity_map": maps[1], "attention_map": weights}
    preset = "an xCos preset" if method in GRID else "a plain preset"
    explanation = Explanation(**(known | changes))
    return ExplainedScore(preset, GRID.get(method, "cosine"), threshold, explanation)


def check_layout(figure) -> None:
    """No text overlaps another or a panel, or leaves the picture."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()  # which puts labels of axes in their places
    texts = list(figure.texts)
    for axes in figure.axes:
        bars = [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label]
        texts += [axes._left_title, *bars]
    boxes = []
    for text in filter(lambda text: text.get_text() and text.get_visible(), texts):
        box, clip = text.get_window_extent(renderer), text.get_clip_box()
        boxes.append(
            (text.get_text(), Bbox.intersection(box, clip) if text.get_clip_on() and clip else box)
        )
    panels = [("panel", axes.get_window_extent(renderer)) for axes in figure.axes]
    for i, (text, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, text
        for other_text, other in boxes[i + 1 :] + panels:
            assert not box.shrunk(0.97, 0.97).overlaps(other), (text, other_text)
