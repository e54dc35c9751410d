"""Prepared sets: faces in sharded TFRecord files with an index, and what they are made from.

`source`, `mxnet` and `insightface_bin` each read one kind of source, `writer` finds out which kind
it is and makes a prepared set of it, and `reader` opens prepared sets.
"""
