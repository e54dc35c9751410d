"""Copies of a photo and parts of it, against means and lines worked out pixel by pixel."""

import numpy as np
import pytest

from xcos_tf.data import cascade as module
from xcos_tf.data.cascade import Pyramid, crops

NOISE = np.random.default_rng(0).integers(0, 256, (137, 181, 3), np.uint8)


def shares(length, count):
    """The share of each pixel, (count, length), in each of `count` equal pieces of a length."""
    ends = np.arange(count + 1)[:, None] * (length / count)
    pixels = np.arange(length)
    covered = np.minimum(ends[1:], pixels + 1) - np.maximum(ends[:-1], pixels)
    return np.maximum(covered, 0) * (count / length)


@pytest.mark.parametrize(("looks", "of_first"), [(9216, [0]), (24 * 49, [0, 48]), (1, None)])
def test_strips_are_parts_of_copies_that_are_means(monkeypatch, looks, of_first):
    monkeypatch.setattr(module, "_LOOKS", looks)
    monkeypatch.setattr(module, "_SUMS", 7 * 182 * 3)  # seven rows at a time
    pyramid = Pyramid(NOISE)
    strips = list(pyramid.strips())
    scales = list(dict.fromkeys(scale for scale, _ in strips))
    np.testing.assert_allclose(scales, 0.6 * 0.709 ** np.arange(6))
    assert of_first in (None, [row for scale, row in strips if scale == scales[0]])
    for scale in scales:
        rows, columns = int(137 * scale), int(181 * scale)
        narrow = shares(181, columns) @ NOISE  # (137, columns, 3)
        copy = np.tensordot(shares(137, rows), narrow, 1)
        step = 2 * max(1, looks // ((columns - 10) // 2))
        firsts = [row for of, row in strips if of == scale]
        assert firsts == list(range(0, rows - 10, step))
        for row in firsts:
            strip = pyramid.strip(scale, row)
            assert strip.dtype == np.float32
            np.testing.assert_allclose(strip, copy[row : row + step + 10], atol=1e-4)


@pytest.mark.parametrize("shape", [(19, 500), (1, 1), (500, 19)])
def test_a_photo_that_is_less_than_a_window_has_no_copy(shape):
    assert list(Pyramid(np.zeros((*shape, 3), np.uint8)).strips()) == []


def test_the_least_photo_has_one_look():
    pyramid = Pyramid(NOISE[:21, :22])
    ((scale, row),) = pyramid.strips()
    assert pyramid.strip(scale, row).shape == (12, 13, 3)


def test_the_brightest_photo_of_the_largest_size_is_summed_up():
    white = Pyramid(np.full((1280, 1280, 3), 255, np.uint8))
    assert (white.strip(0.6, 640) == 255).all()


def test_crops_are_on_lines_between_pixels_and_grey_beyond():
    boxes = np.float32([[10, 20, 30, 44], [-5, 100, 60, 165], [3.5, 7.25, 4, 8]])
    found = crops(NOISE, boxes, 24)
    assert found.dtype == np.float32
    for crop, box in zip(found, boxes, strict=True):
        corners = box * np.tile([180 / 181, 136 / 137], 2)
        xs, ys = (np.linspace(corners[i], corners[i + 2], 24) for i in (0, 1))
        for i, y in enumerate(ys):
            for j, x in enumerate(xs):
                if not (0 <= x <= 180 and 0 <= y <= 136):
                    np.testing.assert_array_equal(crop[i, j], 127.5)
                    continue
                near = NOISE[int(y) : int(y) + 2, int(x) : int(x) + 2].astype(float)
                rows, columns = [1 - y % 1, y % 1], [1 - x % 1, x % 1]
                weights = np.outer(rows[: len(near)], columns[: near.shape[1]])
                expected = np.einsum("ij,ijc->c", weights, near)
                np.testing.assert_allclose(crop[i, j], expected, atol=1e-3)
