"""The report as PDF: the page, set for paper, tagged so that a screen reader can read it (PDF/UA-1).

WeasyPrint draws it, an extra of this package, with pango from the system. It is given the page and nothing else: an
address to fetch would be an error.
"""

import logging
from typing import Final, NoReturn

from vc.errors import Undetermined
from verifier.render import to_html
from verifier.report import Report

VARIANT: Final = "pdf/ua-1"


def to_pdf(report: Report, lang: str) -> bytes:
    """The report as PDF. Raises :class:`Undetermined` where what draws it is not installed."""
    try:
        import weasyprint  # noqa: PLC0415  (seconds to load, and an extra)
    except (ImportError, OSError) as error:  # OSError: the library without pango
        hint = "pip install 'ouvrage[pdf]', and the packages libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0"
        raise Undetermined(f"a PDF cannot be drawn here ({type(error).__name__})", hint, code="NO_PDF") from None
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it warns of what browsers know and paper does not need
    page = weasyprint.HTML(string=to_html(report, lang), url_fetcher=_fetch_nothing)
    return bytes(page.write_pdf(pdf_variant=VARIANT))


def _fetch_nothing(url: str, *_arguments: object, **_named: object) -> NoReturn:
    raise ValueError(f"a report asks for nothing, least of all {url[:80]}")
