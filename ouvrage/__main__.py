"""``ouvrage issuer | wallet | verifier | vc-api | demo``: hands over to the service that is named first."""

import sys
from collections.abc import Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Final

SERVICES: Final = MappingProxyType(
    {
        "issuer": ("issuer.__main__", "the platform: records become statements, statements become signed credentials"),
        "wallet": ("ouvrage.own_import", "the worker: keep credentials, choose what to show"),
        "verifier": ("verifier.__main__", "the one who checks, offline, without telling the platform"),
        "jose": ("ouvrage.jose", "secure and verify files by JOSE, SD-JWT and COSE, to try them out"),
        "vc-api": ("ouvrage.vcapi", "every route of VC-API, with every suite, to try them out"),
        "demo": ("ouvrage.demo", "the whole story in a minute"),
    }
)


def usage() -> str:
    """What the command can do, in a few lines."""
    rows = [f"  {name:<10} {words}" for name, (_, words) in SERVICES.items()]
    return "\n".join(["Usage: ouvrage COMMAND … [--help]", "", "Portable proof of platform work.", "", *rows])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. A service is loaded only when it is named: a wallet needs no database engine."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    service = words[0] if words else "--help"
    if service in ("-h", "--help"):
        sys.stdout.write(usage() + "\n")
        sys.exit(0 if words else 2)
    if service not in SERVICES:
        sys.stderr.write(f"ouvrage: no command {service[:40]!r}; there are {', '.join(SERVICES)}\n")
        sys.exit(2)
    import_module(SERVICES[service][0]).main(words[1:])


if __name__ == "__main__":
    main()
