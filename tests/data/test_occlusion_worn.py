import numpy as np
import pytest

from xcos_tf.data.alignment import TEMPLATE_LANDMARKS
from xcos_tf.data.occlusion import WORN, wear

GREY = np.full((112, 112, 3), 128, np.uint8)
LEFT_EYE, RIGHT_EYE, NOSE, MOUTH_LEFT, MOUTH_RIGHT = np.round(TEMPLATE_LANDMARKS).astype(int)
FOREHEAD, CHIN = (56, 15), (56, 108)


def covered(what, seed, **options):
    """Return where the grey face changed, bool (112, 112); colours near grey could hide it."""
    face = options.pop("face", GREY)
    pictures = [wear(face, what, seed, **options), wear(255 - face, what, seed, **options)]
    return (pictures[0] != face).any(-1) | (pictures[1] != 255 - face).any(-1)


@pytest.mark.parametrize(
    "what, under, free",
    [
        ("sunglasses", [LEFT_EYE, RIGHT_EYE], [FOREHEAD, NOSE, MOUTH_LEFT, MOUTH_RIGHT, CHIN]),
        ("scarf", [MOUTH_LEFT, MOUTH_RIGHT, CHIN], [FOREHEAD, LEFT_EYE, RIGHT_EYE]),
        ("hand", [(MOUTH_LEFT + MOUTH_RIGHT) // 2], [FOREHEAD, LEFT_EYE, RIGHT_EYE]),
    ],
)
def test_it_covers_what_it_should(what, under, free):
    for seed in range(30):
        mask = covered(what, seed)
        assert all(mask[y - 1 : y + 2, x - 1 : x + 2].any() for x, y in under)
        assert not any(mask[y, x] for x, y in free)


@pytest.mark.parametrize("what", WORN)
def test_the_seed_says_it_all(what):
    one = wear(GREY, what, [1, 2])
    assert one.dtype == np.uint8 and one.shape == GREY.shape
    np.testing.assert_array_equal(wear(GREY, what, [1, 2]), one)
    assert len({wear(GREY, what, [1, seed]).tobytes() for seed in range(10)}) == 10
    assert (GREY == 128).all()


def test_a_hand_comes_from_either_side():
    sides = [covered("hand", seed)[100].nonzero()[0].mean() > 56 for seed in range(20)]
    assert 3 < sum(sides) < 17


def test_it_follows_the_landmarks():
    turned = (TEMPLATE_LANDMARKS - 56) @ np.array([[0.0, 0.5], [-0.5, 0.0]]) + 56  # by 90°, half
    mask = covered("sunglasses", 0, landmarks=turned)
    for x, y in np.round(turned[:2]).astype(int):
        assert mask[y, x]
    assert mask.sum() == pytest.approx(covered("sunglasses", 0).sum() / 4, rel=0.15)


def test_other_sizes_and_shapes():
    face = np.full((224, 224, 3), 90, np.uint8)
    mask = covered("scarf", 5, face=face, landmarks=TEMPLATE_LANDMARKS * 2)
    assert mask.mean() == pytest.approx(covered("scarf", 5).mean(), abs=0.01)
    with pytest.raises(ValueError, match="one of"):
        wear(GREY, "hat", 0)
    with pytest.raises(ValueError, match="eyes apart"):
        wear(GREY, "scarf", 0, np.ones((5, 2)))
