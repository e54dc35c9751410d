"""Work on a Ray cluster, which does the jobs of a machine that fails again elsewhere."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from xcos_tf.errors import XcosError, explained, extra, shown

_ADVICE = "check the address, and that the cluster runs"


@dataclass(frozen=True)
class _Box:
    """A cell of a table that Ray does not look into."""

    content: Any


class _Worker:
    """What `ray.data` calls with a batch of one row."""

    def __init__(self, make: Callable[[], Callable], folder: str):
        self._make, self._do, self._folder = make, None, folder

    def __call__(self, batch: dict) -> dict:
        try:
            if self._do is None:
                with contextlib.suppress(OSError):
                    os.chdir(self._folder)  # to which paths are relative
                self._do = self._make()
            done = self._do(batch["job"][0].content)
        except XcosError as error:
            done = error
        return {"done": [_Box(done)]}


def connect(address: str) -> None:
    """Connect to a cluster, unless that was done before.

    Args:
        address: such as `ray://head:10001` or `auto`.

    Raises:
        XcosError: Ray is not installed, or there is no such cluster.
    """
    with extra("cluster", "a Ray cluster"):
        import ray
    os.environ.setdefault("RAY_DATA_USAGE_DISABLED", "1")  # else Ray reports on the work
    with explained(
        f"there is no Ray cluster at {shown(address)}", _ADVICE, (OSError, RuntimeError, ValueError)
    ):
        if address != "auto":  # Ray would try for minutes where nobody answers
            place = urlsplit(address if "://" in address else f"ray://{address}")
            socket.create_connection((place.hostname or "", place.port or 10001), 10).close()
        ray.init(address, ignore_reinit_error=True, log_to_driver=False)


def done_on_ray(address: str, make: Callable[[], Callable], jobs: Sequence) -> Iterator:
    """Yield what came of each job, in no order.

    Args:
        address: as that of `connect`.
        make: called once by each worker, for what does a job; both can be pickled.
        jobs: of any kind; every machine sees the files that they name under the same paths.

    Raises:
        XcosError: as by `connect`; a job raised one; or the cluster gave up.
    """
    connect(address)
    if not jobs:
        return
    import ray.data

    rows = ray.data.from_items([{"job": _Box(job)} for job in jobs], override_num_blocks=len(jobs))
    done = rows.map_batches(
        _Worker,
        fn_constructor_args=(make, os.getcwd()),
        batch_size=1,
        concurrency=(1, len(jobs)),
        num_cpus=1,
    )
    try:
        for row in done.iter_rows():
            if isinstance(row["done"].content, XcosError):
                raise row["done"].content
            yield row["done"].content
    except ray.exceptions.RayError as error:
        raise XcosError(
            f"the Ray cluster gave up ({shown(str(error).splitlines()[0])}); start again with the "
            "same command, which goes on from here"
        ) from None
