"""Enrolled people, and who of them a face may be: candidates by an index, then L on the best."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass

import numpy as np

from xcos_tf.errors import XcosError, shown
from xcos_tf.models.preset_folder import DEFAULT_PRESET, find_preset
from xcos_tf.models.preset_threshold import PLAIN_COSINE
from xcos_tf.search.entries import (
    Backend,
    Entry,
    Settings,
    check_name,
    entry_of,
    queries,
    read_face,
)
from xcos_tf.search.thresholds import search_threshold
from xcos_tf.templates import Template
from xcos_tf.verifier import Verification, Verifier

CANDIDATES = 100
"""Faces that the index gives, of which the preset's own score decides."""

MOST = 500
"""People that a search gives at most."""

_TRIES = 5
"""Times that a search begins anew, since all its candidates were forgotten meanwhile."""

POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True)
class Hit:
    """An enrolled person whom a face may be.

    Attributes:
        person: their name.
        photo: of their faces, the one with the greatest score.
        verification: of the face that was searched and this one; true if they are the same.
    """

    person: str
    photo: str
    verification: Verification

    @property
    def score(self) -> float:
        """XCos, or the cosine of a plain preset."""
        return self.verification.score

    def __bool__(self) -> bool:
        return self.verification.same


class FaceStore(AbstractContextManager):
    """People's faces, kept in a folder or in PostgreSQL, to be searched.

    It is a context manager, goes through its people when it is iterated over, and its length is
    its number of faces.

    Attributes:
        verifier: of the preset that all faces went through.
        preset: the bundled name or the folder of it.
        settings: of the store.
    """

    def __init__(self, backend: Backend, verifier: Verifier, preset: str | os.PathLike):
        """Use `open` instead."""
        self._backend, self.verifier, self.preset = backend, verifier, preset
        self.settings = backend.settings
        weights = verifier.config["weights"]["sha256"]
        if (weights, verifier.runtime.feature_shape) != (
            self.settings.weights,
            self.settings.shape,
        ):
            raise XcosError(
                f"the store {backend.name} holds faces by other weights (preset "
                f"{shown(self.settings.preset)!r}) than those of the preset "
                f"{verifier.config['name']!r}; name that preset, or enroll into a new store"
            )

    @classmethod
    def open(
        cls,
        url: str | os.PathLike,
        preset: str | os.PathLike | None = None,
        face: str = "largest-central",
        create: bool = False,
        write: bool = False,
    ) -> "FaceStore":
        """Open a store.

        Args:
            url: a folder, or `postgresql://USER@HOST/DATABASE` as libpq takes it.
            preset: bundled name or folder (default: the store's own; the default preset for a new
                one).
            face: which face of a photo counts; see `choose_face`.
            create: whether to make it if there is none.
            write: whether to enroll or to forget people; one process at a time may, in a folder.

        Raises:
            XcosError: there is none, it cannot be used, it is of another preset or of a newer
                version, or the preset cannot be used.
        """
        find_preset(preset or DEFAULT_PRESET)  # a typing error makes no store
        loaded = []

        def settings() -> Settings:
            loaded.append(Verifier.from_preset(preset or DEFAULT_PRESET, face=face))
            config, shape = loaded[0].config, loaded[0].runtime.feature_shape
            name = os.fspath(preset or DEFAULT_PRESET)
            return Settings(name, config["weights"]["sha256"], shape)

        backend = open_backend(url, settings if create else None, create or write)
        try:
            preset = preset or backend.settings.preset
            verifier = loaded[0] if loaded else Verifier.from_preset(preset, face=face)
            return cls(backend, verifier, preset)
        except BaseException:
            backend.close()
            raise

    def __exit__(self, *error) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._backend)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Go through the people, by name: (person, number of faces)."""
        return iter(self._backend.people())

    def close(self) -> None:
        """Let go of files and connections."""
        self._backend.close()

    def known(self, photos) -> set[tuple[str, str]]:
        """Return those (person, photo) that are enrolled."""
        return self._backend.known(photos)

    def enroll(self, person: str, photo, name: str | None = None, aligned: bool = False) -> bool:
        """Enroll a photo of a person, and return whether it was new.

        Args:
            person: their name.
            photo: as `Verifier.enroll` takes it, or a `Template`.
            name: of the photo, among this person's; its path by default. A photo of a name that is
                enrolled already is passed over.
            aligned: whether the photo is a face that is aligned already.

        Raises:
            XcosError: the photo cannot be used, has no name, or the store cannot be written.
        """
        if name is None:
            if not isinstance(photo, (str, os.PathLike)):
                raise XcosError("a photo without a path has no name; give it one with `name`")
            name = os.fspath(photo)
        names = check_name(person, "a person"), check_name(name, "a photo")
        return bool(self.add([entry_of(*names, self._template(photo, aligned))]))

    def add(self, entries: Sequence[Entry]) -> int:
        """Keep faces, all of them or none, and return how many are new."""
        return self._backend.add(entries)

    def finish(self) -> None:
        """Make the index of a large store ready, once many faces were added."""
        self._backend.finish()

    def forget(self, person: str) -> int:
        """Remove a person for good, and return how many faces that were.

        Raises:
            XcosError: there is no such person.
        """
        return _forget(self._backend, person)

    def find(
        self,
        photo,
        top: int = 5,
        attention: str | None = None,
        fmr: float | None = None,
        threshold: float | None = None,
        aligned: bool = False,
    ) -> list[Hit]:
        """Return the people whom a face may be, the likeliest first.

        The index gives `CANDIDATES` faces by P, or U where the preset has no P; of these the
        attention's own score decides. Each person comes with their best face.

        Args:
            photo: as `Verifier.enroll` takes it, or a `Template`.
            top: the most people.
            attention: by which to decide; the preset's last by default.
            fmr: decides by the preset's threshold for pairs at this false match rate. By default
                the threshold is one for searches: see `search_threshold`.
            threshold: decides instead.
            aligned: whether the photo is a face that is aligned already.

        Raises:
            XcosError: the store is empty, the photo cannot be used, or the preset has no such
                attention or threshold.
            ValueError: `top` is not from 1 to `MOST`.
        """
        if not 1 <= top <= MOST:
            raise ValueError(f"Expected `top` to be from 1 to {MOST}. Received: {top=}")
        faces = self._count()
        attention = attention or self.verifier.attentions[-1]
        if threshold is None:
            threshold = (
                search_threshold(self.verifier.config, attention, faces)
                if fmr is None
                else self.verifier.threshold(attention, fmr)
            )
        probe = self._template(photo, aligned)
        wanted = max(CANDIDATES, 2 * top)
        weights = weights_of(self.verifier, candidate_score(self.verifier))
        query = queries(probe.feature[None], weights)
        for _ in range(_TRIES):
            entries = self._backend.read(self._backend.nearest(query, wanted)[0])
            if entries:
                return self._judge(probe, entries, attention, threshold, top)
            self._count()  # all were forgotten meanwhile: others may be left
        raise XcosError(
            f"what {self._backend.name} keeps does not fit its index; enroll the people into a new "
            "store"
        )

    def _count(self) -> int:
        """Return the number of faces, which is not 0, or raise an XcosError."""
        if count := len(self):
            return count
        raise XcosError(
            f"the store {self._backend.name} is empty; enroll people with `xcos enroll`"
        )

    def _template(self, photo, aligned: bool) -> Template:
        if not isinstance(photo, Template):
            return self.verifier.enroll(photo, aligned)
        self.verifier.check_templates(photo)
        return photo

    def _judge(self, probe, entries, attention, threshold, top) -> list[Hit]:
        features = np.stack([entry.feature for entry in entries])
        probes = np.broadcast_to(probe.feature, features.shape)
        scores = self.verifier.compare_pairs(probes, features, attention)
        best: dict[str, Entry] = {}
        for i in np.argsort(-scores, kind="stable"):
            best.setdefault(entries[i].person, entries[i])
        return [
            Hit(
                entry.person,
                entry.photo,
                self.verifier.verify(
                    probe,
                    Template(entry.feature, read_face(entry.face), preset=probe.preset),
                    attention,
                    threshold=threshold,
                ),
            )
            for entry in list(best.values())[:top]
        ]


def candidate_score(verifier: Verifier) -> str:
    """Return the score that candidates are found by: P, or U where there is no P, or the cosine."""
    if not verifier.explains:
        return PLAIN_COSINE
    return "correlated" if "correlated" in verifier.attentions else "patched"


def weights_of(verifier: Verifier, score: str) -> np.ndarray:
    """Return W of a score that is the same for every pair; a preset need not have U to use it."""
    if score in verifier.attentions:
        return verifier.fixed_weights(score)
    cells = math.prod(verifier.runtime.feature_shape[:-1])
    return np.full(cells, 1 / cells)


def open_backend(
    url: str | os.PathLike, new: Callable[[], Settings] | None = None, write: bool = False
) -> Backend:
    """Open where a store's faces are; see `FaceStore.open`.

    Args:
        url: of the store.
        new: gives its settings, if it is to be made where there is none.
        write: whether it will be written to.
    """
    if str(url).startswith(POSTGRES):
        from xcos_tf.search.postgres import PostgresBackend

        return PostgresBackend(str(url), new)
    if "://" in str(url):
        raise XcosError(
            f"{shown(url)} is no store; give a folder, or postgresql://USER@HOST/DATABASE"
        )
    from xcos_tf.search.folder import FolderBackend

    return FolderBackend(url, new, write)


def forget(url: str | os.PathLike, person: str) -> int:
    """Remove a person from a store, without loading its preset; see `FaceStore.forget`."""
    with closing(open_backend(url, write=True)) as backend:
        return _forget(backend, person)


def _forget(backend: Backend, person: str) -> int:
    count = backend.forget(check_name(person, "a person"))
    if not count:
        raise XcosError(f"there is no {shown(repr(person))} in {backend.name}; check the name")
    return count
