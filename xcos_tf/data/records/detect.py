"""Which kind of source a path is."""

import os
from pathlib import Path

from xcos_tf.data.records.folder import FolderSource
from xcos_tf.data.records.insightface_bin import BinSource
from xcos_tf.data.records.mxnet import MxnetSource
from xcos_tf.data.records.source import Source
from xcos_tf.errors import XcosError, shown

RECORD_FILE = "train.rec"


def open_source(path: str | os.PathLike) -> Source:
    """Open a folder of people, a folder with `train.rec` (or a `.rec` file), or a `.bin` set.

    Raises:
        XcosError: it is none of these, or cannot be read.
    """
    path = Path(path)
    if os.path.isdir(path):  # not `Path`'s, which fails on a name that is too long
        records = path / RECORD_FILE
        if records.is_file():
            return MxnetSource(records)
        return FolderSource(path)
    if os.path.isfile(path) and path.suffix.lower() == ".rec":
        return MxnetSource(path)
    if os.path.isfile(path) and path.suffix.lower() == ".bin":
        return BinSource(path)
    if not os.path.exists(path):
        raise XcosError(f"there is no file or folder {shown(path)}; check the path")
    raise XcosError(
        f"{shown(path)} is no set of faces that can be read; give a folder with one "
        f"sub-folder a person, a folder with MXNet's {RECORD_FILE} in it, or an InsightFace .bin "
        "file"
    )
