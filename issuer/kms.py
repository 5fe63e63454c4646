"""Keys that stay in a cloud's key service: P-256 in AWS KMS (extra ``kms``).

A key is known by its id and region; credentials for the service are found as its own tools find them, and kept nowhere.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar, Final, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from vc.did import did_key_method
from vc.errors import Undetermined, Unsupported, VcError
from vc.keys import P256, PublicKey, verify_signature

SPEC: Final = "ECC_NIST_P256"
ALGORITHM: Final = "ECDSA_SHA_256"
BUSY: Final = frozenset({"ThrottlingException", "LimitExceededException", "KMSInternalException"})
GONE: Final = frozenset(
    {"NotFoundException", "DisabledException", "KMSInvalidStateException", "KeyUnavailableException"}
)


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key in AWS KMS, by reference. An empty ``region`` is the one that the environment says."""

    kept: ClassVar[str] = "kms"

    verification_method: str
    public: PublicKey
    key: str
    region: str

    @property
    def did(self) -> str:
        """The DID of the verification method."""
        return self.verification_method.partition("#")[0]

    @property
    def reference(self) -> dict[str, str]:
        """What finds it again."""
        return {"key": self.key, "region": self.region}

    @classmethod
    def find(cls, key: str, region: str) -> Self:
        """The key with an id, an ARN or an alias. Raises :class:`Undetermined`, or :class:`Unsupported`."""
        with _translated():
            answer = _client(region).get_public_key(KeyId=key)
        if (
            answer.get("KeySpec", answer.get("CustomerMasterKeySpec")) != SPEC
            or answer.get("KeyUsage") != "SIGN_VERIFY"
        ):
            raise Unsupported("key in KMS", f"only {SPEC} for SIGN_VERIFY", code="UNSUPPORTED_KEY")
        point = load_der_public_key(answer["PublicKey"])
        assert isinstance(point, ec.EllipticCurvePublicKey)
        public = PublicKey(P256, point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))
        return cls(did_key_method(public), public, key, region)

    @classmethod
    def reopen(cls, public: PublicKey, reference: Mapping[str, str]) -> Self:
        """The key that a key file refers to; the service is not asked before something is to be signed."""
        return cls(did_key_method(public), public, reference["key"], reference["region"])

    def sign(self, data: bytes) -> bytes:
        """The signature over ``data``, checked. Raises :class:`Undetermined` where the service does not give one."""
        with _translated():
            answer = _client(self.region).sign(
                KeyId=self.key, Message=sha256(data).digest(), MessageType="DIGEST", SigningAlgorithm=ALGORITHM
            )
        r, s = decode_dss_signature(answer["Signature"])
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        try:
            verify_signature(self.public, data, signature)
        except VcError:
            raise Undetermined(
                "the key service signs with another key than was adopted", "adopt it again", code="KMS_KEY"
            ) from None
        return signature


@lru_cache(maxsize=8)
def _client(region: str) -> Any:
    import boto3.session  # noqa: PLC0415  (an extra)

    patience = boto3.session.Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})
    return boto3.session.Session().client("kms", region_name=region or None, config=patience)


@contextmanager
def _translated() -> Iterator[None]:
    """What the service says, as ours: what to do about it, and no account in the message."""
    try:
        yield
    except ModuleNotFoundError:
        raise Unsupported("keys in a key service", "KMS needs: pip install 'ouvrage[kms]'") from None
    except Exception as error:  # noqa: BLE001  (the library's own kinds of errors are another package's)
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            raise _said(str(response.get("Error", {}).get("Code", ""))) from None
        raise Undetermined(
            f"the key service cannot be asked ({type(error).__name__})",
            "see the region, the credentials and the network",
            code="KMS_UNREACHABLE",
        ) from None


def _said(code: str) -> Undetermined:
    if code in BUSY:
        return Undetermined("the key service is too busy", "try again, or ask for a higher quota", code="KMS_BUSY")
    if code in GONE:
        return Undetermined(f"the key service does not give this key ({code})", "see its state", code="KMS_KEY")
    return Undetermined(
        f"the key service refuses ({code[:60]})", "it needs kms:Sign and kms:GetPublicKey", code="KMS_REFUSED"
    )
