"""Train the model of a configuration by Keras's `compile` and `fit`.

    python tools/train_fit.py configs/xcos-mobilefacenet.yaml --data PREPARED --out runs/fit

Does what `xcos train` does, step by step the same, and shows where callbacks of one's own go.
"""

import argparse
import sys
from pathlib import Path

from xcos_tf.errors import XcosError


def drive(run) -> int:
    """Fit a `Run`'s trainer, epoch by epoch, from its newest checkpoint; returns the steps made."""
    from tensorflow import keras

    from xcos_tf.training.callbacks import KeepCheckpoints

    trainer = run.assembly.trainer
    step = run.checkpoints.restore(trainer)
    with run.watched() as after_step:
        keeper = KeepCheckpoints(run.checkpoints, run.cadence, after_step)
        callbacks = [
            keeper,
            # Any of Keras's or your own; these two as examples.
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.CSVLogger(run.folder / "epochs.csv", append=True),
        ]
        while step < run.steps and not trainer.stop_training:
            epoch = step // run.steps_per_epoch
            end = min((epoch + 1) * run.steps_per_epoch, run.steps)
            trainer.fit(
                run.dataset(step, end, range(run.groups), run.groups),
                initial_epoch=epoch,
                epochs=epoch + 1,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,  # the run's own bar shows more
            )
            step = keeper.step
    return step


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configs", type=Path, nargs="+", help="YAML files, see configs/")
    parser.add_argument("--data", type=Path, required=True, help="holds the prepared sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    args = parser.parse_args(argv)
    try:
        from xcos_tf.explain.correlation_figure import preset_pictures
        from xcos_tf.training.run import train

        return train(args.configs, args.data, args.out, drive, preset_pictures)
    except XcosError as error:
        print(f"train_fit: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("train_fit: interrupted; the same command goes on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
