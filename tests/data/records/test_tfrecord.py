import hashlib

import tensorflow as tf

from xcos_tf.data.records.tfrecord import ShardWriter, decode, encode, payload_offsets
from xcos_tf.files import file_sha256


def test_offsets_are_those_of_the_payloads(tmp_path):
    path = tmp_path / "shard"
    writer = ShardWriter(path)
    faces = [(b"x" * size, size, f"person/{size}.jpg") for size in (0, 1, 200, 5000)]
    for face in faces:
        writer.add(*face)
    writer.close()
    content = path.read_bytes()
    offsets = payload_offsets(writer.lengths)
    assert offsets[0] == 12
    for face, offset, length in zip(faces, offsets, writer.lengths, strict=True):
        assert decode(content[offset : offset + length]) == face
    assert offsets[-1] + writer.lengths[-1] + 4 == len(content)
    assert list(writer.labels) == [0, 1, 200, 5000]
    payloads = [x.numpy() for x in tf.data.TFRecordDataset(str(path))]
    assert payloads == [encode(*face) for face in faces]


def test_encoding_is_always_the_same():
    assert len({encode(b"image", 7, "name") for _ in range(50)}) == 1


def test_names_that_are_not_utf_8():
    name = "\udcff/1.jpg"
    assert decode(encode(b"", 0, name))[2] == name
    example = tf.train.Example.FromString(encode(b"", 0, name))
    assert example.features.feature["name"].bytes_list.value[0] == b"\xff/1.jpg"


def test_file_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"x" * 3_000_000)
    assert file_sha256(tmp_path / "x").hexdigest() == hashlib.sha256(b"x" * 3_000_000).hexdigest()
