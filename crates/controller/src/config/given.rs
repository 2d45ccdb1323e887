//! Values of flags, read from their text. A text that is not of its flag's kind is written down as a problem, and a neutral
//! value goes on in its place, so that the rest of the configuration is checked as well.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use time::Duration;

use crate::cli::args::Args;
use crate::config::{InvalidValue, Origin, Problem};
use ::config::{duration, range};

/// Flags being read, and what was found wrong with them so far.
pub(super) struct Given<'a> {
    /// The flags.
    pub(super) args: &'a Args,
    /// What was found wrong.
    pub(super) problems: Vec<Problem>,
}

impl Given<'_> {
    /// Writes down one more problem.
    pub(super) fn wrong(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Whether a boolean is true.
    pub(super) fn boolean(&mut self, flag: &'static str, text: &str) -> bool {
        self.value(flag, text, parse_boolean).unwrap_or_default()
    }

    /// A duration in Go's language.
    pub(super) fn duration(&mut self, flag: &'static str, text: &str) -> Option<Duration> {
        self.value(flag, text, |text| Ok(duration::parse(text)?))
    }

    /// A duration that may not be negative.
    pub(super) fn span(&mut self, flag: &'static str, text: &str) -> Option<std::time::Duration> {
        let duration = self.duration(flag, text)?;
        let span = std::time::Duration::try_from(duration);
        if span.is_err() {
            let origin = self.origin(flag);
            self.wrong(Problem::NegativeDuration { origin });
        }
        span.ok()
    }

    /// A whole number.
    pub(super) fn whole_number(&mut self, flag: &'static str, text: &str) -> Option<i64> {
        self.value(flag, text, |text| text.parse().map_err(|_| InvalidValue::NotAWholeNumber))
    }

    /// A number that is finite.
    pub(super) fn number(&mut self, flag: &'static str, text: &str) -> Option<f32> {
        self.value(flag, text, |text| match text.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(number),
            Ok(_) | Err(_) => Err(InvalidValue::NotANumber),
        })
    }

    /// An address in numbers; all of this host's for an empty text.
    pub(super) fn address(&mut self, flag: &'static str, text: &str) -> Option<IpAddr> {
        self.value(flag, text, |text| match text.trim() {
            "" => Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            text => text.parse().map_err(|_| InvalidValue::NotAnAddress),
        })
    }

    /// Ranges of addresses, separated by commas.
    pub(super) fn ranges(&mut self, flag: &'static str, text: &str) -> Vec<IpNet> {
        self.value(flag, text, parse_ranges).unwrap_or_default()
    }

    /// Where the value of a flag was given; the command line also where its default holds.
    pub(super) fn origin(&self, flag: &'static str) -> Origin {
        match self.args.from_environment.contains(flag) {
            true => Origin::Environment(flag),
            false => Origin::Flag(flag),
        }
    }

    fn value<T>(
        &mut self,
        flag: &'static str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        let value = parse(text).map_err(|reason| Problem::Invalid {
            origin: self.origin(flag),
            value: text.to_owned(),
            reason,
        });
        value.map_err(|problem| self.wrong(problem)).ok()
    }
}

/// Ranges of addresses, separated by commas.
pub(crate) fn parse_ranges(text: &str) -> Result<Vec<IpNet>, InvalidValue> {
    let range = |text: &str| range::from_text(text.trim()).ok_or(InvalidValue::NotARange);
    text.split(',').map(range).collect()
}

/// As Go's `strconv.ParseBool`.
fn parse_boolean(text: &str) -> Result<bool, InvalidValue> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(InvalidValue::NotABoolean),
    }
}

/// A text that was given and is not empty: upstream's flags know no difference between an empty value and none.
pub(crate) fn non_empty(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// The items of a list flag: separated by commas, and the flag may be given more than once.
pub(super) fn items(values: &[String]) -> impl Iterator<Item = &str> {
    let values = values.iter().filter(|value| !value.is_empty());
    values.flat_map(|value| value.split(','))
}
