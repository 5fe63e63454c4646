"""The report as PDF: the same words, tagged, and nothing fetched."""

import io
import sys

import pytest

from tests.test_report import EARNINGS, LOAN, proven
from vc.errors import Undetermined
from verifier.pdf import to_pdf
from verifier.render import to_text

WHERE = "pango is not installed: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_pdf_says_what_the_text_says_and_is_tagged(lang: str) -> None:
    try:
        import weasyprint  # noqa: F401, PLC0415
    except (ImportError, OSError):
        pytest.skip(WHERE)
    pypdf = pytest.importorskip("pypdf")
    report = proven(LOAN, "earnings", "Earnings", EARNINGS)
    drawn = to_pdf(report, lang)
    assert drawn == to_pdf(report, lang)  # the same report is the same file
    document = pypdf.PdfReader(io.BytesIO(drawn))
    root = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == lang
    assert "/StructTreeRoot" in root
    read = "".join("".join(page.extract_text() for page in document.pages).split()).casefold()
    for line in to_text(report, lang).splitlines():
        words = "".join(line.strip("=-> ").removeprefix("! ").split()).casefold()
        assert words.rpartition(":")[2] in read, line


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(Undetermined, match=r"ouvrage\[pdf\]") as caught:
        to_pdf(proven(LOAN, "earnings", "Earnings", EARNINGS), "en")
    assert caught.value.code == "NO_PDF"
