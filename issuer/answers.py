"""What the credential endpoints take and answer, for the OpenAPI description: OpenID4VCI §7 to §11 as JSON Schema."""

from types import MappingProxyType
from typing import Final

from issuer.sealing import JSON, JWT
from vc.canon import Json
from vc.io.openapi import PROBLEM, PROBLEM_SCHEMA
from vc.io.route import Answer, Schema

_TEXT: Final[dict[str, Json]] = {"type": "string"}
_NAME: Final[dict[str, Json]] = {"type": "string", "minLength": 1, "maxLength": 2048}

ERROR: Final[Schema] = MappingProxyType(
    {"type": "object", "properties": {"error": _TEXT, "error_description": _TEXT}, "required": ["error"]}
)
NONCE: Final[Schema] = MappingProxyType(
    {"type": "object", "properties": {"c_nonce": _TEXT}, "required": ["c_nonce"], "additionalProperties": False}
)
ENCRYPTION: Final[dict[str, Json]] = {
    "type": "object",
    "properties": {"jwk": {"type": "object"}, "enc": _TEXT, "zip": _TEXT},
    "required": ["jwk", "enc"],
}
CREDENTIAL_REQUEST: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "credential_identifier": _NAME,
            "credential_configuration_id": _NAME,
            "proofs": {
                "type": "object",
                "properties": {
                    "jwt": {"type": "array", "items": _TEXT, "minItems": 1},
                    "di_vp": {"type": "array", "items": {"type": "object"}, "minItems": 1},
                    "attestation": {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 1},
                },
                "minProperties": 1,
                "maxProperties": 1,
            },
            "credential_response_encryption": ENCRYPTION,
        },
        "oneOf": [{"required": ["credential_identifier"]}, {"required": ["credential_configuration_id"]}],
    }
)
DEFERRED_REQUEST: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "properties": {"transaction_id": _NAME, "credential_response_encryption": ENCRYPTION},
        "required": ["transaction_id"],
    }
)
NOTIFICATION_REQUEST: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "notification_id": _NAME,
            "event": {"enum": ["credential_accepted", "credential_failure", "credential_deleted"]},
            "event_description": {"type": "string", "pattern": r"^[ !#-\[\]-~]{0,1024}$"},
        },
        "required": ["notification_id", "event"],
    }
)
_CREDENTIALS: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "properties": {
            "credentials": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {"credential": {"type": ["object", "string"]}},
                    "required": ["credential"],
                },
            },
            "notification_id": _TEXT,
        },
        "required": ["credentials"],
    }
)
_PROMISE: Final[Schema] = MappingProxyType(
    {
        "type": "object",
        "properties": {"transaction_id": _TEXT, "interval": {"type": "integer", "minimum": 1}},
        "required": ["transaction_id", "interval"],
    }
)
REFUSED: Final = Answer("Refused, for the reason that the error code says.", MappingProxyType({JSON: ERROR}))
UNAUTHORIZED: Final = Answer(
    "No access token that counts.", MappingProxyType({JSON: ERROR}), headers=("WWW-Authenticate",)
)
FORBIDDEN: Final = Answer("The access token allows something else.", MappingProxyType({JSON: ERROR}))
CREDENTIALS: Final = Answer("The credentials.", MappingProxyType({JSON: _CREDENTIALS, JWT: _TEXT}))
PROMISED: Final = Answer("Not yet: ask the deferred endpoint.", MappingProxyType({JSON: _PROMISE, JWT: _TEXT}))
NONCED: Final = Answer("A nonce.", MappingProxyType({JSON: NONCE}), headers=("DPoP-Nonce",))
AGAIN: Final = Answer(
    "Ask again: what was asked for has changed, or the database is busy.",
    MappingProxyType({JSON: ERROR, PROBLEM: PROBLEM_SCHEMA}),
)
NOTED: Final = Answer("Noted.")
