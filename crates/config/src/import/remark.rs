use std::fmt;

/// What is to be known of a setting that was carried over in another form, or not at all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remark {
    /// The setting, as it was given: `--provider-regex`, `PROVIDER_REGEX`, `providerRegex`.
    pub setting: String,

    /// In which way it differs.
    pub difference: Difference,

    /// What that means, for people. It may quote what was given.
    pub text: String,
}

/// In which way a setting differs here.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Difference {
    /// Less is approved than there.
    Stricter,

    /// Something is approved that was not there.
    Wider,

    /// The same purpose by other means.
    Other,

    /// Nothing follows from it here.
    LeftOut,
}

impl Difference {
    /// The difference in a word or two, before the setting's name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Stricter => "stricter",
            Self::Wider => "wider",
            Self::Other => "different",
            Self::LeftOut => "not carried over",
        }
    }
}

impl Remark {
    /// A remark on a setting.
    pub fn new(setting: impl Into<String>, difference: Difference, text: impl Into<String>) -> Self {
        Self { setting: setting.into(), difference, text: text.into() }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.difference.label(), self.setting, self.text)
    }
}

/// A text as lines of comment behind `indent`. What cannot be seen is escaped: a comment must not become part of the file.
#[must_use]
pub fn comment(indent: &str, text: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::new());
    for word in visible(text).split(' ') {
        if !line.is_empty() && line.len() + word.len() >= WIDTH {
            lines += &format!("{indent}#{line}\n");
            // What belongs to the same remark is set in.
            line = "  ".to_owned();
        }
        line += " ";
        line += word;
    }
    lines + &format!("{indent}#{line}\n")
}

/// A text with whatever is not plainly visible escaped, the ends of lines above all.
#[must_use]
pub fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        ' '..='~' => c.to_string(),
        c => c.escape_unicode().to_string(),
    };
    text.chars().map(shown).collect()
}

/// Characters in a line of comment.
const WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stays_one() {
        let hostile = "a\nkind: x\r\u{2028}\u{85}b\tc \u{1b}[31m";
        for line in comment("  ", hostile).lines() {
            assert!(line.starts_with("  #") && line.is_ascii(), "{line:?}");
        }
        assert_eq!(comment("", "a\nb"), "# a\\u{a}b\n");
    }

    #[test]
    fn long_comments_are_several_lines() {
        let text = ["word"; 60].join(" ");
        let lines = comment("    ", &text);
        assert!(lines.lines().count() > 2, "{lines}");
        assert!(lines.lines().all(|line| line.len() <= WIDTH + 5), "{lines}");
        assert_eq!(lines.matches("word").count(), 60);
    }
}
