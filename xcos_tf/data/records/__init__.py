"""Prepared sets: faces in sharded TFRecord files with an index, and what they are made from.

`folder`, `mxnet` and `insightface_bin` each read one kind of source, `detect` finds out which kind
it is, `writer` makes a prepared set of it, and `reader` opens prepared sets.
"""
