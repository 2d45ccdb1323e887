//! What others wrote, made harmless for a terminal.

use std::fmt::Write as _;

use serde::Serialize;

/// A text with everything escaped that a terminal would obey, or that would change the order of what is read: control characters
/// and whatever else is not printed.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // What was quoted before keeps its escapes.
            '\'' | '"' | '\\' => escaped.push(character),
            other => escaped.extend(other.escape_debug()),
        }
    }
    escaped
}

/// A value as JSON in ASCII.
///
/// # Errors
/// When it has no form in JSON.
pub fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string_pretty(value)?;
    let mut ascii = String::with_capacity(text.len() + 1);
    // Outside of texts JSON is ASCII, and a line's end is no part of a text.
    for character in text.chars() {
        if character == '\n' || matches!(character, ' '..='~') {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // A String takes whatever is written to it.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii.push('\n');
    Ok(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_nothing_to_obey() {
        for (text, expected) in [
            ("worker-1", "worker-1"),
            ("it's \"quoted\"", "it's \"quoted\""),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\r\nb\tc\u{7f}", "a\\r\\nb\\tc\\u{7f}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("\u{202e}evil", "\\u{202e}evil"),
            ("back\\slash", "back\\slash"),
            ("bücher", "bücher"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn json_is_ascii_and_means_the_same() {
        let hostile = "\u{1b}\u{9b}\u{202e}ü😀\n\"\u{7f}";
        let text = json(&[hostile]).unwrap();
        assert!(text.bytes().all(|octet| octet == b'\n' || (b' '..=b'~').contains(&octet)), "{text}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [hostile]);
    }
}
