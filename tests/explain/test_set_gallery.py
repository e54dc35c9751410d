"""A set of noise by an untrained preset: every pair's maps, the groups and the text."""

import os

import numpy as np
import pytest

from tests.explain.report.making import Faces, make_set
from tests.verifying import THRESHOLDS, untrained_preset
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.matcher import Matcher
from xcos_tf.evaluation.protocol import score_set
from xcos_tf.explain.mean_attention import claimed_shares, region_shares
from xcos_tf.explain.set_gallery import (
    MEAN_ATTENTION,
    draw_gallery,
    explain_set,
    gallery_text,
    make_gallery,
    save_gallery,
)


@pytest.fixture(scope="module")
def matcher(tmp_path_factory):
    return Matcher(untrained_preset(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="module")
def gallery(matcher):
    return make_gallery(matcher, make_set(12))


def test_every_pair_is_scored_and_its_weights_kept(matcher):
    vset = make_set(12)
    maps = explain_set(matcher, vset)
    scores = {x.score: x.values for x in score_set([matcher.name], vset)}
    assert maps.score == "learned"
    np.testing.assert_allclose(maps.values, scores["learned"], atol=1e-5)
    verifier = matcher.verifier
    for pair in (0, 7):
        ends = vset.pairs.first[pair], vset.pairs.second[pair]
        truth = verifier.verify(*(vset.photos.read(end) for end in ends), aligned=True)
        np.testing.assert_allclose(maps.attention_maps[pair], truth.attention_map, atol=1e-5)
    faces = np.stack([vset.photos.read(k) for k in range(12)])
    np.testing.assert_allclose(maps.mean_face, faces.mean(axis=0), atol=0.501)
    assert maps.mean_face.dtype == np.uint8


def test_of_videos_the_mean_over_all_pairs_of_frames(matcher, monkeypatch):
    monkeypatch.setattr("xcos_tf.explain.set_gallery.PAIR_BLOCK", 3)
    frames = Faces([f"frame {k}" for k in range(7)])
    videos = [np.arange(0, 3), np.arange(3, 5), np.arange(5, 6), np.arange(6, 7)]
    vset = make_set(4, names=[f"video {k}" for k in range(4)], photos=frames, videos=videos)
    maps = explain_set(matcher, vset)
    scores = {x.score: x.values for x in score_set([matcher.name], vset)}
    np.testing.assert_allclose(maps.values, scores["learned"], atol=1e-5)
    truth = [
        matcher.verifier.verify(frames.read(i), frames.read(j), aligned=True).attention_map
        for i in videos[0]
        for j in videos[1]
    ]
    np.testing.assert_allclose(maps.attention_maps[0], np.mean(truth, axis=0), atol=1e-5)


def test_groups_hold_all_pairs_at_the_presets_threshold(gallery):
    vset = gallery.vset
    assert (gallery.threshold, gallery.promised) == (THRESHOLDS["0.001"], True)
    accepted = gallery.maps.values >= gallery.threshold
    kinds = ((True, True), (False, True), (False, False), (True, False))
    counts = [np.sum((vset.pairs.same == s) & (accepted == a)) for s, a in kinds]
    assert [x.group.count for x in gallery.exhibits] == counts and sum(counts) == 12
    for x in gallery.exhibits:
        assert len(x.most) == len(x.group.shown) and len(x.least) == len(x.group.least)
        for pair, case in zip((*x.group.shown, *x.group.least), (*x.most, *x.least), strict=True):
            assert case.names[0] == vset.pairs.photos[vset.pairs.first[pair]]
            np.testing.assert_allclose(
                case.attention_map, gallery.maps.attention_maps[pair], atol=1e-5
            )
            assert case.score == gallery.maps.values[pair]


def test_the_text_has_the_shares_of_all_regions(gallery):
    text = gallery_text(gallery)
    lines = text.splitlines()
    assert "(learned attention) on people, threshold 0.4000 for FMR 1e-3" in lines[0]
    counts = [x.group.count for x in gallery.exhibits]
    assert lines[1].startswith(f"{counts[0]} true accepts, {counts[1]} false accepts, ")
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][2:]
    maps, same = gallery.maps.attention_maps, gallery.vset.pairs.same
    shares = [*claimed_shares(maps, same), *region_shares(maps, same)]
    assert [row[0] for row in rows] == [share.part for share in shares]
    for row, share in zip(rows, shares, strict=True):
        fractions = [share.mean, share.spread, share.genuine, share.impostor, share.cells]
        expected = [100 * fraction for fraction in fractions]
        assert [float(x) for x in row[1:6]] == pytest.approx(expected, abs=0.051)
        assert float(row[6]) == pytest.approx(share.mean / share.cells, abs=0.0051)
    central, low = lines[-2:]
    assert central.startswith("central columns: ") and low.startswith("mouth and chin: ")
    assert f"{100 * shares[1].mean:.1f} % of the weight on 12.2 % of the cells, " in low


def test_a_picture_for_each_group_that_has_pairs(gallery, tmp_path):
    figures = draw_gallery(gallery)
    names = [x.group.title.lower().replace(" ", "-") + ".png" for x in gallery.exhibits]
    assert list(figures) == [*names, MEAN_ATTENTION]
    full = [name for name, x in zip(names, gallery.exhibits, strict=True) if x.group.count]
    out = tmp_path / "new" / "out"
    out.mkdir(parents=True)
    for name in names:  # an earlier run's; those of groups that are empty now must go
        (out / name).write_bytes(b"old")
    paths = save_gallery(figures, out)
    assert [path.name for path in paths] == [*full, MEAN_ATTENTION]
    assert sorted(os.listdir(out)) == sorted([*full, MEAN_ATTENTION])
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    assert 0 < len(full) < 4


def test_a_place_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(XcosError, match="cannot be written to"):
        save_gallery({}, tmp_path / "file")
