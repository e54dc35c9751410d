"""Enrolling on a Ray cluster: photos in, entries out, whatever machine fails meanwhile."""

import socket
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from xcos_tf.errors import XcosError, explained, extra, shown
from xcos_tf.search.batches import Batch, BatchMaker, Photo
from xcos_tf.verifier import Verifier

_ADVICE = "check the address, and that the cluster runs"


class _Worker:
    """What `ray.data` calls with a batch of one row."""

    def __init__(self, preset: str, rule: str, aligned: bool):
        self._make = BatchMaker(Verifier.from_preset(preset), rule, aligned)

    def __call__(self, batch: dict) -> dict:
        return {"batch": [self._make(photos) for photos in batch["photos"]]}


def batches_on_ray(
    address: str, chunks: Sequence[list[Photo]], options: tuple[str, str, bool]
) -> Iterator[Batch]:
    """Make batches on a cluster, which does those of a machine that fails again elsewhere.

    Args:
        address: of the cluster, such as `ray://head:10001` or `auto`.
        chunks: photos of each batch; every machine reads them under the same paths.
        options: preset, rule and whether the photos are aligned, as `BatchMaker` takes them.

    Raises:
        XcosError: Ray is not installed, or there is no such cluster.
    """
    with extra("cluster", "a Ray cluster"):
        import ray
        import ray.data
    with explained(
        f"there is no Ray cluster at {shown(address)}", _ADVICE, (OSError, RuntimeError, ValueError)
    ):
        _check_answers(address)
        ray.init(address, ignore_reinit_error=True, log_to_driver=False)
    if not chunks:
        return
    rows = ray.data.from_items(
        [{"photos": chunk} for chunk in chunks], override_num_blocks=len(chunks)
    )
    made = rows.map_batches(
        _Worker, fn_constructor_args=options, batch_size=1, concurrency=(1, len(chunks)), num_cpus=1
    )
    try:
        for row in made.iter_rows():
            yield row["batch"]
    except ray.exceptions.RayError as error:
        raise XcosError(
            f"the Ray cluster gave up ({shown(str(error).splitlines()[0])}); start again with the "
            "same command, which goes on from here"
        ) from None


def _check_answers(address: str) -> None:
    """Raise OSError or ValueError unless somebody answers: Ray would try for minutes."""
    place = urlsplit(address if "://" in address else f"ray://{address}")
    if address != "auto":
        socket.create_connection((place.hostname or "", place.port or 10001), 10).close()
