"""``ouvrage wallet insights``: what the wallet shows its worker alone."""

from vc.io.command import show
from vc.io.options import At, Home, Json_, Lang, language, moment
from wallet.insights import insights
from wallet.insights_words import insights_json, insights_text
from wallet.opening import open_shelf


def insights_command(home_dir: Home = None, lang: Lang = "en", at: At = None, as_json: Json_ = False) -> None:
    """For you alone: what you earned, your ratings, what you could prove, what ends soon. Nothing is sent."""
    language_, moment_ = language(lang), moment(at)
    with open_shelf(home_dir) as shelf:
        found = insights(shelf.copies(), moment_)
    show(insights_json(found), as_json=as_json, text=lambda: insights_text(found, language_))
