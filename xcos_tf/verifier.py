"""Two photos in, an explained verdict out: the one class that most users meet."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import tensorflow as tf

from xcos_tf.arrays import as_float32
from xcos_tf.data.aligner import FaceAligner, read_face
from xcos_tf.environment import check_process
from xcos_tf.errors import XcosError
from xcos_tf.models.comparison import PLAIN_COSINE
from xcos_tf.models.normalisation import normalise_pixels
from xcos_tf.models.preset_threshold import DEFAULT_FMR, preset_threshold
from xcos_tf.models.presets import Preset, load_preset
from xcos_tf.templates import Gallery, Template, fixed_weight_scores

DEFAULT_PRESET = "xcos-mobilefacenet"
PAIR_BLOCK = 2048


@dataclass(frozen=True)
class Verification:
    """The verdict on a pair of faces, and its explanation. It is true if they are `same`.

    Attributes:
        same: whether the score reaches the threshold.
        score: xCos, in [−1, 1]; the plain cosine for a preset without a grid.
        threshold: what `score` was held against.
        attention: "patched", "correlated" or "learned"; "cosine" for a preset without a grid.
        similarity_map: S, float32 (h, w) in [−1, 1]; None for a preset without a grid.
        attention_map: W, float32 (h, w), which sums to 1; None likewise. score = Σ S·W.
        template_a, template_b: the two faces.
    """

    same: bool
    score: float
    threshold: float
    attention: str
    similarity_map: np.ndarray | None
    attention_map: np.ndarray | None
    template_a: Template
    template_b: Template

    def __bool__(self) -> bool:
        return self.same

    @property
    def sentence(self) -> str:
        """Which parts of the faces agree, which do not, and how much those counted."""
        if self.similarity_map is None:
            return "this preset gives a score without an explanation"
        from xcos_tf.explain.words import describe_maps

        return describe_maps(self.similarity_map, self.attention_map)


class Verifier:
    """Says whether two photos show the same person, and why.

    Photos are paths, encoded bytes, PIL images, or uint8 RGB arrays (H, W, 3). The backbone runs
    once for each photo; a `Template` can then be compared any number of times.
    """

    def __init__(self, preset: Preset, face: str = "largest-central"):
        """Wrap a loaded preset; `face` says which face of a photo counts (see `choose_face`)."""
        self.config = preset.config
        self.network = preset.network
        self._face_rule = face
        self._compiled = {}

    @classmethod
    def from_preset(
        cls, name_or_folder: str | os.PathLike = DEFAULT_PRESET, face: str = "largest-central"
    ) -> "Verifier":
        """Load a bundled preset by name or any preset by folder; see `load_preset` for errors."""
        return cls(load_preset(name_or_folder), face)

    @property
    def attentions(self) -> tuple[str, ...]:
        """What the preset can score by; the last is the default."""
        return tuple(self.network.comparisons)

    @cached_property
    def _aligner(self) -> FaceAligner:
        return FaceAligner(rule=self._face_rule)

    def threshold(self, attention: str | None = None, fmr: float = DEFAULT_FMR) -> float:
        """Return the preset's threshold at a false match rate measured on validation people.

        Raises:
            XcosError: the preset has no threshold for this rate.
        """
        return preset_threshold(self.config, self._attention(attention), fmr)

    def enroll(self, photo, aligned: bool = False) -> Template:
        """Make a template of the face in a photo.

        Args:
            photo: path, bytes, PIL image or uint8 RGB array.
            aligned: whether the photo is a face that is aligned already, 112×112.

        Raises:
            XcosError: the photo cannot be read, or shows no face, or is not 112×112 as promised.
        """
        return self._enroll(photo, aligned, "the photo")

    def _enroll(self, photo, aligned: bool, name: str) -> Template:
        face = read_face(photo, lambda: self._aligner, aligned, name)
        feature = self.embed(face.image[np.newaxis])[0]
        return Template(feature, face.image, face.faces_found, self._digest, face.turned)

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Run the backbone on aligned faces.

        Args:
            faces: uint8 (N, 112, 112, 3) RGB; N may be 0.

        Returns:
            float32, grid features (N, h, w, c), or embeddings (N, dimension) of a plain preset.

        Raises:
            XcosError: a feature is not finite, since the preset's weights are too large.
            ValueError: an array of another shape or type.
        """
        faces, model = np.asarray(faces), self.network.features
        if not len(faces):
            return np.empty((0, *self._feature_shape), np.float32)
        expected = model.input_shape[1:]
        if faces.dtype != np.uint8 or faces.shape[1:] != expected:
            raise ValueError(
                f"Expected `faces` as uint8 (N, {', '.join(map(str, expected))}). "
                f"Received: faces.shape={faces.shape}, faces.dtype={faces.dtype}"
            )
        faces = tf.constant(faces)
        features = self._run("embed", lambda images: model(normalise_pixels(images)), faces).numpy()
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
        attention = self._attention(attention)
        if threshold is None:
            threshold = self.threshold(attention, fmr)
        templates = [
            photo if isinstance(photo, Template) else self._enroll(photo, aligned, name)
            for photo, name in ((a, "the first photo"), (b, "the second photo"))
        ]
        features = [self._gallery(template).features for template in templates]
        if attention == PLAIN_COSINE:
            score, maps = float(self.compare_pairs(*features, attention)[0]), (None, None)
        else:
            outputs = self.explain_pairs(*features, attention)
            score = float(outputs["xcos"][0])
            maps = (outputs["similarity_map"][0], outputs["attention_map"][0])
        return Verification(
            bool(score >= threshold), score, threshold, attention, *maps, *templates
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
        attention = self._attention(attention)
        a, b = self._gallery(templates_a), self._gallery(templates_b)
        if attention != "learned":
            return fixed_weight_scores(a, b, self._fixed_weights(attention))
        scores = np.empty((len(a), len(b)), np.float32)
        for i in range(len(a)):
            for start in range(0, len(b), PAIR_BLOCK):
                block = b.features[start : start + PAIR_BLOCK]
                first = np.broadcast_to(a.features[i], block.shape)
                scores[i, start : start + len(block)] = self._compare_grids(
                    attention, first, block
                )["xcos"]
        return scores

    def explain_pairs(
        self, grids_a: np.ndarray, grids_b: np.ndarray, attention: str | None = None
    ) -> dict[str, np.ndarray]:
        """Score and explain pairs of grid features, one to one.

        Args:
            grids_a, grids_b: float32 (P, h, w, c); P may be 0.

        Returns:
            float32 `xcos` (P,), `similarity_map` (P, h, w) and `attention_map` (P, h, w).

        Raises:
            XcosError: the preset has no such attention, or no grid.
            ValueError: the arrays are of other shapes.
        """
        attention = self._attention(attention)
        if attention == PLAIN_COSINE:
            raise XcosError(
                f"the preset {self.config['name']!r} has no maps to explain; use an xCos preset"
            )
        outputs = self._compare_grids(attention, *self._pairs(grids_a, grids_b))
        return {name: value.numpy() for name, value in outputs.items()}

    def compare_pairs(
        self, features_a: np.ndarray, features_b: np.ndarray, attention: str | None = None
    ) -> np.ndarray:
        """Score pairs one to one.

        Args:
            features_a, features_b: float32 (P, h, w, c), or (P, dimension) of a plain preset; P
                may be 0.

        Returns:
            float32 (P,).

        Raises:
            XcosError: the preset has no such attention.
            ValueError: the arrays are of other shapes.
        """
        attention = self._attention(attention)
        features_a, features_b = self._pairs(features_a, features_b)
        if attention == PLAIN_COSINE:
            a, b = Gallery(features_a).normalised, Gallery(features_b).normalised
            return (a * b).sum(axis=(1, 2))
        blocks = [
            self._compare_grids(
                attention, features_a[i : i + PAIR_BLOCK], features_b[i : i + PAIR_BLOCK]
            )["xcos"].numpy()
            for i in range(0, len(features_a), PAIR_BLOCK)
        ]
        return np.concatenate([np.empty(0, np.float32), *blocks])

    @property
    def _digest(self) -> str | None:
        return self.config.get("weights", {}).get("sha256")

    @property
    def _feature_shape(self) -> tuple[int, ...]:
        return tuple(self.network.features.output_shape[1:])

    def _gallery(self, templates: Template | Sequence[Template] | Gallery) -> Gallery:
        """Return templates of this preset as a gallery, and refuse those of another."""
        gallery = Gallery.of(templates)
        if not len(gallery):
            return Gallery(np.empty((0, *self._feature_shape)))
        other = gallery.preset and self._digest and gallery.preset != self._digest
        if other or gallery.features.shape[1:] != self._feature_shape:
            raise XcosError(
                f"the templates were made by another preset than {self.config['name']!r}, and "
                "those of two presets cannot be compared; enroll the photos with this one"
            )
        return gallery

    def _pairs(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the features of P pairs, each float32 (P, …) as this preset makes them."""
        arrays = tuple(as_float32(x, name) for x, name in ((a, "a"), (b, "b")))
        expected = (len(arrays[0]), *self._feature_shape)
        if not len(arrays[0]) and not len(arrays[1]):
            return (np.empty(expected, np.float32),) * 2
        if any(array.shape != expected for array in arrays):
            raise ValueError(
                f"Expected two arrays of features of shape (P, {str(expected[1:])[1:]}. "
                f"Received: {arrays[0].shape}, {arrays[1].shape}"
            )
        return arrays

    def _attention(self, attention: str | None) -> str:
        if attention is None:
            return self.attentions[-1]
        if self.attentions == (PLAIN_COSINE,) and attention != PLAIN_COSINE:
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

    def _fixed_weights(self, attention: str) -> np.ndarray:
        if attention == PLAIN_COSINE:
            return np.ones(1, np.float32)
        zero = np.zeros((1, *self._feature_shape), np.float32)
        return self._compare_grids(attention, zero, zero)["attention_map"][0].numpy()

    def _compare_grids(self, attention: str, a: np.ndarray, b: np.ndarray) -> dict:
        model = self.network.comparisons[attention]
        pair = (tf.constant(a, tf.float32), tf.constant(b, tf.float32))
        return self._run(attention, lambda a, b: model([a, b]), *pair)

    def _run(self, name, function, *tensors):
        """Call a function of batches, traced once whatever the batch size.

        A concrete function, unlike one that may be traced again, makes TensorFlow warn of nothing.
        """
        check_process()
        if name not in self._compiled:
            signature = [tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in tensors]
            traced = tf.function(function, input_signature=signature, autograph=False)
            self._compiled[name] = traced.get_concrete_function()
        run = self._compiled[name]
        if len(tensors[0]):
            return run(*tensors)
        # Not every operation takes an empty batch.
        outputs = run(*(tf.zeros((1, *x.shape[1:]), x.dtype) for x in tensors))
        return tf.nest.map_structure(lambda x: x[:0], outputs)
