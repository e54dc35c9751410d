"""How much a score drops when a cell is covered, held against covering it."""

import numpy as np
import pytest

from tests.explain.toys import WeighedCells, noise
from tests.verifying import untrained_network, untrained_preset
from xcos_tf.errors import XcosError
from xcos_tf.explain.faithfulness.cell_ablation import true_drops
from xcos_tf.explain.probing import cover, square_masks
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.presets import Preset
from xcos_tf.runtime.whatif import load_whatif, score_drops
from xcos_tf.verifier import Verifier

MASKS = square_masks(112, 16, 16)


class WeighedRuntime(WeighedCells):
    """`WeighedCells` as a runtime, whose grid has one cell's pixels as channels."""

    feature_shape = (7, 7, 768)

    def embed(self, faces):
        return super().embed(faces).reshape(-1, *self.feature_shape)

    def compare_pairs(self, a, b):
        return (a * b).sum(axis=-1).reshape(-1, 49) @ self.weights.ravel()

    def compare(self, attention, a, b):
        return {"xcos": self.compare_pairs(a, b)}


def knows(runtime, faces):
    """Return a model of covered cells that covers them."""
    known = {runtime.embed(face[np.newaxis]).tobytes(): face for face in faces}

    def model(grids):
        covered = [runtime.embed(cover(known[grid.tobytes()], MASKS, 0)) for grid in grids]
        return {"covered": np.stack(covered)}

    return model


def test_a_model_that_is_right_gives_the_truth(random):
    runtime, faces = WeighedRuntime(random.normal(size=(7, 7))), noise(random, 4)
    a, b = runtime.embed(faces[:2]), runtime.embed(faces[2:])
    of_a, of_b = score_drops(runtime, knows(runtime, faces), "any", a, b)
    assert of_a.shape == of_b.shape == (2, 7, 7)
    for i in range(2):
        pair = faces[i], faces[2 + i]
        np.testing.assert_allclose(of_a[i], true_drops(runtime, *pair, "black"), atol=1e-5)
        np.testing.assert_allclose(of_b[i], true_drops(runtime, *pair[::-1], "black"), atol=1e-5)


def blank(grids):
    """Cover a cell by making its feature 0, which is like none."""
    cells = np.eye(49, dtype=bool).reshape(49, 7, 7, 1)
    return {"covered": np.where(cells, 0, grids[:, np.newaxis])}


def test_a_blank_cell_takes_its_contribution_where_weights_are_fixed(random):
    runtime = Verifier(Preset({"name": "x", "thresholds": {}}, untrained_network())).runtime
    a, b = random.normal(size=(2, 3, 7, 7, 32)).astype(np.float32)
    for attention in ("patched", "correlated"):
        maps = runtime.compare(attention, a, b)
        for drops in score_drops(runtime, blank, attention, a, b):
            np.testing.assert_allclose(
                drops, maps["similarity_map"] * maps["attention_map"], atol=1e-6
            )
    # The learned attention is computed anew, so it is more than that.
    whole = runtime.compare("learned", a, b)["xcos"]
    covered = np.repeat(a[:1], 49, axis=0)
    covered[np.arange(49), np.arange(49) // 7, np.arange(49) % 7] = 0
    scores = runtime.compare("learned", covered, np.repeat(b[:1], 49, axis=0))["xcos"]
    drops = score_drops(runtime, blank, "learned", a, b)[0]
    np.testing.assert_allclose(drops[0].ravel(), whole[0] - scores, atol=1e-6)


def test_a_preset_without_the_file_says_what_makes_it(tmp_path_factory):
    folder = untrained_preset(tmp_path_factory.getbasetemp())
    sentence = (
        r"the preset 'untrained-xcos' has no model of what covering a cell does; make it with "
        r"`xcos fit-whatif \S+ SET`, from the people that the preset was trained on"
    )
    with pytest.raises(XcosError, match=sentence):
        load_whatif(folder, read_config(folder), (7, 7, 32))
    with pytest.raises(XcosError, match="has no model of what covering a cell does"):
        load_whatif(None, read_config(folder), (7, 7, 32))


def test_all_covers_of_a_pair_go_through_each_network_at_once(random):
    runtime, counts = WeighedRuntime(random.normal(size=(7, 7))), []
    compare, runtime.compare = runtime.compare, lambda *x: counts.append(len(x[1])) or compare(*x)
    a, b = runtime.embed(noise(random, 4)).reshape(2, 2, *runtime.feature_shape)
    score_drops(runtime, lambda x: counts.append(len(x)) or blank(x), "any", a, b)
    assert counts == [4, 2 * 99]
    assert [x.shape for x in score_drops(runtime, blank, "any", a[:0], b[:0])] == [(0, 7, 7)] * 2
