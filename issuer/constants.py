"""What a profile says once for all workers, because its files do not: by type of statement."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# The relation that each statement type is made from.
MADE_FROM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PlatformMembership": "membership",
        "WorkHistory": "jobs",
        "CompletedWork": "jobs",
        "Earnings": "pay",
        "Rating": "ratings",
        "RatingContext": "ratings",
        "Review": "reviews",
        "ProfessionalInsurance": "insurances",
        "TrainingRights": "training",
        "DisputeOutcome": "outcomes",
        "Qualification": "qualifications",
    }
)

_OF_SOME_QUALIFICATIONS: Final = frozenset(
    {
        "achievementDescription",
        "alignmentName",
        "alignmentUrl",
        "expertiseScheme",
        "expertiseOf",
        "schoolLabelledBy",
    }
)
# What a profile says once for all workers: claims of the type, and (second) choices of :mod:`issuer.build`.
CONSTANTS: Final[Mapping[str, tuple[frozenset[str], Mapping[str, frozenset[str]]]]] = MappingProxyType(
    {
        "PlatformMembership": (
            frozenset({"status", "tierScheme", "tierCriteria", "tierValidUntil", "registrationNumberPresent"}),
            {},
        ),
        "WorkHistory": (frozenset({"unitOfWork", "durationDefinition"}), {}),
        "CompletedWork": (frozenset({"unitOfWork", "occupation"}), {}),
        "Earnings": (
            frozenset({"basis", "tipsIncluded", "incentivesIncluded", "tollsIncluded", "fiscalSource"}),
            {"grain": frozenset({"month", "quarter", "year"})},
        ),
        "Rating": (
            frozenset(
                {
                    *("computation", "raterPopulation", "perRater", "bestRating", "worstRating"),
                    *("windowSize", "methodUrl"),
                }
            ),
            {
                "windowKind": frozenset({"allTime", "period", "lastN", "notPublished"}),
                "decimals": frozenset("0123456"),
                "count": frozenset({"lines", "notPublished"}),
                "eligible": frozenset({"lines", "jobs", "notPublished"}),
                "excluded": frozenset({"lines", "notPublished"}),
                "spread": frozenset({"lines", "notPublished"}),
                "raters": frozenset({"lines", "notPublished"}),
                "months": frozenset(str(number) for number in range(1, 121)),
            },
        ),
        "RatingContext": (frozenset({"knownBiasNotes", "excludesOutsideControl", "actionThreshold", "biasAudit"}), {}),
        "Review": (frozenset({"raterPopulation", "bestRating", "worstRating"}), {}),
        "Qualification": (
            frozenset({"awardingBody", "basis", "achievementType", "criteria"}) | _OF_SOME_QUALIFICATIONS,
            {},
        ),
        "ProfessionalInsurance": (frozenset(), {}),
        "TrainingRights": (frozenset(), {}),
        "DisputeOutcome": (frozenset({"decidedBy"}), {}),
    }
)
OPTIONAL: Final = _OF_SOME_QUALIFICATIONS | {
    *("tierScheme", "tierCriteria", "tierValidUntil", "registrationNumberPresent", "occupation", "fiscalSource"),
    *("windowSize", "methodUrl", "spread", "raters", "months"),  # of a rating: not known where they are left out
    *("excludesOutsideControl", "actionThreshold", "biasAudit"),
}
DEFAULT: Final = MappingProxyType({"grain": "month"})
# Money that is income only where the profile says so: without that it is left out, and accounted for.
PARTS: Final = (
    ("toll", "tollsIncluded", "toll paid back, which is not part of the income stated"),
    ("incentive", "incentivesIncluded", "bonus of the platform, which is not part of the income stated"),
)
