"""A platform with reviews, insurance policies, training and outcomes of disputes: its profile, and files of it."""

# ruff: noqa: E501  (rows of a file)

from pathlib import Path
from typing import Final

from issuer.profile import Profile

PROFILE: Final = r"""
name = "atelier"
title = "Atelier: reviews, insurance, training and disputes"
platform = "Atelier"
category = "freelance"
documented = "Made up for the tests, in the shape of what platforms with such records would export."
assumed = "Nothing."
provenance = "None: no such export is published."

[files.review]
title = "reviews (CSV)"
delimiters = [","]
required = ["worker", "review", "date", "stars"]
optional = ["text", "lang", "public", "may publish", "client", "quality"]
unique = ["review", "date"]
[files.review.columns]
worker = '"worker"'
job = '"review"'
day = '''day_of("date", '%Y-%m-%d')'''
value = 'number_of("stars")'
body = '"text"'
language = 'lower("lang")'
public = 'flag_of("public")'
publishable = 'flag_of("may publish")'
names = '"client"'
[files.review.aspects]
quality = 'number_of("quality")'
[files.review.feeds]
reviews = "TRUE"

[files.policy]
title = "insurance policies (CSV)"
delimiters = [","]
required = ["worker", "date", "insurer", "from", "to", "trade"]
optional = [
    "number", "policy", "per claim", "per year", "excess", "currency", "countries", "scope", "mission", "up to",
    "scale", "degree",
]
[files.policy.columns]
worker = '"worker"'
day = '''day_of("date", '%Y-%m-%d')'''
insurer = '"insurer"'
legal_id = '"number"'
policy = '"policy"'
cover_from = '''day_of("from", '%Y-%m-%d')'''
cover_to = '''day_of("to", '%Y-%m-%d')'''
ceiling_claim = '''money_of("per claim", '€')'''
ceiling_year = '''money_of("per year", '€')'''
deductible = '''money_of("excess", '€')'''
currency = '"currency"'
kind = '"trade"'
territory = '"countries"'
scope = '"scope"'
job = '"mission"'
jobs_up_to = '''money_of("up to", '€')'''
tier = '"scale"'
level = '"degree"'
achievement = '''CASE WHEN "degree" IS NOT NULL THEN "trade" END'''
[files.policy.feeds]
insurances = "TRUE"

[files.right]
title = "training (CSV)"
delimiters = [","]
required = ["worker", "date", "what"]
optional = ["course", "euros"]
[files.right.columns]
worker = '"worker"'
day = '''day_of("date", '%Y-%m-%d')'''
kind = '"what"'
title = '"course"'
amount = '''money_of("euros", '€')'''
currency = "CASE WHEN \"euros\" IS NOT NULL THEN 'EUR' END"
[files.right.feeds]
training = "TRUE"

[files.decision]
title = "decisions on disputes (CSV)"
delimiters = [","]
required = ["worker", "date", "statement", "decision"]
optional = ["new statement"]
[files.decision.columns]
worker = '"worker"'
day = '''day_of("date", '%Y-%m-%d')'''
about = '"statement"'
ended = '"decision"'
replaces = '"new statement"'
[files.decision.feeds]
outcomes = "TRUE"

[statements.Review]
raterPopulation = "clients"
bestRating = "5"
worstRating = "1"
[statements.ProfessionalInsurance]
[statements.TrainingRights]
[statements.DisputeOutcome]
decidedBy = "mediator"
"""

REVIEWS: Final = """worker,review,date,stars,text,lang,public,may publish,client,quality
W1,R1,2025-06-03,5,"Travail soigné,
livré avant la date. Je recommande !",fr,true,true,Odile Brunel,5
W1,R2,2025-06-20,4,"Très bien. Appelez-moi au 06 12 34 56 78 ou sur o.brunel@example.org",fr,true,false,Odile Brunel,
W1,R3,2025-07-11,3.5,,en,false,,,
W1,R4,2025-07-12,2,merci de la part de BRUNEL,fr,,,Odile Brunel,
W1,R1,2025-05-30,1,"Pas encore vu le travail.",fr,true,true,Odile Brunel,
W2,R5,2025-07-30,,Good work on version 2.1.3 for 1 200 EUR.,en,true,true,,
W2,R6,2025-07-31,,,,,,,
W2,R7,2025-07-31,5,,french,,,,
"""
POLICIES: Final = """\
worker,date,insurer,number,policy,from,to,per claim,per year,excess,currency,trade,countries,scope,mission,up to,scale,degree
W1,2025-07-31,Assurances du Pont,000 000 002,RC-17,2024-01-01,2024-12-31,"€300,000","€600,000",€400,EUR,Peinture,FR,holder,,,,
W1,2025-07-31,Assurances du Pont,000 000 002,RC-17,2025-01-01,2025-12-31,"€500,000","€1,000,000",€400,EUR,Peinture,FR BE,holder,,,Échelle Pont,3
W1,2025-07-31,Assurances du Pont,000 000 002,RC-17,2025-01-01,2025-12-31,"€500,000","€1,000,000",€500,EUR,Plâtrerie;Enduits,FR,holder,,,Échelle Pont,3
W2,2025-07-31,Mutuelle de la Rive,,,2025-07-01,2025-07-31,€80000.50,,,EUR,Montage,FR,missionOnly,M-1,€3000,,
W2,2025-07-31,Mutuelle de la Rive,,,2025-08-01,2025-07-31,,,,,Montage,,missionOnly,M-2,,,
W2,2025-07-31,Mutuelle de la Rive,,,2025-07-01,2025-07-31,,,,,Montage,France,missionOnly,M-3,,,
W2,2025-07-31,Mutuelle de la Rive,,,2025-07-01,2025-07-31,,,,,Montage,FR,missionOnly,,,,
W2,2025-07-31,Mutuelle de la Rive,,,2025-07-01,2025-07-31,-€1,,,EUR,Montage,FR,holder,,,,
"""
RIGHTS: Final = """worker,date,what,course,euros
W1,2024-07-31,cfp,,€100.005
W1,2024-03-31,cfp,,€31.045
W1,2024-08-01,cfp,,€20.10
W1,2025-07-01,cfp,,€28.105
W1,2025-02-01,cpf,,€500
W1,2024-02-01,cpf,,€125
W1,2024-05-01,cpf,,€125
W1,2025-03-01,training,Gestes et postures,
W1,2025-04-01,vae,Titre professionnel de peintre en bâtiment,
W2,2025-04-01,training,Conduite en hiver,
W2,2025-04-01,training,,
W2,2025-04-01,cfp,,
W2,2025-04-01,holiday,,€3
"""
CONTESTED: Final = "uEiBJ_qzt1ZRyk7WUYYS2sdd4tDgC9cpA0gv9zOXpsYfHAA"
CORRECTED: Final = "uEiCjRwIdxhlq3Kk2oT1RzhyzMJMwSdQBvCdvTp3_QjyKOg"
DECISIONS: Final = f"""worker,date,statement,decision,new statement
W1,2025-06-01,{CONTESTED},upheld,
W1,2025-07-02,{CONTESTED},corrected,{CORRECTED}
W2,2025-07-02,{CORRECTED},withdrawn,
W2,2025-07-02,{CONTESTED[:-1]},removed,
W2,2025-07-02,{CONTESTED},won,
W2,2025-07-02,{CONTESTED},removed,{CORRECTED}
"""
FILES: Final = {"reviews": REVIEWS, "policies": POLICIES, "rights": RIGHTS, "decisions": DECISIONS}
SALT: Final = bytes(range(32))


def profile() -> Profile:
    return Profile.parse(PROFILE.encode(), where="atelier.toml")


def write(folder: Path, **changed: str) -> list[Path]:
    """The files of the platform, and its profile, in a folder; the paths of the files."""
    (folder / "atelier.toml").write_text(PROFILE, encoding="utf-8")
    paths = []
    for name, text in {**FILES, **changed}.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text, encoding="utf-8")
    return paths
