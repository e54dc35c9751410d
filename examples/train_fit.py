"""Train an xCos model by Keras's `compile` and `fit`; copy this and change what you like.

    python examples/train_fit.py FACES --out RUN

FACES has a folder for each person with their aligned faces, as `xcos align` makes them. A tenth of
the photos is for validation. The best weights by it become the preset RUN/preset, for
`xcos verify --preset`. Interrupted, the same command goes on from the last whole epoch.
"""

import argparse
import sys
from pathlib import Path

import tensorflow as tf
from tensorflow import keras

import xcos_tf


def read(folder: Path, subset: str, batch: int) -> tf.data.Dataset:
    """Return batches of faces, float32 (n, 112, 112, 3) in [−1, 1], and labels, int32 (n,)."""
    split = {"validation_split": 0.1, "subset": subset, "seed": 1}
    faces = keras.utils.image_dataset_from_directory(
        folder, image_size=(112, 112), batch_size=batch, verbose=False, **split
    )
    return faces.map(lambda images, labels: ((images - 127.5) / 128, labels)).prefetch(2)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path, help="a folder of aligned faces for each person")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=128)
    args = parser.parse_args(argv)

    people = sum(path.is_dir() for path in args.faces.iterdir())
    network = xcos_tf.XCos(xcos_tf.FaceEmbedder.from_preset("mobilefacenet").backbone)
    trainer = xcos_tf.Trainer(
        network, people, teacher="mobilefacenet", frozen_until="block_12_project"
    )
    trainer.compile(keras.optimizers.Adam(1e-3))
    flip = keras.layers.RandomFlip("horizontal", seed=1)
    train = read(args.faces, "training", args.batch).map(lambda x, y: (flip(x, training=True), y))
    best, keep = str(args.out / "best.keras"), {"mode": "min", "save_best_only": True}
    args.out.mkdir(parents=True, exist_ok=True)
    callbacks = [
        keras.callbacks.BackupAndRestore(str(args.out / "backup")),
        keras.callbacks.ModelCheckpoint(best, monitor="val_learned", **keep),
        keras.callbacks.CSVLogger(str(args.out / "epochs.csv"), append=True),
        keras.callbacks.TensorBoard(str(args.out / "tensorboard")),
    ]
    validation = read(args.faces, "validation", args.batch)
    trainer.fit(train, validation_data=validation, epochs=args.epochs, callbacks=callbacks)
    keras.models.load_model(best).network.save_to_preset(args.out / "preset")
    return 0


if __name__ == "__main__":
    sys.exit(main())
