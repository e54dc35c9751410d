"""What is measured of the prototype, as rows of CSV files."""

from dataclasses import dataclass

NOTHING = "nothing"


@dataclass(frozen=True)
class Trials:
    """One rule with one variant on one set.

    Attributes:
        set: what the faces are.
        variant: of the models.
        rule: by which several templates give one score.
        enrolled: photos of each owner.
        frames: photos of each try.
        owners, refused: people who were enrolled, and whom the prototype refused to enroll since
            their photos do not match one another.
        genuine, rejected, unusable: tries of owners, those that did not unlock, and those of them
            that no photo of could be used.
        impostor, accepted: tries of others, and those that unlocked.
        frr, far: rejected of genuine and accepted of impostor, with 95 % confidence intervals.
        threshold: that the score was held against.
        preset_sha256: of the weights.
    """

    set: str
    variant: str
    rule: str
    enrolled: int | None
    frames: int | None
    owners: int | None
    refused: int | None
    genuine: int | None
    rejected: int | None
    unusable: int | None
    frr: float | None
    frr_low: float | None
    frr_high: float | None
    impostor: int | None
    accepted: int | None
    far: float | None
    far_low: float | None
    far_high: float | None
    threshold: float | None
    preset_sha256: str


@dataclass(frozen=True)
class HintTrials:
    """The tries with one half covered.

    Attributes:
        set: what the faces are.
        covered: which half of the image, or `NOTHING`.
        variant: of the models.
        owners: who tried.
        tries, failed: single photos of owners, and those that did not unlock.
        named, right: of the failed, those whose hint names an area, and one in the covered half.
        preset_sha256: of the weights.
    """

    set: str
    covered: str
    variant: str
    owners: int | None
    tries: int | None
    failed: int | None
    named: int | None
    right: int | None
    preset_sha256: str
