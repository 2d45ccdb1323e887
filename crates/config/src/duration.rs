//! Durations as Go writes them: `8760h0m0s`, `1.5h`, `-5s`.
//!
//! Flags of kube-controller-manager are read by Go's `time.ParseDuration`, whose language is neither ISO 8601 nor that of any
//! crate: it has no days, takes a sign, and says `0` without a unit. What it refuses is refused here, in its words.

use time::Duration;

/// Why a text is not a duration. The messages are Go's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DurationError {
    /// No number where one must be, or more nanoseconds than 63 bits hold.
    #[error("time: invalid duration {0:?}")]
    Invalid(String),
    /// A number with nothing behind it.
    #[error("time: missing unit in duration {0:?}")]
    MissingUnit(String),
    /// Something behind a number that is not a unit; days and weeks are none.
    #[error("time: unknown unit {unit:?} in duration {text:?}")]
    UnknownUnit {
        /// What stands behind the number.
        unit: String,
        /// The whole text.
        text: String,
    },
}

/// The duration that `text` means to Go's `time.ParseDuration`.
///
/// # Errors
/// Where Go's function returns one.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanoseconds, behind) = component(rest, text)?;
        total = total.checked_add(nanoseconds).filter(|&sum| sum <= MAGNITUDE).ok_or_else(invalid)?;
        rest = behind;
    }
    let nanoseconds = match negative {
        true => 0_i64.checked_sub_unsigned(total),
        false => i64::try_from(total).ok(),
    };
    nanoseconds.map(Duration::nanoseconds).ok_or_else(invalid)
}

/// A number of seconds as such a text, in the fewest words: `8760h`, `1h30m`.
pub fn of_seconds(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    let words = [(hours, 'h'), (minutes, 'm'), (seconds, 's')];
    let text: String = words
        .iter()
        .filter(|(number, _)| *number != 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn component<'a>(rest: &'a str, text: &str) -> Result<(u64, &'a str), DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let (whole, rest) = split_digits(rest);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(end);
    let scale = match unit {
        "" => return Err(DurationError::MissingUnit(text.to_owned())),
        unit => nanoseconds_in(unit)
            .ok_or_else(|| DurationError::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() })?,
    };
    let whole: u64 = match whole {
        "" => 0,
        digits => digits.parse().map_err(|_| invalid())?,
    };
    let sum = whole
        .checked_mul(scale)
        .and_then(|nanoseconds| nanoseconds.checked_add(fraction_of(fraction, scale)));
    sum.filter(|&sum| sum <= MAGNITUDE).map(|sum| (sum, rest)).ok_or_else(invalid)
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// The part of a unit that the digits behind a point say. Floating point, and only as many digits as fit 63 bits, because Go
/// does so: the last nanosecond depends on it.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1_f64);
    for digit in digits.bytes().map(|digit| u64::from(digit - b'0')) {
        if value > (MAGNITUDE - 1) / 10 {
            break;
        }
        let next = value * 10 + digit;
        if next > MAGNITUDE {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

fn nanoseconds_in(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // Go takes both the micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// The largest magnitude in nanoseconds: that of the most negative duration.
const MAGNITUDE: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from Go 1.26.8's `time.ParseDuration`.
    const ACCEPTED: [(&str, i64); 23] = [
        ("0", 0),
        ("-0", 0),
        ("0s", 0),
        ("+5s", 5_000_000_000),
        ("-5s", -5_000_000_000),
        ("8760h0m0s", 31_536_000_000_000_000),
        ("1.5h", 5_400_000_000_000),
        ("100ms", 100_000_000),
        ("1us", 1_000),
        ("1\u{b5}s", 1_000),
        ("1\u{3bc}s", 1_000),
        ("1ns", 1),
        ("1.5ns", 1),
        ("1.s", 1_000_000_000),
        (".5m", 30_000_000_000),
        ("5m1h", 3_900_000_000_000),
        ("2562047h47m16.854775807s", i64::MAX),
        ("-2562047h47m16.854775808s", i64::MIN),
        ("-9223372036854775808ns", i64::MIN),
        ("0.9223372036854775807h", 3_320_413_933_267),
        ("0.100000000000000000000h", 360_000_000_000),
        ("9007199254.740993ms", 9_007_199_254_740_993),
        ("0.830103483285477580700h", 2_988_372_539_827),
    ];

    /// As above, with what Go says.
    const REFUSED: [(&str, &str); 19] = [
        ("", "time: invalid duration \"\""),
        ("-", "time: invalid duration \"-\""),
        ("+", "time: invalid duration \"+\""),
        ("s", "time: invalid duration \"s\""),
        (".s", "time: invalid duration \".s\""),
        ("-.s", "time: invalid duration \"-.s\""),
        ("--1s", "time: invalid duration \"--1s\""),
        ("3", "time: missing unit in duration \"3\""),
        ("1.1.1s", "time: missing unit in duration \"1.1.1s\""),
        ("1d", "time: unknown unit \"d\" in duration \"1d\""),
        ("1H", "time: unknown unit \"H\" in duration \"1H\""),
        ("1h 5m", "time: unknown unit \"h \" in duration \"1h 5m\""),
        ("1h-5m", "time: unknown unit \"h-\" in duration \"1h-5m\""),
        ("1e3s", "time: unknown unit \"e\" in duration \"1e3s\""),
        ("0x1s", "time: unknown unit \"x\" in duration \"0x1s\""),
        ("3000000h", "time: invalid duration \"3000000h\""),
        ("99999999999999999999h", "time: invalid duration \"99999999999999999999h\""),
        ("9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""),
        ("2562047h47m16.854775808s", "time: invalid duration \"2562047h47m16.854775808s\""),
    ];

    #[test]
    fn what_go_reads_is_read_to_the_nanosecond() {
        for (text, nanoseconds) in ACCEPTED {
            assert_eq!(parse(text), Ok(Duration::nanoseconds(nanoseconds)), "{text}");
        }
    }

    #[test]
    fn seconds_are_written_as_they_are_read() {
        for (seconds, text) in [
            (0, "0s"),
            (31_536_000, "8760h"),
            (5400, "1h30m"),
            (61, "1m1s"),
            (i32::MAX.into(), "596523h14m7s"),
        ] {
            assert_eq!(of_seconds(seconds), text);
            assert_eq!(parse(text), Ok(Duration::seconds(seconds)));
        }
    }

    #[test]
    fn what_go_refuses_is_refused_in_its_words() {
        for (text, message) in REFUSED {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
