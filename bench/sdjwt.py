"""SD-JWT VC against bare ES256: issuing from a dictionary, and verifying a presentation with key binding from text.

Four bare signatures, and four bare verifications, are promised at 13 disclosures; a presentation carries two signatures
to verify. Beside the other sizes stands what nobody can avoid: the signatures, and one hash for each disclosure.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256

from bench.ecdsa import raw_sign, raw_verify
from bench.measure import Row, compare
from vc import ecdsa
from vc.canon import Json
from vc.keys import P256Key
from vc.sdjwt import Challenge, KeyBinding, present
from vc.sdjwt_issuer import KnownIssuers, NamedIssuer, find_known
from vc.sdjwt_vc import VerifiedSdJwtVc, confirmation, hold_credential, issue_credential, verify_credential

AT = datetime(2026, 11, 24, tzinfo=UTC)
ISS = "https://platform.example"
VCT = "https://platform.example/earnings"
PROMISED = 13
SIZES = (10, 25, 50, 200)

KEY = P256Key.generate(os.urandom)
HOLDER = P256Key.generate(os.urandom)
FIND = find_known(KnownIssuers(named={ISS: NamedIssuer({"1": KEY.public}, frozenset({VCT}))}), AT)
CHALLENGE = Challenge("n-0S6_WzA2Mj", "https://lender.example")


def claims_of(count: int) -> dict[str, Json]:
    """A credential with ``count`` claims that can be shown one by one."""
    return {
        "iss": ISS,
        "iat": 1795392000,
        "exp": 1798000000,
        "vct": VCT,
        "cnf": confirmation(HOLDER.public),
        **{f"claim{number:03}": f"{number} 1500.00 EUR" for number in range(count)},
    }


def issuing(count: int) -> Callable[[], str]:
    claims = claims_of(count)
    selective = [f"/{name}" for name in claims if name.startswith("claim")]
    return lambda: issue_credential(claims, key=KEY, selective=selective, rand=os.urandom, header={"kid": "1"})


def verifying(count: int) -> Callable[[], VerifiedSdJwtVc]:
    """The verification of a presentation that shows every claim."""
    held = hold_credential(issuing(count)(), find_issuer=FIND, at=AT)
    binding = KeyBinding(HOLDER, CHALLENGE.nonce, CHALLENGE.audience, AT)
    text = present(held, [""], binding=binding).text
    return lambda: verify_credential(text, find_issuer=FIND, challenge=CHALLENGE, at=AT, check_status=None, types=None)


def rows() -> Iterator[Row]:
    """What is promised, and what more claims cost."""
    sign, verify = raw_sign(ecdsa.P256, 1), raw_verify(ecdsa.P256, 1)
    name = "SD-JWT VC {}, {} disclosures"
    yield compare(name.format("issue", PROMISED), issuing(PROMISED), sign, limit=4, rounds=2000)
    yield compare(name.format("verify, bound", PROMISED), verifying(PROMISED), verify, limit=4, rounds=2000)
    for count in SIZES:
        yield compare(name.format("issue", count), issuing(count), hashing(count, sign), limit=8, rounds=500)
        both = hashing(count, raw_verify(ecdsa.P256, 2))
        yield compare(name.format("verify, bound", count), verifying(count), both, limit=8, rounds=500)


def hashing(count: int, signature: Callable[[], object]) -> Callable[[], None]:
    """The signatures, and one SHA-256 for each claim."""
    disclosure = os.urandom(64)

    def floor() -> None:
        signature()
        for _ in range(count):
            sha256(disclosure).digest()

    return floor
