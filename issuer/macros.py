"""What profiles may call to read the numbers, dates and words of exports that people in several countries make.

Nothing is guessed: what could be read in two ways, or is not spelt as the function says, is NULL.
"""

# ruff: noqa: E501  (a pattern is read whole)

from typing import Final

# A time of day behind a date, and a zone behind that. Texts are compared without accents, in small letters.
_TIME: Final = r"[t ,]*(a |at )?[0-9]{1,2}[:h][0-9]{2}([:m][0-9]{2}([.,][0-9]+)?)? ?([ap][.]?m[.]?)?"
_ZONE: Final = r"( ?(utc|gmt)?[+-][0-9]{1,2}:?([0-9]{2})?| ?[a-z]{1,5})?( ?[(].*[)])?"
_REST: Final = rf"({_TIME}{_ZONE})?"
_ZONED: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[t ][0-9]{2}:[0-9:.]+ ?(z|utc|gmt|[+-][0-9]{2}:?([0-9]{2})?)"
_WEEKDAY: Final = r"([a-z]{2,9}[.]?,? )?"
# The beginnings of the months' names in English, French, Spanish, Portuguese, Italian and German.
_MONTHS: Final = (
    *("jan|ene|gen", "fe[bv]", "mar|mrz", "a[bvp]r", "ma[iy]|mag", "jun|juin|giu"),
    *("jul|juil|lug", "ao?ut|aug|ago", "se[pt]", "o[ckt]t|out", "nov", "de[czs]|dic"),
)
_MONTH_CASES: Final = " ".join(f"WHEN regexp_matches(w, '^({names})') THEN {at}" for at, names in enumerate(_MONTHS, 1))
_SIGNS: Final = r"(us|r)?[$]|€|£|¥|元|(/|par|per) ?(h|heures?|hours?|j|jours?|days?)\b|\b(eur|euros?|usd|us|gbp|chf|cny|rmb|brl|ht|ttc|h[.]t[.])\b"

LOCAL_MACROS: Final = rf"""
-- Small letters without accents, blanks of all kinds as one space; and the same without any mark, where "ANNULÉE_PAR-LUI"
-- and "annulee par lui" are one.
CREATE MACRO plain_of(t) AS
    trim(regexp_replace(lower(strip_accents(t)), '[\s\x{{A0}}\x{{202F}}\x{{2007}}\x{{2009}}]+', ' ', 'g'));
CREATE MACRO word_of(t) AS trim(regexp_replace(plain_of(t), '[^a-z0-9]+', ' ', 'g'));

-- A number in which comma or point is the decimal sign and the other one, blanks or apostrophes group by three. A lone
-- sign before three digits ("1,234") could be either, and is not understood.
CREATE MACRO decimal_of(n) AS
    CASE WHEN regexp_full_match(n, '[+-]?[0-9]{{1,9}}') THEN TRY_CAST(n AS DECIMAL(18,6))
         WHEN regexp_full_match(n, '[+-]?[1-9][0-9]{{0,2}}[.,][0-9]{{3}}') THEN NULL
         WHEN regexp_full_match(n, '[+-]?([0-9]{{1,9}}[.,][0-9]*|[.,][0-9]+)')
             THEN TRY_CAST(replace(n, ',', '.') AS DECIMAL(18,6))
         WHEN regexp_full_match(n, '[+-]?[0-9]{{1,3}}(([.][0-9]{{3}}){{1,2}},[0-9]+|([.][0-9]{{3}}){{2}})')
             THEN TRY_CAST(replace(replace(n, '.', ''), ',', '.') AS DECIMAL(18,6))
         WHEN regexp_full_match(n, '[+-]?[0-9]{{1,3}}((,[0-9]{{3}}){{1,2}}[.][0-9]+|(,[0-9]{{3}}){{2}})')
             THEN TRY_CAST(replace(n, ',', '') AS DECIMAL(18,6))
         WHEN regexp_full_match(n, '[+-]?[0-9]{{1,3}}([ ''’][0-9]{{3}}){{1,2}}([.,][0-9]*)?')
             THEN TRY_CAST(replace(regexp_replace(n, '[ ''’]', '', 'g'), ',', '.') AS DECIMAL(18,6)) END;
-- Money as people write it: 1 234,56 €; 1.234,56; $1,234.56; 12€50; EUR 12; - 12,50.
CREATE MACRO comma_of(t) AS
    decimal_of(regexp_replace(trim(regexp_replace(
        regexp_replace(plain_of(t), '^([0-9]+) ?€ ?([0-9]{{2}})$', '\1.\2'), '{_SIGNS}', '', 'g')), '^([+-]) ', '\1'));
-- The currency that an amount is written in; ``other`` where it names none.
CREATE MACRO currency_of(t, other) AS
    CASE WHEN regexp_matches(t, '€|(?i)eur') THEN 'EUR' WHEN contains(t, '£') THEN 'GBP'
         WHEN regexp_matches(t, '(?i)r[$]|brl') THEN 'BRL' WHEN regexp_matches(t, '[$]|(?i)usd') THEN 'USD'
         WHEN regexp_matches(t, '(?i)chf') THEN 'CHF' WHEN regexp_matches(t, '¥|元|(?i)cny|rmb') THEN 'CNY'
         ELSE other END;
-- A code or a sign of a currency as its code.
CREATE MACRO currency_code_of(t) AS
    CASE WHEN regexp_full_match(t, '[A-Za-z]{{3}}') THEN upper(t) ELSE currency_of(t, NULL) END;

-- Hours: 2; 2,5; 2.50; 2h; 2h30; 2 h 30; 2:30; 2 heures; 90 min.
CREATE MACRO hours_of(t) AS
    CASE WHEN regexp_full_match(plain_of(t), '[0-9]{{1,4}}([.,][0-9]*)? ?(h|hrs?|hours?|heures?)?[.]?')
             THEN TRY_CAST(replace(regexp_extract(plain_of(t), '[0-9]+([.,][0-9]+)?'), ',', '.') AS DECIMAL(18,6))
         WHEN regexp_full_match(
             plain_of(t), '[0-9]{{1,4}} ?(h|heures?|hours?|:) ?[0-5][0-9] ?(m|mn|min|minutes?)?(:[0-5][0-9])?')
             THEN TRY_CAST(TRY_CAST(regexp_extract(plain_of(t), '^[0-9]+') AS INTEGER)
                  + TRY_CAST(TRY_CAST(regexp_extract(plain_of(t), '[^0-9]([0-5][0-9])', 1) AS INTEGER) / 60 AS DECIMAL(9,6))
                  AS DECIMAL(18,6))
         WHEN regexp_full_match(plain_of(t), '[0-9]{{1,5}} ?(m|mn|min|minutes?)[.]?')
             THEN TRY_CAST(TRY_CAST(regexp_extract(t, '[0-9]+') AS INTEGER) / 60 AS DECIMAL(18,6)) END;

-- Hours of a job: those of the first column that has some, else its length, if that says its unit or is no more than 12.
CREATE MACRO hours_worked(given, length) AS
    coalesce(hours_of(given), CASE WHEN given IS NULL AND (regexp_matches(length, '[a-zA-Z:]') OR hours_of(length) <= 12)
                                   THEN hours_of(length) END);

-- Stars: 4; 4,5; 4.5/5; 5 étoiles; ★★★★☆. What is out of ten or a hundred is not understood.
CREATE MACRO stars_of(t) AS
    CASE WHEN regexp_full_match(trim(t), '[★⭐]{{1,5}}[☆]{{0,4}}')
             THEN TRY_CAST(length(regexp_replace(trim(t), '[^★⭐]', '', 'g')) AS DECIMAL(18,6))
         WHEN regexp_full_match(
             plain_of(t), '[0-9]{{1,3}}([.,][0-9]+)? ?(/ ?5([.,]0+)?|sur 5|out of 5|etoiles?|stars?|★)?')
             THEN TRY_CAST(replace(regexp_extract(plain_of(t), '^[0-9]+([.,][0-9]+)?'), ',', '.') AS DECIMAL(18,6)) END;

-- A date, alone or before a time: 2026-04-07; 07/04/2026, 7-4-26 (``ord`` says which is the day: dmy or mdy); 07.04.2026;
-- 7 avril 2026; Tue Apr 07 12:00:00 PDT 2026; seconds or milliseconds since 1970. Where a time is in UTC or names its
-- distance from it, the day is that of ``zone``; else it is the one that is written.
CREATE MACRO month_named(w) AS CASE {_MONTH_CASES} END;
CREATE MACRO day_made(y, m, d) AS
    CASE WHEN length(y) = 4 AND TRY_CAST(y AS INTEGER) BETWEEN 1990 AND 2099 THEN TRY_CAST(concat_ws('-', y, m, d) AS DATE)
         WHEN length(y) = 2 THEN TRY_CAST(concat_ws('-', concat('20', y), m, d) AS DATE) END;
CREATE MACRO day_at(moment, zone) AS
    CASE WHEN year(moment) BETWEEN 1990 AND 2099 THEN TRY_CAST(timezone(zone, moment) AS DATE) END;
CREATE MACRO day_in_figures(t, ord) AS
    CASE WHEN ord = 'mdy' AND NOT contains(t, '.')
             THEN day_made(regexp_extract(t, '^[0-9]+[/.-][0-9]+[/.-]([0-9]+)', 1),
                           regexp_extract(t, '^[0-9]+'), regexp_extract(t, '^[0-9]+[/.-]([0-9]+)', 1))
         ELSE day_made(regexp_extract(t, '^[0-9]+[/.-][0-9]+[/.-]([0-9]+)', 1),
                       regexp_extract(t, '^[0-9]+[/.-]([0-9]+)', 1), regexp_extract(t, '^[0-9]+')) END;
CREATE MACRO date_plain(t, ord, zone) AS
    CASE WHEN regexp_full_match(t, '{_ZONED}') THEN day_at(TRY_CAST(upper(t) AS TIMESTAMPTZ), zone)
         WHEN regexp_full_match(t, '[0-9]{{4}}[/.-][0-9]{{1,2}}[/.-][0-9]{{1,2}}{_REST}')
             THEN day_made(regexp_extract(t, '^[0-9]{{4}}'), regexp_extract(t, '^[0-9]{{4}}[/.-]([0-9]+)', 1),
                           regexp_extract(t, '^[0-9]{{4}}[/.-][0-9]+[/.-]([0-9]+)', 1))
         WHEN regexp_full_match(t, '[0-9]{{1,2}}([/-][0-9]{{1,2}}[/-]|[.][0-9]{{1,2}}[.])([0-9]{{4}}|[0-9]{{2}}){_REST}')
             THEN day_in_figures(regexp_extract(t, '^[0-9./-]+'), ord)
         WHEN regexp_full_match(
             t, '{_WEEKDAY}(le )?[0-9]{{1,2}}(er|st|nd|rd|th|[.])?[ -](de )?[a-z]{{3,10}}[.]?,?[ -](de )?[0-9]{{4}}{_REST}')
             THEN day_made(regexp_extract(t, '(^|[^0-9])([0-9]{{4}})([^0-9]|$)', 2),
                           month_named(regexp_extract(t, '[0-9](er|st|nd|rd|th|[.])?[ -](de )?([a-z]{{3,10}})', 3)),
                           regexp_extract(t, '[0-9]+'))
         WHEN regexp_full_match(
             t, '{_WEEKDAY}[a-z]{{3,10}}[.]? [0-9]{{1,2}}(st|nd|rd|th)?,?( [0-9]{{4}}{_REST}|{_TIME}{_ZONE} [0-9]{{4}})')
             THEN day_made(regexp_extract(t, ' ([0-9]{{4}})( |,|$)', 1),
                           month_named(regexp_extract(t, '([a-z]{{3,10}})[.]? [0-9]', 1)),
                           regexp_extract(t, '[0-9]+'))
         WHEN regexp_full_match(t, '[0-9]{{9,10}}([.][0-9]+)?') THEN day_at(to_timestamp(TRY_CAST(t AS DOUBLE)), zone)
         WHEN regexp_full_match(t, '[0-9]{{12,13}}') THEN day_at(to_timestamp(TRY_CAST(t AS DOUBLE) / 1000), zone) END;
CREATE MACRO date_of(t, ord, zone) AS date_plain(plain_of(t), ord, zone);

-- Hours between two times that are written alike, a month at most; times that name different zones are not compared.
CREATE MACRO time_written_in(t) AS
    try_strptime(trim(regexp_replace(regexp_replace(t, '([.][0-9]+)? ?([A-Z]{{2,4}}|Z|[+-][0-9]{{2}}:?[0-9]{{2}})( |$)', ' '), 'T', ' ')),
                 ['%a %b %d %H:%M:%S %Y', '%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M']);
CREATE MACRO zone_in(t) AS regexp_extract(t, '(Z|[A-Z]{{2,4}}|[+-][0-9]{{2}}:?[0-9]{{2}})( [0-9]{{4}})?$');
CREATE MACRO hours_between(first, last) AS
    CASE WHEN regexp_full_match(first, '[0-9]{{9,10}}([.][0-9]+)?') AND regexp_full_match(last, '[0-9]{{9,10}}([.][0-9]+)?')
         THEN CASE WHEN TRY_CAST(last AS DECIMAL(18,6)) - TRY_CAST(first AS DECIMAL(18,6)) BETWEEN 0 AND 2678400
                   THEN hours_in(TRY_CAST(last AS DECIMAL(18,6)) - TRY_CAST(first AS DECIMAL(18,6))) END
         WHEN zone_in(first) = zone_in(last) AND epoch(time_written_in(last)) - epoch(time_written_in(first)) BETWEEN 0 AND 2678400
         THEN hours_from(time_written_in(first), time_written_in(last)) END;

-- A word of a platform as it is shown: no longer than a word or five, without figures that could be an address.
CREATE MACRO word_shown(t) AS CASE WHEN regexp_full_match(trim(t), '[^0-9@<>{{}}]{{2,60}}') THEN trim(t) END;
CREATE MACRO departement_of(t) AS
    CASE WHEN regexp_matches(t, '(^|[^0-9])9[78][0-9]{{3}}([^0-9]|$)')
             THEN regexp_extract(t, '(^|[^0-9])(9[78][0-9])[0-9]{{2}}([^0-9]|$)', 2)
         WHEN regexp_matches(t, '(^|[^0-9])[0-9]{{5}}([^0-9]|$)')
             THEN regexp_extract(t, '(^|[^0-9])([0-9]{{2}})[0-9]{{3}}([^0-9]|$)', 2)
         WHEN regexp_full_match(t, '[0-9]{{4}}([.]0)?') THEN concat('0', left(t, 1))
         WHEN regexp_full_match(upper(t), '[0-9]{{2,3}}|2[AB]') THEN upper(t) END;
-- A place, coarse: the département of a French postcode, else a name without figures.
CREATE MACRO area_of(postcode, city) AS
    coalesce(departement_of(postcode), departement_of(city), word_shown(city), word_shown(postcode));

-- What became of a mission: paid, done, booked, applied, posted, lost, refunded, cancelled, cancelledByClient,
-- cancelledByWorker.
CREATE MACRO jobbing_word(w) AS
    CASE WHEN regexp_matches(w, '\b(refund(ed)?|rembours[a-z]*|litige|dispute(d)?|contested|conteste(e)?)\b') THEN 'refunded'
         WHEN regexp_matches(w, 'cancel|annul|abandon|desist') THEN 'cancelled'
         WHEN regexp_matches(w, '\b(unpaid|impaye(e)?s?|non paye(e)?s?|not paid|a payer|a regler|to pay|to be paid)\b')
              OR regexp_matches(w, '(paiement|payment).*(attente|pending|cours)|(attente|pending|waiting).*(paiement|payment)')
             THEN 'done'
         WHEN regexp_matches(w, '\b(paid|payed|paye(e)?s?|paidout|regle(e)?s?|remunere(e)?s?|verse(e)?s?|encaisse(e)?s?|solde(e)?s?)\b')
              OR regexp_full_match(w, 'paiement (effectue|recu|valide|ok)|payment (done|received|sent|ok)') THEN 'paid'
         WHEN regexp_matches(w, '\b(refus[a-z]*|reject[a-z]*|rejete(e)?s?|decline[a-z]*|lost|perdue?s?|expire[a-z]*|archiv[a-z]*|ignored)\b')
              OR regexp_matches(w, '\b(non retenue?|not selected|sans suite|unanswered|deleted|supprime(e)?|pourvue?|filled|taken)\b')
              AND NOT starts_with(w, 'a pourvoir') THEN 'lost'
         WHEN regexp_matches(w, '\b(done|finished|complete(d)?|termine(e)?s?|realise(e)?s?|effectue(e)?s?|faite?s?|valide(e)?s?)\b')
              OR regexp_matches(w, '\b(validated|closed|cloture(e)?s?|acheve(e)?s?|invoiced|facture(e)?s?|finie?s?|ended)\b')
             THEN 'done'
         WHEN regexp_matches(w, '\b(booked|book|booking|reserve[a-z]*|reservations?|accepte[a-z]*|confirm[a-z]*|planned|planifie(e)?)\b')
              OR regexp_matches(w, '\b(programme(e)?|scheduled|assigned|attribue(e)?|in progress|ongoing|started|en cours)\b')
              OR regexp_matches(w, '\b(commence(e)?|demarre(e)?|hired|selected|selectionne(e)?|retenue?|a venir|upcoming|active)\b')
             THEN 'booked'
         WHEN regexp_matches(w, '\b(postul[a-z]*|applied|apply|application|candidat[a-z]*|propos[a-z]*|offered|devis|quoted)\b')
              OR regexp_matches(w, '\b(pending|attente|waiting|answered|repondue?|interested|interesse(e)?)\b') THEN 'applied'
         WHEN regexp_matches(w, '\b(post(ed)?|publi[a-z]*|poste(e)?s?|open(ed)?|ouverte?s?|new|nouveau|nouvelle|draft|brouillon)\b')
              OR regexp_matches(w, '\b(available|disponible|created?|cree(e)?|viewed|vue?|seen|request(ed)?|demande(e)?|a pourvoir|offer|offre)\b')
             THEN 'posted' END;
CREATE MACRO whose_word(w) AS
    CASE WHEN regexp_matches(w, 'client|customer|demandeur|particulier|employ|poster|requester|guest|voyageur|buyer') THEN 'ByClient'
         WHEN regexp_matches(w, 'worker|jobb|prestataire|intervenant|provider|tasker|helper|freelance|\b(moi|me|host|hote|seller)\b')
             THEN 'ByWorker' ELSE '' END;
CREATE MACRO jobbing_state(state, payment, whose) AS
    CASE jobbing_word(word_of(state))
         WHEN 'cancelled' THEN concat('cancelled', whose_word(concat_ws(' ', word_of(whose), word_of(state))))
         WHEN 'done' THEN CASE WHEN jobbing_word(word_of(payment)) = 'paid' THEN 'paid' ELSE 'done' END
         ELSE jobbing_word(word_of(state)) END;

-- What a line of a host's earnings is: reservation, payout, adjustment, tax. In English, French, Portuguese, Spanish,
-- German and Italian.
CREATE MACRO hosting_word(w) AS
    CASE WHEN regexp_matches(w, '\b(tax|taxes|taxe|pass through|tot|impostos?|impuestos?|steuern?|tasse?|vat|iva|tva)\b') THEN 'tax'
         WHEN regexp_matches(w, '^(reservations?|reservas?|reservierung|buchung|prenotazion[ei]|sejour|stay|home|experience|booking)$')
             THEN 'reservation'
         WHEN regexp_matches(w, 'resol|adjust|ajust|anpassung|rettific|adeguament|korrektur|cancel|annul|storn|cancell|credit|guthaben')
              OR regexp_matches(w, 'refund|rembours|reembols|reemborso|rimbors|erstatt|damage|domma|dano|danni|bonus|co host|cohost|coanf|fast pay')
             THEN 'adjustment'
         WHEN regexp_matches(w, '^(payout|versement|virement|paiement|pagamento|repasse|pago|cobro|transferencia|auszahlung|payment)')
             THEN 'payout' END;
CREATE MACRO hosting_line(t) AS hosting_word(word_of(t));

-- What became of a task: accepted, rejected, submitted (not judged yet), unfinished.
CREATE MACRO microwork_word(w) AS
    CASE WHEN regexp_matches(w, '\b(not|non|un|pas)\b.*\b(approve|accept|valid)') THEN 'rejected'
         WHEN regexp_full_match(w, '(auto ?)?(approved?|accepte?[des]*|validate?[d]?|validee?s?|valide|ok|paid|payee?s?|true|yes|oui|1|t|passed|correct|good)')
              OR regexp_matches(w, '^(approve|accept|valid)') THEN 'accepted'
         WHEN regexp_matches(w, '^(reject|refus|rejet|declin|invalid|fail|incorrect|bad)') OR w IN ('false', 'no', 'non', '0', 'f', 'ko')
             THEN 'rejected'
         WHEN regexp_matches(w, '^(submit|soumis|pending|waiting|en attente|attente|a valider|a verifier|in review|review|done|complete|termine|answered|envoye)')
             THEN 'submitted'
         WHEN regexp_matches(w, '^(return|expir|abandon|cancel|annul|book|reserv|assign|en cours|in progress|started|skipped|rendu|timeout)')
             THEN 'unfinished' END;
CREATE MACRO microwork_state(t) AS microwork_word(word_of(t));

-- The last day of a year's month; of a year alone, or of a period that ends with one ("2025-12-31", "01/01/2025-31/12/2025").
CREATE MACRO quarter_end(y, m) AS
    CASE WHEN TRY_CAST(regexp_extract(y, '((19|20)[0-9]{{2}})[^0-9]*([0-9]{{2}}[^0-9]*){{0,2}}$', 1) AS INTEGER) BETWEEN 1990 AND 2099
         THEN last_day(make_date(TRY_CAST(regexp_extract(y, '((19|20)[0-9]{{2}})[^0-9]*([0-9]{{2}}[^0-9]*){{0,2}}$', 1) AS INTEGER), CAST(m AS INTEGER), 1))
         END;
"""
