"""One shard: a TFRecord file of faces, and where in it each of them is.

A record takes 12 bytes (its length and their checksum), the payload and 4 bytes (its checksum);
`tf.io.TFRecordWriter` writes them and does not tell positions, so they are counted here. Format:
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import os
from array import array
from pathlib import Path

import google_crc32c
import numpy as np
import tensorflow as tf

from xcos_tf.data.records.layout import HEAD, TAIL


class ShardWriter:
    """Writes one shard, and keeps the integer `labels` and payload `lengths` of its faces."""

    def __init__(self, path: str | os.PathLike):
        """Start the file, replacing any of that name."""
        self._path = Path(path)
        self._writer = tf.io.TFRecordWriter(str(path))
        self.labels, self.lengths = array("i"), array("i")

    def add(self, image: bytes, label: int, name: str) -> None:
        payload = encode(image, label, name)
        self._writer.write(payload)
        self.labels.append(label)
        self.lengths.append(len(payload))

    def close(self) -> None:
        """Close the file and wait until the disk has it."""
        self._writer.close()
        with open(self._path, "rb+") as stream:
            os.fsync(stream.fileno())


def payload_offsets(lengths: np.ndarray) -> np.ndarray:
    """Return int64 (n,), the position in its shard of each payload of these lengths, (n,)."""
    sizes = np.asarray(lengths, np.int64) + HEAD + TAIL
    return np.cumsum(sizes) - sizes + HEAD


def whole_payload(record: bytes, length: int) -> bytes:
    """Return a payload of `length` bytes that its checksum follows, or raise ValueError."""
    payload = record[:length]
    crc = google_crc32c.value(payload)
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    if len(payload) != length or record[length:] != masked.to_bytes(TAIL, "little"):
        raise ValueError("not what was written")
    return payload


def encode(image: bytes, label: int, name: str) -> bytes:
    """Return a serialized `tf.train.Example` with features image, label and name."""

    def feature(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {
        "image": feature(image),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        # File names need not be valid UTF-8.
        "name": feature(name.encode("utf-8", "surrogateescape")),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    # A map's order is not fixed otherwise, and the same source must give the same files.
    return example.SerializeToString(deterministic=True)


def decode(payload: bytes) -> tuple[bytes, int, str]:
    """Return the image, label and name of what `encode` returned.

    Raises:
        google.protobuf.message.DecodeError, IndexError: it is something else.
    """
    features = tf.train.Example.FromString(payload).features.feature
    return (
        features["image"].bytes_list.value[0],
        features["label"].int64_list.value[0],
        features["name"].bytes_list.value[0].decode("utf-8", "surrogateescape"),
    )


def decode_image(payload: bytes) -> bytes:
    """Return only the image, in half the time; see `decode`."""
    return tf.train.Example.FromString(payload).features.feature["image"].bytes_list.value[0]
