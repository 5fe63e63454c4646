"""What profiles may call to read times, time zones, durations and distances of rides and deliveries.

Nothing is guessed: what is not spelt as the function says is NULL.
"""

# ruff: noqa: S608  (all of this SQL is ours)

from typing import Final

# A fraction of a second and a zone behind a time of day. Exports write "Z" behind local times too: a zone counts only
# where the function says so.
_BEHIND: Final = r"([0-9]:[0-9]{2}(:[0-9]{2})?)([.,][0-9]+)? ?(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}( ?UTC)?)?$"
_OFFSET: Final = r":[0-9]{2}[0-9:.,]* ?([+-])([0-9]{2}):?([0-9]{2})( ?UTC)?$"
_FORMS: Final = "['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M']"
_UNIX: Final = r"1[0-9]{8,9}([.][0-9]+)?"

CLOCK_MACROS: Final = rf"""
-- The time that is written, whatever stands behind it.
CREATE MACRO clock_of(t) AS regexp_replace(regexp_replace(t, '{_BEHIND}', '\1'), '^([0-9/.-]+)T', '\1 ');
CREATE MACRO moment_of(t, form := {_FORMS}) AS
    CASE WHEN year(try_strptime(clock_of(t), form)) BETWEEN 1990 AND 2099 THEN try_strptime(clock_of(t), form) END;
-- Minutes that a written time is ahead of UTC; NULL where it names no distance from it.
CREATE MACRO ahead_of(t) AS
    TRY_CAST(concat(regexp_extract(t, '{_OFFSET}', 1), regexp_extract(t, '{_OFFSET}', 2)) AS INTEGER) * 60
    + TRY_CAST(concat(regexp_extract(t, '{_OFFSET}', 1), regexp_extract(t, '{_OFFSET}', 3)) AS INTEGER);
-- The time in UTC: of a written one that is in UTC or names its distance from it; of (milli)seconds since 1970.
CREATE MACRO utc_of(t) AS
    CASE WHEN regexp_full_match(t, '{_UNIX}')
             THEN make_timestamp(TRY_CAST(regexp_extract(t, '^[0-9]{{1,10}}') AS BIGINT) * 1000000)
         WHEN regexp_full_match(t, '1[0-9]{{11,12}}')
             THEN make_timestamp(TRY_CAST(regexp_extract(t, '^[0-9]{{1,13}}') AS BIGINT) * 1000)
         WHEN regexp_matches(t, '{_OFFSET}') THEN moment_of(t) - to_minutes(ahead_of(t))
         ELSE moment_of(t) END;
-- The time on clocks in a zone of the tz database, such as Europe/Paris.
CREATE MACRO local_of(moment, zone) AS
    CASE WHEN list_contains((SELECT list(name) FROM pg_timezone_names()), zone)
         THEN timezone(zone, timezone('UTC', moment)) END;
CREATE MACRO slot_of(moment) AS
    CASE WHEN hour(moment) < 6 THEN 'night' WHEN hour(moment) < 12 THEN 'morning'
         WHEN hour(moment) < 18 THEN 'afternoon' WHEN hour(moment) < 24 THEN 'evening' END;

-- A number of any size, as programs write it: 0.00049 is 4.9E-4 too.
CREATE MACRO measure_of(t) AS
    CASE WHEN regexp_full_match(t, '[+-]?([0-9]{{1,9}}([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{{1,2}})?')
         THEN TRY_CAST(t AS DECIMAL(18,6)) END;
-- Exact numbers divide into inexact ones, so that hours are 1/3600 of seconds to eighteen places.
CREATE MACRO hours_in(seconds) AS
    CAST(CAST(seconds AS DECIMAL(15,6)) * CAST(0.000277777777777778 AS DECIMAL(18,18)) AS DECIMAL(18,6));
CREATE MACRO hours_from(start, finish) AS hours_in(date_diff('second', start, finish));
CREATE MACRO km_of(miles) AS CAST(CAST(miles AS DECIMAL(18,6)) * 1.609344 AS DECIMAL(18,6));
-- Money in which a comma before one or two last figures is the decimal sign: 12.5; 12,50; 1,234.50; -$3.
CREATE MACRO amount_of(t) AS
    CASE WHEN regexp_full_match(t, '[+-]?[0-9]{{1,9}},[0-9]{{1,2}}') THEN number_of(replace(t, ',', '.'))
         ELSE money_of(t, '$') END;
"""
