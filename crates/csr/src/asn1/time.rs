//! Times as Go's `encoding/asn1` reads them: what exists, and is written as DER writes it.

use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// `YYMMDDhhmm[ss]` and a zone; the years from 50 on are in the 20th century.
pub(super) fn utc_time(octets: &[u8]) -> Option<OffsetDateTime> {
    let (digits, zone) = split_digits(octets);
    let (date, clock) = digits.split_at_checked(6)?;
    // Go looks for the leap day in the century that its own pivot, 69, gives, and corrects the year afterwards.
    let year = number(&date[..2]);
    let century = if year >= 69 { 1900 } else { 2000 };
    let found = at(century + year, &date[2..], clock)?;
    let correction = if (50..69).contains(&year) { 100 } else { 0 };
    let corrected = found.replace_year(found.year() - correction).unwrap_or(found);
    corrected.assume_utc().checked_sub(offset(zone)?)
}

/// `YYYYMMDDhhmmss`, a fraction without trailing zeros, and a zone.
pub(super) fn generalized_time(octets: &[u8]) -> Option<OffsetDateTime> {
    let (digits, mut zone) = split_digits(octets);
    if let [b'.', rest @ ..] = zone {
        let (fraction, after) = split_digits(rest);
        if !(1..=9).contains(&fraction.len()) || fraction.ends_with(b"0") {
            return None;
        }
        zone = after;
    }
    if digits.len() != 14 {
        return None;
    }
    let local = at(number(&digits[..4]), &digits[4..8], &digits[8..])?;
    // West of Greenwich the last day of 9999 reaches into a year that only Go can hold.
    Some(local.assume_utc().saturating_sub(offset(zone)?))
}

/// The digits at the start, and what follows.
fn split_digits(octets: &[u8]) -> (&[u8], &[u8]) {
    octets.split_at(octets.iter().take_while(|octet| octet.is_ascii_digit()).count())
}

fn number(digits: &[u8]) -> i32 {
    digits.iter().fold(0, |value, &digit| value * 10 + i32::from(digit.saturating_sub(b'0')))
}

/// The time `hhmm` or `hhmmss` on the day `MMDD` of a year.
fn at(year: i32, day: &[u8], clock: &[u8]) -> Option<PrimitiveDateTime> {
    let two = |digits: &[u8]| u8::try_from(number(digits)).ok();
    let date =
        Date::from_calendar_date(year, Month::try_from(two(&day[..2])?).ok()?, two(&day[2..])?).ok()?;
    let second = match clock.len() {
        4 => 0,
        6 => two(&clock[4..])?,
        _ => return None,
    };
    Some(date.with_time(Time::from_hms(two(&clock[..2])?, two(&clock[2..4])?, second).ok()?))
}

/// `Z`, or an offset `±hhmm` other than zero, which DER writes as `Z`.
fn offset(zone: &[u8]) -> Option<Duration> {
    let (sign, digits) = match zone {
        b"Z" => return Some(Duration::ZERO),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let sound = digits.len() == 4 && digits.iter().all(u8::is_ascii_digit);
    let (hours, minutes) = (number(digits.get(..2)?), number(digits.get(2..)?));
    let sound = sound && hours <= 24 && minutes < 60 && hours + minutes > 0;
    sound.then(|| Duration::minutes(i64::from(sign * (hours * 60 + minutes))))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn times_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("2611221530Z", datetime!(2026-11-22 15:30 UTC)),
            ("261122153059Z", datetime!(2026-11-22 15:30:59 UTC)),
            ("491231235959Z", datetime!(2049-12-31 23:59:59 UTC)),
            ("500101000000Z", datetime!(1950-01-01 0:00 UTC)),
            ("680101000000Z", datetime!(1968-01-01 0:00 UTC)),
            ("990101000000Z", datetime!(1999-01-01 0:00 UTC)),
            ("240229235959-2400", datetime!(2024-03-01 23:59:59 UTC)),
            ("261122153059+0130", datetime!(2026-11-22 14:00:59 UTC)),
        ] {
            assert_eq!(utc_time(text.as_bytes()), Some(expected), "{text}");
        }
        let expected = datetime!(2060-01-02 3:04:05 UTC);
        for text in ["20600102030405Z", "20600102030405.25Z", "20600102040405+0100"] {
            assert_eq!(generalized_time(text.as_bytes()), Some(expected), "{text}");
        }
        for text in ["99991231235959-0001", "99991231235959-2400"] {
            let last = datetime!(9999-12-31 23:59:59.999_999_999 UTC);
            assert_eq!(generalized_time(text.as_bytes()), Some(last), "{text}");
        }
    }
}
