import numpy as np
import pytest

from tests.explain.making import check_layout
from xcos_tf.explain.gallery import Case, Exhibit, JudgedAlike, most_confident
from xcos_tf.explain.gallery_figure import draw_group


def case(seed, score=0.7, name="a person/a person_0001.jpg", frames=None):
    random = np.random.default_rng(seed)
    faces = random.integers(0, 256, (2, 112, 112, 3), np.uint8)
    similarity = random.uniform(-1, 1, (7, 7))
    attention = random.dirichlet(np.ones(49)).reshape(7, 7)
    return Case((name, name), frames, tuple(faces), score, similarity, attention, "")


def exhibit(most, least, title="True accepts", right=True):
    group = JudgedAlike(
        title, "one person", right, 1234, np.arange(len(most)), np.arange(len(least))
    )
    return Exhibit(group, most, least)


def test_faces_maps_and_scores_of_each_pair():
    most, least = [case(1, 0.98), case(2, 0.9)], [case(3, 0.4971)]
    figure = draw_group(exhibit(most, least), "xCos", 0.497, "a subtitle")
    *panels, s_bar, w_bar = figure.axes
    assert len(panels) == 4 * 3
    for k, shown in enumerate([*most, *least]):
        face_a, face_b, similarity, attention = panels[4 * k : 4 * k + 4]
        np.testing.assert_array_equal(face_a.images[0].get_array(), shown.faces[0])
        np.testing.assert_array_equal(face_b.images[0].get_array(), shown.faces[1])
        np.testing.assert_allclose(similarity.collections[0].get_array(), shown.similarity_map)
        np.testing.assert_allclose(attention.collections[0].get_array(), shown.attention_map)
        assert face_a.get_title(loc="left") == "a person_0001"
    verdicts = [axes.get_title(loc="left") for axes in panels[2::4]]
    assert verdicts == ["xCos 0.98 ≥ 0.50", "xCos 0.90 ≥ 0.50", "xCos 0.4971 ≥ 0.4970"]
    # One scale of S and one of W for all pairs.
    weights = [panel.collections[0].norm for panel in panels[3::4]]
    highest = max(shown.attention_map.max() for shown in [*most, *least])
    assert {norm.vmax for norm in weights} == {highest} and w_bar.get_xlim() == (0, highest)
    assert s_bar.get_xlim() == (-1, 1)
    said = [text.get_text() for text in figure.texts]
    assert said[:2] == ["True accepts (true positives): 1,234", "One person. a subtitle"]
    assert "Most sure" in said and "Least sure" in said


def test_rows_are_aligned_and_the_least_sure_on_the_right():
    figure = draw_group(exhibit([case(1), case(2)], [case(3), case(4)]), "xCos", 0.5)
    lefts, bottoms = (
        np.reshape([getattr(axes.get_position(), edge) for axes in figure.axes[:16]], (2, 2, 4))
        for edge in ("x0", "y0")
    )
    # Block, pair, panel.
    np.testing.assert_allclose(bottoms, np.broadcast_to(bottoms[:1, :, :1], (2, 2, 4)))
    assert bottoms[0, 0, 0] > bottoms[0, 1, 0]
    np.testing.assert_allclose(lefts[:, 0], lefts[:, 1])
    assert (np.diff(lefts[:, 0].ravel()) > 0).all()


def test_one_pair_alone_and_a_wrong_verdict():
    figure = draw_group(exhibit([case(1, 0.2)], [], "False rejects", False), "xCos", 0.5)
    said = [text.get_text() for text in figure.texts]
    assert said[0] == "False rejects (false negatives): 1,234" and "Least sure" not in said
    assert figure.axes[2].get_title(loc="left") == "xCos 0.20 < 0.50"


def test_of_videos_the_frames_are_named_and_scored():
    frames = ("video/frame 7.jpg", "video/frame 9.jpg", 0.6543)
    figure = draw_group(exhibit([case(1, 0.64, frames=frames)], []), "xCos", 0.5)
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    assert titles == ["frame 7", "frame 9", "xCos 0.64 ≥ 0.50 (these frames 0.65)"]
    check_layout(figure)


@pytest.mark.parametrize("name", ["W" * 100, "folder/Some_Long_Person_Name_0001.jpg", ".jpg", ""])
def test_nothing_overlaps(name):
    cases = [case(k, 0.12345, name) for k in range(4)]
    check_layout(draw_group(exhibit(cases, cases), "xCos", 0.12344, "x" * 60))


def test_each_group_has_the_papers_name():
    names = ("true positives", "false positives", "true negatives", "false negatives")
    groups = most_confident(np.zeros(1), np.array([True]), 0)
    for group, name in zip(groups, names, strict=True):
        figure = draw_group(exhibit([case(1)], [], group.title), "xCos", 0.5)
        assert figure.texts[0].get_text() == f"{group.title} ({name}): 1,234"
