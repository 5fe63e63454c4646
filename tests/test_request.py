"""Asking: what a request may say, and what it must not."""

import pytest

from tests.line import rand_from
from vc.canon import to_json
from vc.errors import Malformed, Rejected, VcError
from vc.oid4vp import parse_request
from verifier.request import MAX_CLAIMS, Wanted, build_request


def built(*claims: str, purpose: str = "credit.consumer.eu", ask_anyway: bool = False) -> dict[str, object]:
    return dict(
        build_request(
            [Wanted.parse(claim) for claim in claims],
            client_id="lender",
            purpose=purpose,
            necessity="because",
            retention_days=30,
            ask_anyway=ask_anyway,
            accept_possession=False,
            rand=rand_from("r"),
        )
    )


def test_a_request_reads_back() -> None:
    document = built("Earnings.averageAtLeast12m>=1500", "Earnings.periodStart", "PlatformMembership")
    parsed = parse_request(to_json(document))  # type: ignore[arg-type]
    assert [query.id for query in parsed.queries] == ["Earnings", "PlatformMembership"]
    first, second = parsed.queries[0].claims
    assert (first.path, first.values) == (("credentialSubject", "averageAtLeast12m", None), ("001500",))
    assert (second.path, second.values) == (("credentialSubject", "periodStart"), ())
    assert parsed.queries[1].claims == ()
    assert parsed.extra["purpose"] == {"code": "credit.consumer.eu", "necessity": "because", "retentionDays": 30}


def test_no_two_requests_share_a_nonce() -> None:
    import os  # noqa: PLC0415

    nonces = {
        build_request(
            [Wanted.parse("Earnings")],
            client_id="l",
            purpose="credit.consumer.eu",
            necessity="",
            retention_days=1,
            ask_anyway=False,
            accept_possession=False,
            rand=os.urandom,
        )["nonce"]
        for _ in range(50)
    }
    assert len(nonces) == 50


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nothing",
        "Earnings.nothing",
        "Earnings.total>=5",
        "Earnings.averageAtLeast12m",
        "Earnings.averageAtLeast12m>=1501",
        "RatingContext",
        "Earnings.total.x",
        "a b",
        ">=1",
    ],
)
def test_a_claim_that_cannot_be_asked_says_what_could(text: str) -> None:
    with pytest.raises(VcError) as caught:
        Wanted.parse(text)
    assert caught.value.exit_code == 2


def test_what_a_purpose_must_never_ask_needs_an_override() -> None:
    for claim in ("Rating", "Rating.ratingValue", "Earnings.monthly"):
        with pytest.raises(Rejected) as caught:
            built(claim, purpose="housing.tenancy.fr")
        assert caught.value.code == "NEVER_ASK"
        assert built(claim, purpose="housing.tenancy.fr", ask_anyway=True)


def test_bounds() -> None:
    with pytest.raises(Malformed):
        built()
    with pytest.raises(Malformed):
        built(*["Earnings"] * (MAX_CLAIMS + 1))
    with pytest.raises(VcError):
        built("Earnings", purpose="curiosity")
