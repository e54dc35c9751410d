"""Time a training step's softmax over all people and over a sample of them (Partial FC).

    python tools/benchmark_partial_fc.py

A step is the margin head, its gradient and SGD with momentum, on random embeddings; both ways take
turns. The flattened grid has 1,568 numbers. A million people's kernel and momentum of these would
take 12.5 GB, so they are timed with 128.
"""

import argparse
import statistics
import sys
import time
from types import SimpleNamespace


def build(people: int, dimension: int, sample: int | None):
    """Return a trainer of a margin head alone."""
    from tensorflow import keras

    from xcos_tf.models.margins import ArcFaceHead
    from xcos_tf.training.model import Part, Trainer

    embedding = keras.Input((dimension,))
    features = keras.Model(embedding, keras.layers.Activation("linear")(embedding))
    head = ArcFaceHead(people)
    head.build((None, dimension))
    network = SimpleNamespace(features=features, comparisons={})
    trainer = Trainer(network, head, {"identification": 1.0}, sample=sample)
    trainer.compile([Part(head, keras.optimizers.SGD(0.01, momentum=0.9), l2=4e-4)])
    return trainer


def measure(people: int, dimension: int, share: float, batch: int, steps: int) -> list[float]:
    """Return the median seconds of a step over all `people`, and over a `share` of them."""
    import tensorflow as tf

    random = tf.random.Generator.from_seed(1)
    trainers = [build(people, dimension, sample) for sample in (None, round(share * people))]
    functions = [tf.function(trainer.make_step) for trainer in trainers]
    seconds = [[], []]
    for _ in range(steps + 1):
        data = {
            "input": random.normal((1, batch, dimension)),
            "label": random.uniform((1, batch), maxval=people, dtype=tf.int32),
        }
        for function, times in zip(functions, seconds, strict=True):
            start = time.perf_counter()
            float(function(data)["total"])
            times.append(time.perf_counter() - start)
    return [statistics.median(times[1:]) for times in seconds]  # the first one compiles


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = ["85000x1568", "1000000x128"]
    parser.add_argument("--sizes", nargs="+", default=sizes, help="people x dimension")
    parser.add_argument("--share", type=float, default=0.1, help="of the people in a sample")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args(argv)
    print(f"{'people':>9} {'numbers':>7} {'all, ms':>9} {'sample, ms':>10} {'ratio':>6}")
    for size in args.sizes:
        people, dimension = map(int, size.split("x"))
        full, sampled = measure(people, dimension, args.share, args.batch, args.steps)
        times = f"{1000 * full:9.1f} {1000 * sampled:10.1f} {full / sampled:6.1f}"
        print(f"{people:9,} {dimension:7,} {times}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
