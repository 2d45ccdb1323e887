use std::fmt;
use std::str::FromStr;

/// The form of a host name, label by label: `*` stands for any part of one label, `{node}` for the name of the node that asks.
/// A pattern is the whole name; nothing matches across a dot.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamePattern(String);

/// Why a text is no pattern.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is no pattern of host names: letters, digits, hyphens, dots, * and {{node}} are")]
pub struct PatternError(String);

impl NamePattern {
    /// Whether the name, in lower case, is of this form, asked for by `node`.
    pub fn matches(&self, name: &str, node: &str) -> bool {
        // A node's name holds no character of a pattern, so it cannot be taken for one.
        let pattern = self.0.replace(NODE, node);
        let (mut labels, mut patterns) = (name.split('.'), pattern.split('.'));
        loop {
            match (labels.next(), patterns.next()) {
                (None, None) => return true,
                (Some(label), Some(pattern)) if is_match(label, pattern) => {}
                _ => return false,
            }
        }
    }
}

/// Whether a label, or any text, is of a form with `*`s in it.
pub(crate) fn is_match(label: &str, pattern: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return label == pattern;
    };
    let Some(mut label) = label.strip_prefix(head) else {
        return false;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(found) = label.find(part) else {
            return false;
        };
        label = &label[found + part.len()..];
    }
    label.ends_with(tail)
}

impl FromStr for NamePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let pattern = text.to_ascii_lowercase();
        let sample = pattern.replace(NODE, "n").replace('*', "x");
        if crate::san::is_subdomain(&sample) { Ok(Self(pattern)) } else { Err(PatternError(text.to_owned())) }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const NODE: &str = "{node}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_the_whole_name() {
        for (pattern, name, matches) in [
            ("{node}", "n.example", true),
            ("{node}", "n.example.com", false),
            ("{node}.example.com", "n.example.example.com", true),
            ("{node}-nic*", "n.example-nic2", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("W*-*.example.com", "worker-1.example.com", true),
            ("w*-*.example.com", "worker.example.com", false),
            ("a*b*c", "axbxc", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("node", "node", true),
            ("node", "nodes", false),
        ] {
            let parsed: NamePattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(name, "n.example"), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn what_no_name_has_is_no_pattern() {
        for text in ["", "a..b", "^node$", "node.", "{nodes}", "a b", "(a|b)"] {
            assert_eq!(text.parse::<NamePattern>(), Err(PatternError(text.to_owned())));
        }
    }
}
