"""Two photos in, an explained verdict out: the one class that most users meet."""

import os
from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from xcos_tf.data.aligner import AlignedFace, FaceAligner, read_faces
from xcos_tf.data.photo import photo_name, read_photo
from xcos_tf.errors import XcosError
from xcos_tf.models.preset_folder import DEFAULT_PRESET, whatif_file
from xcos_tf.models.preset_threshold import DEFAULT_FMR, PLAIN_COSINE, preset_threshold
from xcos_tf.runtime.lite_model import LiteModel
from xcos_tf.runtime.loading import Runtime, load_runtime
from xcos_tf.runtime.whatif import load_whatif, score_drops
from xcos_tf.templates import Gallery, Template, Verification, as_float32, fixed_weight_scores

if TYPE_CHECKING:
    from xcos_tf.models.network import FaceEmbedder, XCos
    from xcos_tf.models.presets import Preset

PAIR_BLOCK = 2048


class Verifier:
    """Says whether two photos show the same person, and why.

    Photos are paths, encoded bytes, PIL images, or uint8 RGB arrays (H, W, 3). The backbone runs
    once for each photo; a `Template` can then be compared any number of times.
    """

    def __init__(self, preset: "Preset | Runtime", face: str = "largest-central"):
        """Wrap what `load_preset` or `load_runtime` returned.

        `face` says which face of a photo counts, see `choose_face`.
        """
        if not isinstance(preset, Runtime):
            from xcos_tf.runtime.keras import KerasRuntime

            preset = KerasRuntime(preset)
        self.runtime = preset
        self.config = self.runtime.config
        self._face_rule = face

    @classmethod
    def from_preset(
        cls,
        name_or_folder: str | os.PathLike = DEFAULT_PRESET,
        face: str = "largest-central",
        runtime: str = "auto",
    ) -> "Verifier":
        """Load a bundled preset by name or any preset by folder.

        Args:
            name_or_folder: see `find_preset`.
            face: see `__init__`.
            runtime: "litert", "tensorflow", or "auto", which is LiteRT for a preset with TFLite
                files, as the bundled ones are, on a machine without a GPU, and else TensorFlow.

        Raises:
            XcosError: see `load_runtime` and `load_preset`.
        """
        return cls(load_runtime(name_or_folder, runtime), face)

    @classmethod
    def from_export(
        cls,
        folder: str | os.PathLike,
        variant: str = "float32",
        threads: int = 1,
        identity: str | None = None,
    ) -> "Verifier":
        """Load what `xcos export --to tflite` wrote, as a phone would; see `LiteRuntime`.

        Args:
            folder: of the files of variants such as "float32" and "int8".
            variant: which of them.
            threads: that an interpreter may use.
            identity: `LiteRuntime.identity` that the files must have.

        Raises:
            XcosError: there is no such variant, or its files cannot be used.
        """
        from xcos_tf.runtime.litert import LiteRuntime

        return cls(LiteRuntime.from_folder(folder, variant, threads, identity))

    @property
    def network(self) -> "FaceEmbedder | XCos":
        """The Keras network. From when it is asked for, the verifier computes by it.

        Raises:
            XcosError: TensorFlow is not installed, or the verifier is of exported files.
        """
        if not hasattr(self.runtime, "network"):
            if self.runtime.preset is None:
                raise XcosError(
                    "exported files have no Keras network; load the preset that they were made of"
                )
            self.runtime = load_runtime(self.runtime.preset, "tensorflow")
        return self.runtime.network

    @property
    def attentions(self) -> tuple[str, ...]:
        """What the preset can score by; the last is the default."""
        return self.runtime.attentions

    @property
    def explains(self) -> bool:
        """Whether the preset has a grid, and so maps."""
        return self.attentions != (PLAIN_COSINE,)

    @cached_property
    def _aligner(self) -> FaceAligner:
        return FaceAligner(rule=self._face_rule)

    def checked(self, attention: str | None) -> str:
        """Return an attention's name, the preset's last one for None.

        Raises:
            XcosError: the preset has no such attention.
        """
        if attention is None:
            return self.attentions[-1]
        if not self.explains and attention != PLAIN_COSINE:
            raise XcosError(
                f"the preset {self.config['name']!r} has one score, a plain cosine, and no "
                "attention to choose; leave the attention out, or use an xCos preset"
            )
        if attention not in self.attentions:
            raise XcosError(
                f"the preset {self.config['name']!r} has no attention {attention!r}; use one of "
                f"{', '.join(self.attentions)}"
            )
        return attention

    def threshold(self, attention: str | None = None, fmr: float = DEFAULT_FMR) -> float:
        """Return the threshold at a false match rate measured on validation people.

        Raises:
            XcosError: the preset has none for this rate.
        """
        return preset_threshold(self.config, self.checked(attention), fmr)

    def enroll(self, photo, aligned: bool = False) -> Template:
        """Make a template of the face in a photo, which may be `aligned` already, 112×112.

        Raises:
            XcosError: the photo cannot be read, or shows no face, or is not 112×112 as promised.
        """
        return self._enroll([photo], aligned, ["the photo"])[0]

    def _enroll(self, photos: list, aligned: bool, names: list[str]) -> list[Template]:
        """Make templates of photos, all in one run of the detector and of the backbone."""
        if not photos:
            return []
        return self._templates(read_faces(photos, lambda: self._aligner, aligned, names))

    def _templates(self, faces: list[AlignedFace]) -> list[Template]:
        features = self.embed(np.stack([face.image for face in faces]))
        return [
            Template(feature, x.image, x.faces_found, self._digest, x.turned, x.face)
            for feature, x in zip(features, faces, strict=True)
        ]

    def enroll_all(self, photo) -> list[Template]:
        """Make a template of each face in a photo, from left to right; see `enroll`."""
        pixels = read_photo(photo)
        faces = self._aligner.align_all(pixels)
        if not faces:  # it is turned, or there is none, which is said
            return self._enroll([pixels], False, [photo_name(photo, "the photo")])
        return self._templates(faces)

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Run the backbone on aligned faces, uint8 (N, 112, 112, 3) RGB; N may be 0.

        Returns:
            float32, grid features (N, h, w, c), or embeddings (N, dimension) of a plain preset.

        Raises:
            XcosError: a feature is not finite, since the preset's weights are too large.
            ValueError: an array of another shape or type.
        """
        faces, expected = np.asarray(faces), self.runtime.face_shape
        if not len(faces):
            return np.empty((0, *self.runtime.feature_shape), np.float32)
        if faces.dtype != np.uint8 or faces.shape[1:] != expected:
            raise ValueError(
                f"Expected `faces` as uint8 (N, {', '.join(map(str, expected))}). "
                f"Received: faces.shape={faces.shape}, faces.dtype={faces.dtype}"
            )
        features = self.runtime.embed(faces)
        if not np.isfinite(features).all():
            raise XcosError(
                f"the preset {self.config['name']!r} makes features that are not finite, though "
                "its weights are; get the preset again"
            )
        return features

    def verify(
        self,
        a,
        b,
        attention: str | None = None,
        fmr: float = DEFAULT_FMR,
        threshold: float | None = None,
        aligned: bool = False,
    ) -> Verification:
        """Compare two photos (or templates) and explain the score.

        Args:
            a, b: photos as `enroll` takes them, or templates.
            attention: "patched", "correlated" or "learned" (default).
            fmr: picks the preset's threshold at this false match rate.
            threshold: overrides `fmr`.
            aligned: whether the photos are aligned faces.

        Raises:
            XcosError: as `enroll` and `threshold` do, or a template is of another preset.
        """
        attention = self.checked(attention)
        if threshold is None:
            threshold = self.threshold(attention, fmr)
        photos = {"the first photo": a, "the second photo": b}
        photos = {name: x for name, x in photos.items() if not isinstance(x, Template)}
        made = iter(self._enroll(list(photos.values()), aligned, list(photos)))
        templates = [x if isinstance(x, Template) else next(made) for x in (a, b)]
        features = [self._gallery(template).features for template in templates]
        if attention == PLAIN_COSINE:
            score, maps = float(self.compare_pairs(*features, attention)[0]), (None, None)
        else:
            outputs = self.explain_pairs(*features, attention)
            score = float(outputs["xcos"][0])
            maps = (outputs["similarity_map"][0], outputs["attention_map"][0])
        preset, whatif = self.runtime.preset, None
        if preset is not None and whatif_file(preset).is_file():
            whatif = partial(self.score_drops, *features, attention)
        return Verification(
            bool(score >= threshold), score, threshold, attention, *maps, *templates, whatif
        )

    def compare(
        self,
        templates_a: Template | Sequence[Template] | Gallery,
        templates_b: Template | Sequence[Template] | Gallery,
        attention: str | None = None,
    ) -> np.ndarray:
        """Score all pairs of two groups of templates without running the backbone again.

        A `Gallery` keeps its normalised features, so comparing with it repeatedly is fastest.

        Returns:
            float32 (N, M), xCos of each of the first group with each of the second; either may be
            empty.

        Raises:
            XcosError: the templates are of another preset, or this has no such attention.
        """
        attention = self.checked(attention)
        a, b = self._gallery(templates_a), self._gallery(templates_b)
        if attention != "learned":
            return fixed_weight_scores(a, b, self.fixed_weights(attention))
        scores = np.empty(len(a) * len(b), np.float32)
        for start in range(0, len(scores), PAIR_BLOCK):
            pairs = np.arange(start, min(start + PAIR_BLOCK, len(scores)))
            first, second = np.divmod(pairs, len(b))
            found = self.runtime.compare(attention, a.features[first], b.features[second])
            scores[pairs] = found["xcos"]
        return scores.reshape(len(a), len(b))

    def explain_pairs(
        self, grids_a: np.ndarray, grids_b: np.ndarray, attention: str | None = None
    ) -> dict[str, np.ndarray]:
        """Score and explain pairs of grid features, float32 (P, h, w, c), one to one.

        Returns:
            float32 `xcos` (P,), `similarity_map` (P, h, w) and `attention_map` (P, h, w).

        Raises:
            XcosError: the preset has no such attention, or no grid.
            ValueError: the arrays are of other shapes.
        """
        attention = self._with_maps(attention)
        outputs = self.runtime.compare(attention, *self._pairs(grids_a, grids_b))
        if not np.isfinite(outputs["xcos"]).all():
            raise XcosError(
                "the grid features give a score that is not finite; make them anew with this preset"
            )
        return outputs

    def score_drops(
        self, grids_a: np.ndarray, grids_b: np.ndarray, attention: str | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how much the score of each pair would drop if one cell of one face were covered.

        No face is covered: the preset's model guesses what the grid would be, and the score of it
        is computed anew, with its attention map; see `xcos_tf.runtime.whatif`.

        Args:
            grids_a, grids_b: float32 (P, h, w, c).

        Returns:
            Two maps of each pair, float32 (P, h, w): of A, B being as it is, and of B.

        Raises:
            XcosError: the preset has no such attention, no grid, or no model of that.
            ValueError: the arrays are of other shapes.
        """
        attention = self._with_maps(attention)
        return score_drops(
            self.runtime, self._whatif_model, attention, *self._pairs(grids_a, grids_b)
        )

    @cached_property
    def _whatif_model(self) -> LiteModel:
        return load_whatif(self.runtime.preset, self.config, self.runtime.feature_shape)

    def compare_pairs(
        self, features_a: np.ndarray, features_b: np.ndarray, attention: str | None = None
    ) -> np.ndarray:
        """Return the scores, float32 (P,), of pairs one to one; P may be 0.

        Features are float32 (P, h, w, c), or (P, dimension) of a plain preset.

        Raises:
            XcosError: the preset has no such attention.
            ValueError: the arrays are of other shapes.
        """
        attention = self.checked(attention)
        features_a, features_b = self._pairs(features_a, features_b)
        if attention == PLAIN_COSINE:
            a, b = Gallery(features_a).normalised, Gallery(features_b).normalised
            return (a * b).sum(axis=(1, 2))
        blocks = [slice(i, i + PAIR_BLOCK) for i in range(0, len(features_a), PAIR_BLOCK)]
        scores = [
            self.runtime.compare(attention, features_a[x], features_b[x])["xcos"] for x in blocks
        ]
        return np.concatenate([np.empty(0, np.float32), *scores])

    def _with_maps(self, attention: str | None) -> str:
        """Return an attention's name as `checked` does, and refuse a preset without a grid."""
        attention = self.checked(attention)
        if attention == PLAIN_COSINE:
            raise XcosError(
                f"the preset {self.config['name']!r} has no maps to explain; use an xCos preset"
            )
        return attention

    @property
    def _digest(self) -> str | None:
        return self.config.get("weights", {}).get("sha256")

    def check_templates(self, templates: Template | Sequence[Template]) -> None:
        """Raise XcosError unless all templates were made by this preset."""
        self._gallery(templates)

    def _gallery(self, templates: Template | Sequence[Template] | Gallery) -> Gallery:
        """Return templates of this preset as a gallery, and refuse those of another."""
        gallery = Gallery.of(templates)
        if not len(gallery):
            return Gallery(np.empty((0, *self.runtime.feature_shape)))
        other = gallery.preset and self._digest and gallery.preset != self._digest
        if other or gallery.features.shape[1:] != self.runtime.feature_shape:
            raise XcosError(
                f"the templates were made by another preset than {self.config['name']!r}, and "
                "those of two presets cannot be compared; enroll the photos with this one"
            )
        return gallery

    def _pairs(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the features of P pairs, each float32 (P, …) as this preset makes them."""
        arrays = tuple(as_float32(x, name) for x, name in ((a, "a"), (b, "b")))
        expected = (len(arrays[0]), *self.runtime.feature_shape)
        if not len(arrays[0]) and not len(arrays[1]):
            return (np.empty(expected, np.float32),) * 2
        if any(array.shape != expected for array in arrays):
            raise ValueError(
                f"Expected two arrays of features of shape (P, {str(expected[1:])[1:]}. "
                f"Received: {arrays[0].shape}, {arrays[1].shape}"
            )
        return arrays

    def fixed_weights(self, attention: str) -> np.ndarray:
        """Return U or P, float32 (h, w) that sums to 1; one 1 of a plain preset."""
        if attention == PLAIN_COSINE:
            return np.ones(1, np.float32)
        zero = np.zeros((1, *self.runtime.feature_shape), np.float32)
        return self.runtime.compare(attention, zero, zero)["attention_map"][0]
