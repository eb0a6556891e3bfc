"""Verification at several resolutions: pairs, folds, and what is measured on them."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from lrfr_lightning.datasets.base import ImageSource
from lrfr_lightning.datasets.groups import image_groups
from lrfr_lightning.datasets.pairs import VerificationPairs
from lrfr_lightning.functional.bootstrap import verification_intervals
from lrfr_lightning.functional.folds import FoldAccuracy, decided_rightly, kfold_accuracy
from lrfr_lightning.functional.subsets import spread
from lrfr_lightning.functional.verification import (
    Flags,
    area_under_curve,
    best_threshold,
    equal_error_rate,
    grid_threshold,
    tar_at_far,
    youden_threshold,
)
from lrfr_lightning.protocols.base import Conditions, Embeddings, Protocol
from lrfr_lightning.protocols.curves import roc_curve
from lrfr_lightning.protocols.details import PairDetails, pair_items
from lrfr_lightning.protocols.groups import decisions, group_rates
from lrfr_lightning.protocols.outcomes import Outcomes
from lrfr_lightning.protocols.result import (
    RULE_OF_SETTING,
    ProtocolResult,
    Resolution,
    ThresholdRule,
)
from lrfr_lightning.utils.errors import ConfigError

_BLOCK = 2**23
"""Numbers of embeddings that are copied at once: raw pixels are as long as the image."""

_RULES = {"best": best_threshold, "youden": youden_threshold, "grid": grid_threshold}


class VerificationConditions(Conditions, total=False):
    """How pairs are shown, and how they are decided.

    Attributes:
        threshold_rule: what a fold's threshold is on the other folds: ``best``, the most accurate
            of all; ``youden``, where TPR - FPR is largest; ``grid``, the most accurate of 400
            squared distances, as InsightFace's evaluation has it. By default the setting's,
            ``best`` of ``standard`` and ``youden`` of ``deck``. The rule alone moves an accuracy by
            up to 0.3 points.
        groups: a CSV file of lines ``name,group``, see
            :func:`~lrfr_lightning.datasets.groups.image_groups`: errors are measured for each group
            of people too; None by default.
    """

    threshold_rule: ThresholdRule | None
    groups: str | None


class VerificationProtocol(Protocol):
    """Decide for each pair of images whether both show one person.

    Args:
        name: see :class:`~lrfr_lightning.protocols.base.Protocol`, as all but the pairs.
        images: every image of the protocol once.
        pairs: positions in ``images``, same or not, and folds.
        resolutions: sides to degrade to, px.
        conditions: see :class:`VerificationConditions`.

    Raises:
        ConfigError: no resolution, one outside 1..112, no such control or threshold rule.
        DataError: the groups cannot be read, or are of none of the images.
    """

    fars: Sequence[float] = (0.1, 0.01, 0.001)
    """Where TAR is measured."""

    single_class_folds: bool = False
    """Whether a fold may hold genuine or impostor pairs alone."""

    groups: NDArray[np.str_] | None = None
    """The group of each image, empty where it is not known; None: errors are not told apart."""

    def __init__(
        self,
        name: str,
        images: ImageSource,
        pairs: VerificationPairs,
        resolutions: Sequence[Resolution] = (112, 56, 28, 14, 7),
        **conditions: Unpack[VerificationConditions],
    ) -> None:
        rule, groups = conditions.pop("threshold_rule", None), conditions.pop("groups", None)
        super().__init__(name, images, resolutions, **cast(Conditions, conditions))
        self.threshold_rule: ThresholdRule = rule or RULE_OF_SETTING[self.setting]
        if self.threshold_rule not in _RULES:
            raise ConfigError(
                f"{name} threshold_rule: expected one of {', '.join(_RULES)}, got {rule!r}"
            )
        self.pairs = pairs
        if groups:
            self.group_by(groups)

    def group_by(self, path: str) -> None:
        """Measure errors for each group of people too, see :class:`VerificationConditions`.

        Raises:
            DataError: the groups cannot be read, or are of none of the images.
        """
        self.groups = image_groups(self.images, path)

    def sides(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the images that stand first, and second, in a pair."""
        return np.unique(self.pairs.first), np.unique(self.pairs.second)

    def reduce(self, share: float) -> None:
        """Keep a share of the genuine and of the impostor pairs of each fold."""
        groups = 2 * self.pairs.fold + self.pairs.same
        self.pairs = self.pairs.take(spread(groups, share))

    def evaluate(
        self, embeddings: Mapping[Resolution, Embeddings], model: str
    ) -> list[ProtocolResult]:
        """One result per comparison of resolutions."""
        return [self._result(embeddings, model, *shown) for shown in self.comparisons]

    def scores(
        self, embeddings: Mapping[Resolution, Embeddings], first: Resolution, second: Resolution
    ) -> Embeddings:
        """Cosine of each pair, its sides at two resolutions, float64 ``(len(pairs),)``, -1..1."""
        one, other = embeddings[first], embeddings[second]
        blocks = 1 + len(self.pairs) * one.shape[1] // _BLOCK
        sides = (np.array_split(side, blocks) for side in (self.pairs.first, self.pairs.second))
        return np.concatenate([cosine(one[a], other[b]) for a, b in zip(*sides, strict=True)])

    def _result(
        self,
        embeddings: Mapping[Resolution, Embeddings],
        model: str,
        first: Resolution,
        second: Resolution,
    ) -> ProtocolResult:
        scores, pairs = self.scores(embeddings, first, second), self.pairs
        folds = kfold_accuracy(
            scores, pairs.same, pairs.fold, _RULES[self.threshold_rule], self.single_class_folds
        )
        correct = decided_rightly(scores, pairs.same, pairs.fold, folds)
        metrics = self._metrics(scores, folds)
        # beyond six digits a float32 cosine says nothing
        threshold = round(float(folds.threshold.mean()), 6)
        details = PairDetails(self, pairs, embeddings, (first, second))
        return ProtocolResult(
            model=model,
            protocol=self.name,
            **self.conditions(first, second),
            metrics=metrics,
            threshold_rule=self.threshold_rule,
            counts=self._counts(),
            thresholds={"accuracy": threshold},
            intervals=self._intervals(scores, correct, metrics),
            outcomes=self._outcomes(correct).to_json(),
            curves=roc_curve(scores, pairs.same) | details.curves(scores),
            examples=details.examples(scores),
            groups=self._groups(scores, correct, threshold),
        )

    def _groups(self, scores: Embeddings, correct: Flags, threshold: float) -> list[dict[str, Any]]:
        if self.groups is None:
            return []
        decided = decisions(scores, self.pairs.same, correct, threshold, self.fars)
        return group_rates(decided, self.pairs, self.groups, self.intervals)

    def _metrics(self, scores: Embeddings, folds: FoldAccuracy) -> dict[str, float | None]:
        same = self.pairs.same
        return {
            "accuracy": float(folds.accuracy.mean()),
            "accuracy_std": float(folds.accuracy.std()),
            "auc": area_under_curve(scores, same),
            "eer": equal_error_rate(scores, same),
            **{f"tar@far={far:g}": tar_at_far(scores, same, far) for far in self.fars},
        }

    def _intervals(
        self, scores: Embeddings, correct: Flags, metrics: Mapping[str, float | None]
    ) -> dict[str, list[float]]:
        """95 % intervals of what was measured."""
        if not self.intervals:
            return {}
        same, fold, people = self.pairs.same, self.pairs.fold, self.pairs.people
        found = verification_intervals(
            scores, same, correct, fold, people, self.fars, self.intervals
        )
        return {name: ends for name, ends in found.items() if metrics[name] == metrics[name]}

    def _outcomes(self, correct: Flags) -> Outcomes:
        items = pair_items(self, self.pairs)
        return Outcomes("verification", items, "accuracy", correct, self.pairs.people)

    def _counts(self) -> dict[str, int]:
        genuine = int(np.count_nonzero(self.pairs.same))
        people = {} if self.pairs.people is None else {"people": len(np.unique(self.pairs.people))}
        return {
            "images": len(self.images),
            **people,
            "pairs": len(self.pairs),
            "genuine": genuine,
            "impostor": len(self.pairs) - genuine,
            "folds": len(np.unique(self.pairs.fold)),
        }


def cosine(first: Embeddings, second: Embeddings) -> Embeddings:
    """Cosine of rows, float64 ``(N,)``; NaN where an embedding is zero."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.einsum("nd,nd->n", first, second) / lengths)
