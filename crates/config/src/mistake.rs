//! What is wrong with a file, each mistake with its place, its field and what was expected.

use std::fmt;

use ipnet::IpNet;

use crate::duration::DurationError;

/// All that is wrong with a file; never empty. Displayed one mistake a line, in the order of the file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}", .0.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes(pub Vec<Mistake>);

/// The first of what is wrong, for a line of the log.
pub fn in_one_line(wrong: &[impl fmt::Display]) -> String {
    let shown: Vec<_> = wrong.iter().take(MOST_SHOWN).map(ToString::to_string).collect();
    let more = match wrong.len().saturating_sub(MOST_SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    shown.join("; ") + &more
}

const MOST_SHOWN: usize = 10;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mistake {
    /// Where it is.
    pub place: Place,

    /// The field, from the top: `approval.kubeletServing.accept[0]`; empty for the file as a whole.
    pub path: String,

    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.fault.fmt(f)
    }
}

/// A place in a file, counted from 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The line.
    pub line: u64,

    /// The character in it.
    pub column: u64,
}

impl Default for Place {
    /// The beginning.
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What is wrong with a field, or with the file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// No YAML, or more of it than anybody writes; in the parser's words.
    #[error("not readable as YAML: {0}")]
    Yaml(String),

    /// More than one document.
    #[error("expected one document, not several: remove all but one")]
    SeveralDocuments,

    /// Nothing but comments.
    #[error("the file is empty: expected apiVersion {} and kind {}", crate::API_VERSION, crate::KIND)]
    Empty,

    /// A value of another kind.
    #[error("expected {expected}, not {found}")]
    Unexpected {
        /// What a value there can be.
        expected: String,
        /// What is there.
        found: String,
    },

    /// One of a few words is expected.
    #[error("expected {}, not {found}{}", alternatives(expected), did_you_mean(suggestion))]
    NoSuchWord {
        /// The words.
        expected: Vec<&'static str>,
        /// What is there.
        found: String,
        /// The word that was perhaps meant.
        suggestion: Option<&'static str>,
    },

    /// Nobody reads that field.
    #[error("unknown field{}", did_you_mean(.0))]
    UnknownField(Option<&'static str>),

    /// The field was there before.
    #[error("given twice, first at {0}")]
    GivenTwice(Place),

    /// A field without which the others mean nothing.
    #[error("missing: expected {0}")]
    Missing(String),

    /// A range with bits behind its prefix.
    #[error("{found:?} has bits set behind its prefix: write {canonical}, or a longer prefix")]
    HostBits {
        /// As written.
        found: String,
        /// The range that it is in.
        canonical: IpNet,
    },

    /// No duration.
    #[error("expected a duration such as 24h or 1h30m: {0}")]
    Duration(DurationError),

    /// A rule that may hold a request, and not deny it.
    #[error("rule {id} never denies: what it finds can be mended without another request")]
    NotDeniable {
        /// The rule.
        id: String,
    },

    /// Something that is right by itself, and of no use as the rest of the file is.
    #[error("{0}")]
    Useless(&'static str),
}

impl Fault {
    /// What the parser says, without the place, which stands before it.
    pub(crate) fn of_yaml(error: &serde_saphyr::Error) -> Self {
        match error {
            serde_saphyr::Error::MultipleDocuments { .. } => Self::SeveralDocuments,
            error => Self::Yaml(plain(&error.to_string())),
        }
    }
}

/// One line, and no place in it.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let end = line.find(" at line ").unwrap_or(line.len());
    line[..end].to_owned()
}

fn alternatives(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} or {last}", words.join(", ")),
    }
}

fn did_you_mean(suggestion: &Option<&'static str>) -> String {
    suggestion.map(|word| format!(" (did you mean {word}?)")).unwrap_or_default()
}

/// The word that is closest to what was typed, where one is close at all.
pub(crate) fn closest(typed: &str, words: &[&'static str]) -> Option<&'static str> {
    let typed = typed.to_lowercase();
    let distance = |word: &&str| strsim::damerau_levenshtein(&typed, &word.to_lowercase());
    let word = words.iter().copied().min_by_key(distance)?;
    let is_start = typed.chars().count() >= 3 && word.to_lowercase().starts_with(&typed);
    (distance(&word) <= word.len().div_ceil(3) || is_start).then_some(word)
}
