use std::fmt;
use std::str::FromStr;

/// The form of a name: `*` stands for any text without a dot, `**` for any text at all, also for none. A pattern is the whole
/// name, and nothing else in it has a meaning of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern(String);

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a pattern is a text without control characters, in which at most {MOST_STARS} parts are * or **")]
pub struct PatternError;

impl Pattern {
    /// Whether a text is of this form.
    pub fn matches(&self, text: &str) -> bool {
        is_match(self.0.as_bytes(), text.as_bytes())
    }

    /// The same for texts in lower case.
    #[must_use]
    pub fn to_lowercase(&self) -> Self {
        Self(self.0.to_ascii_lowercase())
    }
}

/// Keeps, for each number of octets of the text, whether the pattern so far can stand for them: linear in the text for each
/// octet of a pattern, whatever the requester sends.
fn is_match(mut pattern: &[u8], text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    while let Some((first, rest)) = pattern.split_first() {
        let is_across = *first == b'*' && rest.first() == Some(&b'*');
        pattern = if is_across { &rest[1..] } else { rest };
        if *first == b'*' {
            for index in 0..text.len() {
                reached[index + 1] |= reached[index] && (is_across || text[index] != b'.');
            }
        } else {
            for index in (0..text.len()).rev() {
                reached[index + 1] = reached[index] && text[index] == *first;
            }
            reached[0] = false;
        }
    }
    reached[text.len()]
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let stars = text.replace("**", "*").matches('*').count();
        let is_one = !text.is_empty() && !text.contains("***") && !text.contains(char::is_control);
        if is_one && stars <= MOST_STARS { Ok(Self(text.to_owned())) } else { Err(PatternError) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const MOST_STARS: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_is_the_whole_text() {
        for (pattern, text, matches) in [
            ("a.example", "a.example", true),
            ("a.example", "xa.example", false),
            ("a.example", "a.examplex", false),
            ("a.example", "aXexample", false),
            ("*.example", "a.example", true),
            ("*.example", ".example", true),
            ("*.example", "a.b.example", false),
            ("**.example", "a.b.example", true),
            ("**.example", "example", false),
            ("team-*", "team-a", true),
            ("team-*", "team-a.b", false),
            ("team-*", "xteam-a", false),
            ("a*b*c", "axbxc", true),
            ("a*a", "a", false),
            ("*a", "aba", true),
            ("**", "", true),
            ("[a-z]+", "a", false),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn what_could_not_be_meant_is_no_pattern() {
        for text in ["", "a\nb", "***", &"*a".repeat(MOST_STARS + 1)] {
            assert_eq!(text.parse::<Pattern>(), Err(PatternError), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_without_stars_matches_itself_alone(pattern in "[a-z.]{1,12}", other in "[a-z.]{0,12}") {
            let parsed: Pattern = pattern.parse().unwrap();
            prop_assert!(parsed.matches(&pattern));
            prop_assert_eq!(parsed.matches(&other), pattern == other);
        }
    }
}
