"""What everything is measured with: the sets and presets that the user has, and kept scores."""

from dataclasses import dataclass
from pathlib import Path

from tools.paper.data_folder import open_paper_set
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.evaluation.subject import open_subjects
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.models.presets import find_preset


@dataclass(frozen=True)
class Bench:
    """The user's sets and presets.

    Attributes:
        data: folder of the sets; see `open_paper_set`.
        presets: those that are there.
        missing: {preset: why it is not there}.
        cache: of scores.
    """

    data: Path
    presets: list[str]
    missing: dict[str, str]
    cache: ScoreCache

    @classmethod
    def of(cls, data: Path, presets: list[str], cache: Path) -> "Bench":
        """Look for the presets.

        Raises:
            XcosError: there is no such folder of sets, or the cache cannot be made.
        """
        if not data.is_dir():
            raise XcosError(f"there is no folder {data}; give the one that holds the test sets")
        present, missing = [], {}
        for preset in dict.fromkeys(presets):
            try:
                find_preset(preset)
                present.append(preset)
            except XcosError:
                missing[preset] = f"there is no preset {preset}"
        return cls(data, present, missing, ScoreCache(cache))

    def open(self, name: str) -> VerificationSet:
        """Open one of the paper's sets; see `open_paper_set`."""
        return open_paper_set(self.data, name)

    def hashes(self) -> list[tuple[str, str]]:
        """Return each preset that is there, and the SHA-256 of its weights."""
        return [(subject.name, subject.sha256) for subject in open_subjects(self.presets)]
