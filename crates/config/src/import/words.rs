//! Command lines in text: the words that a shell would make of them, where it has nothing to expand.

use std::iter::Peekable;
use std::str::Chars;

/// A quote that is opened and never closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a quote ({0}) is opened and never closed")]
pub struct UnfinishedQuote(pub char);

/// The words of a command line (POSIX.1-2024, Shell Command Language, §2.2): quotes of both kinds, backslashes, lines that go on in the
/// next, comments. Nothing is expanded.
///
/// # Errors
/// When a quote is never closed.
pub fn words(text: &str) -> Result<Vec<String>, UnfinishedQuote> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '#' if word.is_none() => while rest.next_if(|c| *c != '\n').is_some() {},
            '\'' => word.get_or_insert_default().push_str(&single(&mut rest)?),
            '"' => word.get_or_insert_default().push_str(&double(&mut rest)?),
            '\\' => match rest.next() {
                Some('\n') => {}
                Some('\r') if rest.next_if_eq(&'\n').is_some() => {}
                Some(c) => word.get_or_insert_default().push(c),
                None => word.get_or_insert_default().push('\\'),
            },
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single(rest: &mut Peekable<Chars<'_>>) -> Result<String, UnfinishedQuote> {
    let mut text = String::new();
    loop {
        match rest.next().ok_or(UnfinishedQuote('\''))? {
            '\'' => return Ok(text),
            c => text.push(c),
        }
    }
}

/// Between these quotes a backslash is one, but before what would mean something.
fn double(rest: &mut Peekable<Chars<'_>>) -> Result<String, UnfinishedQuote> {
    let mut text = String::new();
    loop {
        match rest.next().ok_or(UnfinishedQuote('"'))? {
            '"' => return Ok(text),
            '\\' => match rest.next().ok_or(UnfinishedQuote('"'))? {
                '\n' => {}
                c @ ('"' | '\\' | '$' | '`') => text.push(c),
                c => text.extend(['\\', c]),
            },
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, expected) in [
            ("", &[][..]),
            ("a b\tc\nd", &["a", "b", "c", "d"]),
            (r"--x='^[\w-]*\.test\.ch$' y", &[r"--x=^[\w-]*\.test\.ch$", "y"]),
            (r#"X="a \"b\" \d" '' "#, &[r#"X=a "b" \d"#, ""]),
            (r"a\ b \*", &["a b", "*"]),
            ("run \\\n  --a \\\r\n  --b # and no more", &["run", "--a", "--b"]),
            ("a#b # c\nd", &["a#b", "d"]),
            ("a\\", &["a\\"]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_an_error() {
        assert_eq!(words("a 'b"), Err(UnfinishedQuote('\'')));
        assert_eq!(words("a \"b'\\"), Err(UnfinishedQuote('"')));
    }
}
