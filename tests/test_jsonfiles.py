"""Exports in JSON and JSON Lines: pages, lists of pages, lines; numbers as they are spelt; bounds; only our errors."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer import jsonfiles
from issuer.attest import Attested, attest
from issuer.intake import Said
from issuer.profile import Profile, load_profile
from vc.errors import Malformed, VcError

PARIS = Said("Europe/Paris")


def trip(number: int, **changes: object) -> dict[str, object]:
    begin = 1767259800 + 90_000 * number
    made: dict[str, object] = {
        "trip_id": f"t{number}", "status": "completed", "driver_id": "d1", "distance": 1.5, "duration": 600,
        "pickup": {"timestamp": begin}, "dropoff": {"timestamp": begin + 600}, "start_city": {"display_name": "Lyon"},
        "status_changes": [{"status": "accepted", "timestamp": begin}, {"status": "completed", "timestamp": begin}],
    }  # fmt: skip
    return {**made, **changes}


def page(*trips: object) -> dict[str, object]:
    return {"count": len(trips), "limit": 50, "offset": 0, "trips": list(trips)}


def run(folder: Path, *texts: str | bytes, worker: str | None = None) -> Attested:
    paths = [folder / f"{number}.json" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return attest(load_profile("uber"), paths, worker=worker, said=PARIS)


def jobs(made: Attested) -> str:
    (history,) = (one for one in made.statements if one.type == "WorkHistory")
    return str(history.claims["jobsCompleted"])


TRIPS = [trip(number) for number in range(7)]
SHAPES: dict[str, str | bytes] = {
    "page": json.dumps(page(*TRIPS)),
    "page over lines": json.dumps(page(*TRIPS), indent=2),
    "pages": json.dumps([page(*TRIPS[:4]), page(*TRIPS[4:])]),
    "pages, one to a line": "\n".join(json.dumps(page(*some)) for some in (TRIPS[:4], TRIPS[4:], [])),
    "list": json.dumps(TRIPS),
    "list over lines": json.dumps(TRIPS, indent=1),
    "lines": "\n".join(map(json.dumps, TRIPS)) + "\n",
    "lines with gaps": "\n\r\n".join(map(json.dumps, TRIPS)),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(page(*TRIPS)).encode(),
    "UTF-16": json.dumps(page(*TRIPS), indent=1).encode("utf-16"),
    "pages that overlap": json.dumps([page(*TRIPS[:4]), page(*TRIPS[3:])]),
    "dotted names": "\n".join(
        json.dumps({**trip(n), "pickup": None, "pickup.timestamp": 1767259800 + n * 90_000}) for n in range(7)
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_records_are_found_in_every_shape(tmp_path: Path, shape: str) -> None:
    made = run(tmp_path, SHAPES[shape])
    assert jobs(made) == "7"
    assert made.rejects == ()
    assert {one.worker for one in made.statements} == {"d1"}


def test_pages_in_several_files_are_one_export(tmp_path: Path) -> None:
    made = run(tmp_path, json.dumps(page(*TRIPS[:4])), json.dumps(page(*TRIPS[3:])), json.dumps(page()))
    assert jobs(made) == "7"
    (repeated,) = made.reconciliation.left_out
    assert (repeated.rows, repeated.reason) == (1, "repeats an earlier row (same trip_id)")
    assert [rows for _, rows in made.reconciliation.files] == [4, 4, 0]


def test_rejects_carry_the_number_of_the_record(tmp_path: Path) -> None:
    wrong = [
        trip(0),
        trip(1, pickup={"timestamp": "soon"}),
        7,
        trip(2, trip_id=None),
        trip(3, dropoff={"timestamp": 1767259800 + 1}),
    ]
    made = run(tmp_path, json.dumps(page(*wrong)))
    assert [(one.line, one.reason) for one in made.rejects] == [
        (2, "pickup.timestamp, status_changes.0.timestamp not understood"),
        (3, "is not an object"),
        (4, "trip_id is empty"),
        (5, "not between 0 and 24 hours from pick-up to drop-off"),
    ]
    assert jobs(made) == "1"


def test_a_line_that_is_no_json_is_rejected_alone(tmp_path: Path) -> None:
    lines = [json.dumps(trip(0)), '{"trip_id": "t1", ', '{"a": 1, "a": 2}', '{"a": NaN}', json.dumps(trip(2))]
    made = run(tmp_path, "\n".join(lines))
    assert jobs(made) == "2"
    assert [one.line for one in made.rejects] == [2, 3, 4]
    assert [one.reason.split(" (")[0] for one in made.rejects] == ["is not JSON"] * 3
    assert "names a member twice" in made.rejects[1].reason


def test_numbers_keep_their_spelling() -> None:
    text = io.StringIO(
        '{"a": 0.1000000000000000055, "b": 12345678901234567890, "c": -1.50, "d": true, "e": null, "f": "1.50"}'
    )
    (record,) = jsonfiles.records(text, "", lines=False)
    assert jsonfiles.row(record, list("abcdefg")) == [
        "0.1000000000000000055", "12345678901234567890", "-1.50", "true", "", "1.50", ""
    ]  # fmt: skip


def test_paths_lead_into_objects_and_lists() -> None:
    text = io.StringIO('{"a": {"b": [{"c": 1}, {"c": 2}]}, "a.x": 3, "l": [], "o": {}, "s": "\\ud800\\u0000"}')
    (record,) = jsonfiles.records(text, "", lines=False)
    paths = ["a.b.0.c", "a.b.-1.c", "a.b.2.c", "a.x", "l.-1.c", "a.b", "o", "s", "a.b.c", "s.0"]
    assert jsonfiles.row(record, paths) == ["1", "2", "", "3", "", "a list", "an object", "\ufffd\ufffd", "", ""]


def test_who_a_file_is_about_is_asked_only_where_it_does_not_say(tmp_path: Path) -> None:
    nameless = [{name: value for name, value in trip(n).items() if name != "driver_id"} for n in range(2)]
    made = run(tmp_path, json.dumps(page(*nameless)), worker="me")
    assert {one.worker for one in made.statements} == {"me"}
    with pytest.raises(Malformed, match="name the worker"):
        run(tmp_path, json.dumps(page(nameless[0])), json.dumps(page(nameless[1])))
    made = run(tmp_path, json.dumps(page(trip(0))), json.dumps(page(trip(1))))
    assert {one.worker for one in made.statements} == {"d1"}


def test_the_day_of_a_time_in_utc_is_that_of_the_zone(tmp_path: Path) -> None:
    late = trip(0, pickup={"timestamp": 1772320560}, dropoff={"timestamp": 1772321400})  # 28 February 2026, 23:16 UTC
    made = run(tmp_path, json.dumps(page(late)))
    (history,) = made.statements
    assert history.claims["firstJob"] == "2026-03"
    path = tmp_path / "0.json"
    with pytest.raises(Malformed, match="--zone Europe/Paris"):
        attest(load_profile("uber"), [path])
    with pytest.raises(Malformed, match="no time zone is called 'Paris'"):
        attest(load_profile("uber"), [path], said=Said("Paris"))


WRONG: dict[str, tuple[str | bytes, str]] = {
    "not JSON": ('{\n"trips": [', "is not JSON: "),
    "cut off": (json.dumps(page(*TRIPS), indent=1)[:900], "is not JSON: "),
    "deep": ("[" * 100_000, "nested more than 32 deep"),
    "deep line": ('{"trips": ' + "[" * 50 + "]" * 50 + "}", "nested more than 32 deep"),
    "wide": (json.dumps({f"m{n}": n for n in range(5000)}), "more than 4096 members"),
    "huge number": ('{"trips": [{"trip_id": ' + "9" * 400_000 + "}]}", "without status, pickup.timestamp"),
    "other JSON": ('{"orders": [{"id": 1}]}', "without driver_id, activation_status"),
    "payments of a rider": (json.dumps({"payments": [{"payment_id": 1}]}), "without amount, currency_code, event_time"),
    "no records": (json.dumps(page()), "is empty: there are no rows in it"),
    "empty list": ("[]", "is empty: there are no rows in it"),
    "NUL": (b'{"trips": \0}', "NUL"),
    "not UTF-8": (b'{"trips": "\xff\xfe\x81\x8d"}', "is not text"),
    "no day": ('{"driver_id": "d1", "activation_status": "active"}', "nothing in it says of which day it is"),
    "nothing understood": (json.dumps(page(trip(0, pickup={"timestamp": "x"}))), "no row can be used"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_export_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    text, why = WRONG[name]
    with pytest.raises(VcError) as refused:
        run(tmp_path, text)
    assert str(refused.value).startswith(str(tmp_path / "0.json"))
    assert why in str(refused.value)
    assert len(str(refused.value)) < 400
    assert "\n" not in str(refused.value)


def test_a_document_and_a_line_have_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonfiles, "MAX_DOCUMENT", 1000)
    with pytest.raises(Malformed, match="write it as JSON Lines"):
        run(tmp_path, json.dumps(page(*TRIPS), indent=1))
    monkeypatch.setattr(jsonfiles, "MAX_RECORD", 2000)
    with pytest.raises(Malformed, match="line 2 is longer"):
        run(tmp_path, json.dumps(trip(0)) + "\n" + json.dumps(page(*TRIPS)))


def test_a_csv_profile_says_that_it_reads_no_json(tmp_path: Path) -> None:
    path = tmp_path / "trips.json"
    path.write_text(json.dumps(page(*TRIPS)))
    with pytest.raises(Malformed, match="is JSON, which profile wolt does not read"):
        attest(load_profile("wolt"), [path])


LINES = """
name = "test"
title = "t"
platform = "p"
category = "organised"
documented = "d"
assumed = "a"
provenance = "p"
[files.job]
title = "jobs"
format = "json"
required = ["id", "day"]
unique = ["id"]
[files.job.columns]
worker = '$worker'
day = '''day_of("day", '%Y-%m-%d')'''
[files.job.feeds]
jobs = "TRUE"
[statements.WorkHistory]
unitOfWork = "trip"
durationDefinition = "https://w3id.org/ouvrage/v1/durations/pickUpToDropOff"
"""


def test_long_json_lines_are_streamed_in_batches(tmp_path: Path) -> None:
    path = tmp_path / "me.jsonl"
    with path.open("w") as file:
        file.writelines(f'{{"id": {n}, "day": "2026-01-{n % 28 + 1:02d}"}}\n' for n in range(45_000))
    told: list[int] = []
    made = attest(Profile.parse(LINES.encode(), where="t"), [path], progress=lambda step: told.append(step.done))
    assert jobs(made) == "45000"
    assert len(told) >= 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("format = \"xml\"", "one of csv, json"),
        ("format = \"json\"\nrows = \"trips\"", "has to match"),
        ("format = \"json\"\ndelimiters = [\",\"]", "one character each"),
        ("format = \"json\"\neither = [\"id\"]", "a list of texts is needed"),
        ("format = \"json\"\neither = [[\"nothing\"]]", "may name no others"),
        ("format = \"json\"\ninessential = [\"hours\"]", "may only name canonical columns"),
        ("format = \"json\"\nequal = \"perhaps\"", "one of kept, repeated"),
    ],
)  # fmt: skip
def test_a_profile_says_what_is_wrong_with_a_kind_of_file(change: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        Profile.parse(LINES.replace('format = "json"', change).encode(), where="t")


NAMES = st.sampled_from(["trips", "trip_id", "status", "pickup", "timestamp", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def outcome(folder: Path, text: str) -> Attested | VcError:
    try:
        return run(folder, text)
    except VcError as refused:
        return refused


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(JSON, max_size=4), cut=st.integers(0, 40), good=st.booleans())
def test_only_our_errors_leave(tmp_path: Path, values: list[Any], cut: int, good: bool) -> None:
    text = "\n".join(map(json.dumps, ([trip(0)] if good else []) + values))
    text = text[: len(text) - cut] if not good else text
    found = outcome(tmp_path, text)
    if isinstance(found, VcError):
        assert str(found).startswith(str(tmp_path / "0.json"))
        assert not good
    else:
        assert found.reconciliation.rows_in >= 1
