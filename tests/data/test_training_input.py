import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.data.records.sources import jpeg, write_people
from xcos_tf.data.face_set import hold_out, join_sets, weigh_people
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.writer import open_source, prepare
from xcos_tf.data.sampling import EpochSampler, GroupSampler
from xcos_tf.data.training_input import (
    Augmentation,
    decode_face,
    face_batches,
    reading_problems,
    training_dataset,
)
from xcos_tf.errors import XcosError

SIZE = 24  # of the faces that `write_people` makes
PLAIN = Augmentation(flip=0.0)


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    for name, people in (("x", {"al": 4, "bea": 3}), ("y", {"al": 2, "cy": 5})):
        write_people(folder / "photos" / name, people)
        prepare(open_source(folder / "photos" / name), folder / name, 2)
    return join_sets([PreparedSet(folder / "x"), PreparedSet(folder / "y")])


def batches(faces, augmentation=PLAIN, steps=(0, 3), groups=range(2), seed=3, **options):
    sampler = GroupSampler(faces.labels, 3, 2, 4, seed=seed)
    dataset = training_dataset(faces, sampler, augmentation, *steps, groups, size=SIZE, **options)
    return list(dataset.as_numpy_iterator())


def pixels(image):
    return (np.asarray(Image.open(io.BytesIO(image)), np.float32) - 127.5) / 128


def test_sets_are_joined_and_people_selected(faces):
    assert faces.people == ["x/al", "x/bea", "y/al", "y/cy"]
    assert faces.labels.tolist() == [0] * 4 + [1] * 3 + [2] * 2 + [3] * 5
    kept = faces.select(np.array([False, True, False, True]))
    assert kept.people == ["x/bea", "y/cy"] and kept.labels.tolist() == [0] * 3 + [1] * 5
    assert kept.read(np.arange(8)) == faces.read(np.array([4, 5, 6, 9, 10, 11, 12, 13]))


def test_people_weigh_what_their_set_does(faces):
    np.testing.assert_array_equal(weigh_people(faces, {"y": 0.25, "z": 9}), [1, 1, 0.25, 0.25])


def test_nobody_is_held_out_where_the_number_is_0(faces):
    kept, held = hold_out(faces, {"x": 0}, seed=1)
    assert kept.people == faces.people and len(held) == len(held.people) == 0


def test_batches_hold_the_drawn_faces_and_pairs(faces):
    sampler = GroupSampler(faces.labels, 3, 2, 4, seed=3)
    for step, batch in enumerate(batches(faces)):
        assert batch["input"].shape == (2, 6, SIZE, SIZE, 3)
        for group in range(2):
            drawn = sampler.draw(step, group)
            for name, values in (
                ("label", drawn.labels),
                ("first", drawn.first),
                ("second", drawn.second),
                ("same", drawn.same),
            ):
                np.testing.assert_array_equal(batch[name][group], values)
            expected = np.stack([pixels(image) for image in faces.read(drawn.faces)])
            np.testing.assert_allclose(batch["input"][group], expected, atol=1.5 / 128)


def test_a_later_start_and_a_part_of_the_groups_see_the_same(faces):
    strong = Augmentation(flip=0.5, augment=0.8, blend=0.5, occlude=0.3)
    whole = batches(faces, strong, (0, 4), range(4))
    later = batches(faces, strong, (2, 4), range(4))
    part = batches(faces, strong, (0, 4), range(2, 4))
    singly = batches(faces, strong, (0, 4), range(4), batch_groups=1)
    for step in range(4):
        for name, value in whole[step].items():
            if step >= 2:
                np.testing.assert_array_equal(later[step - 2][name], value)
            np.testing.assert_array_equal(part[step][name], value[2:])
            np.testing.assert_array_equal(
                np.concatenate([singly[4 * step + i][name] for i in range(4)]), value
            )
    other = batches(faces, strong, (0, 4), range(4), seed=4)
    assert not np.array_equal(other[0]["input"], whole[0]["input"])


@pytest.mark.parametrize(("genuine", "size"), [(0.5, 2), (None, 1)])
def test_an_epoch_s_images_are_read_in_turn(faces, genuine, size):
    # 14 images, 4 groups a step: 3.5 steps an epoch.
    sampler = EpochSampler(faces.labels, 4, genuine, seed=3)

    def read(first, last, groups):
        dataset = training_dataset(faces, sampler, PLAIN, first, last, groups, size=SIZE)
        return list(dataset.as_numpy_iterator())

    whole, later = read(0, 7, range(4)), read(3, 7, range(2, 4))
    images = np.stack([pixels(image) for image in faces.read(np.arange(14))])

    def seen(images_seen):  # some photos are in both sets
        return sorted(np.abs(images_seen[:, np.newaxis] - images).mean((2, 3, 4)).argmin(axis=1))

    firsts = np.concatenate([batch["input"][:, 0] for batch in whole])
    assert [seen(epoch) for epoch in np.split(firsts, 2)] == [seen(images)] * 2
    for batch in whole:
        assert batch["input"].shape == (4, size, SIZE, SIZE, 3)
        assert batch["first"].shape == (4, size - 1)
    for batch, part in zip(whole[3:], later, strict=True):
        for name, value in part.items():
            np.testing.assert_array_equal(value, batch[name][2:])


@pytest.mark.parametrize("kind", ["flip", "augment", "blend", "occlude", "strokes"])
def test_each_augmentation_happens_as_often_as_asked(faces, kind):
    plain = batches(faces, PLAIN, (0, 20))
    changed = batches(faces, Augmentation(**{"flip": 0.0, kind: 0.4}), (0, 20))
    shares = [
        (a["input"] != b["input"]).any((2, 3, 4)).mean()
        for a, b in zip(plain, changed, strict=True)
    ]
    assert np.mean(shares) == pytest.approx(0.4, abs=0.12)  # 240 faces
    if kind == "flip":
        a, b = plain[0]["input"], changed[0]["input"]
        moved = (a != b).any((2, 3, 4))
        np.testing.assert_array_equal(a[moved], b[moved][:, :, ::-1])


def test_faces_are_normalised_to_the_last_bit(faces):
    (batch,) = batches(faces, steps=(0, 1), groups=range(1))
    images = faces.read(GroupSampler(faces.labels, 3, 2, 4, seed=3).draw(0).faces)
    decoded = np.stack([decode_face(tf.constant(image), SIZE) for image in images])
    expected = (decoded.astype(np.float32) - np.float32(127.5)) / np.float32(128)
    np.testing.assert_array_equal(batch["input"][0], expected)


def test_faces_are_drawn_over_by_strokes_of_one_colour_up_to_a_half(faces):
    always = Augmentation(flip=0.0, strokes=1.0)
    shares = []
    for plain, batch, again in zip(
        batches(faces, steps=(0, 20)),
        batches(faces, always, (0, 20)),
        batches(faces, always, (0, 20)),
        strict=True,
    ):
        np.testing.assert_array_equal(batch["input"], again["input"])
        changed = (batch["input"] != plain["input"]).any(-1)
        for mask, face in zip(
            changed.reshape(-1, SIZE, SIZE), batch["input"].reshape(-1, SIZE, SIZE, 3), strict=True
        ):
            assert len(np.unique(face[mask], axis=0)) <= 1
        shares += changed.mean((2, 3)).ravel().tolist()
    assert max(shares) <= 0.5 and 0.2 < np.mean(shares) < 0.3 and np.std(shares) > 0.1


def test_a_teacher_s_embeddings_go_with_the_faces(faces, random):
    teacher = random.normal(size=(len(faces), 5)).astype(np.float32)
    sampler = GroupSampler(faces.labels, 3, 2, 4, seed=3)
    for step, batch in enumerate(batches(faces, teacher=teacher)):
        for group in range(2):
            drawn = sampler.draw(step, group)
            np.testing.assert_array_equal(batch["teacher"][group], teacher[drawn.faces])


def test_faces_of_another_size_stop_the_input(faces):
    sampler = GroupSampler(faces.labels, 3, 2, 4)
    dataset = training_dataset(faces, sampler, PLAIN, 0, 1, range(1), size=112)
    with pytest.raises(tf.errors.InvalidArgumentError, match="112"):
        list(dataset)


def test_the_same_faces_by_another_name_are_refused(tmp_path):
    """They would be trained on and held out at once."""
    write_people(tmp_path / "photos", {"al": 2, "bea": 2})
    prepare(open_source(tmp_path / "photos"), tmp_path / "x", 1)
    (tmp_path / "link").symlink_to("x")
    sets = [PreparedSet(tmp_path / name) for name in ("x", "link")]
    with pytest.raises(XcosError, match=r"x and .*link were prepared from the same faces; give"):
        join_sets(sets)


def test_a_set_of_pairs_is_refused(faces):
    class PairSet:
        people, folder = [], "lfw"

    with pytest.raises(XcosError, match="pairs"):
        join_sets([PairSet()])


class Faces:
    def __init__(self, size):
        noise = np.random.default_rng(0).integers(0, 256, (5, size, size, 3))
        self.pixels = noise.astype(np.uint8)

    def read(self, positions):
        files = [io.BytesIO() for _ in positions]
        for file, position in zip(files, positions, strict=True):
            Image.fromarray(self.pixels[position]).save(file, "PNG")
        return [file.getvalue() for file in files]


def test_faces_come_normalised_in_the_order_asked_for():
    faces, order = Faces(8), [4, 0, 3, 3, 1]
    batches = [batch.numpy() for batch in face_batches(faces, order, size=8, batch=2)]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    expected = (faces.pixels[order].astype(np.float32) - 127.5) / 128
    np.testing.assert_array_equal(np.concatenate(batches), expected)


def test_faces_of_another_size_stop_the_batches():
    with pytest.raises(tf.errors.InvalidArgumentError):
        list(face_batches(Faces(8), [0], size=112))


def fail(number):
    raise XcosError("a shard is missing; prepare the set again")


def break_down(number):
    raise RuntimeError("no fault of the user")


def first(function):
    dataset = tf.data.Dataset.range(3)
    return next(iter(dataset.map(lambda n: tf.numpy_function(function, [n], tf.string))))


def test_a_reader_s_own_sentence():
    with pytest.raises(XcosError) as caught, reading_problems():
        first(fail)
    assert str(caught.value) == "a shard is missing; prepare the set again"


def test_a_face_of_another_size():
    faces = tf.data.Dataset.from_tensors(jpeg(0, 24)).map(decode_face)
    for read in (lambda: next(iter(faces)), lambda: decode_face(jpeg(0, 24))):
        with pytest.raises(XcosError, match="is 24×24 pixels and"), reading_problems():
            read()


def test_other_errors_pass():
    with pytest.raises(tf.errors.UnknownError, match="no fault of the user"), reading_problems():
        first(break_down)
