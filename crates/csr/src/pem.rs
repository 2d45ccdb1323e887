//! PEM as Go's `encoding/pem` reads it: what the API server takes for a request, and kube-controller-manager for a CA file.
//!
//! Leading and trailing text, carriage returns, blanks inside the base64 and headers are tolerated, and a block that
//! does not decode is passed over for the next. RFC 7468 readers are stricter, so none of them would do.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// One PEM block.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// The words after `BEGIN`, for instance `CERTIFICATE REQUEST`.
    pub label: &'a [u8],

    /// Whether headers stand between the begin line and the base64.
    pub has_headers: bool,

    /// Whether a `Proc-Type` header says that the contents are encrypted (RFC 1421 §4.6.1.1).
    pub is_encrypted: bool,

    /// What the base64 decodes to. It may be a private key, so it is wiped when dropped.
    pub contents: Zeroizing<Vec<u8>>,
}

/// The blocks of `text`, in order.
pub fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (block, after) = first_block(rest)?;
        rest = after;
        Some(block)
    })
}

/// One block of 64 columns, with a line feed after every line.
pub fn encode(label: &str, contents: &[u8]) -> String {
    let base64 = BASE64.encode(contents);
    let mut pem = String::with_capacity(base64.len() + base64.len() / COLUMNS + 2 * label.len() + 40);
    pem.extend(["-----BEGIN ", label, "-----\n"]);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(COLUMNS.min(rest.len()));
        pem.extend([line, "\n"]);
        rest = after;
    }
    pem.extend(["-----END ", label, "-----\n"]);
    pem
}

/// The first block that decodes, and the text after its end line.
fn first_block(text: &[u8]) -> Option<(Block<'_>, &[u8])> {
    let (mut searched, mut read) = (0, 0);
    loop {
        // Headers were read past the end marker: upstream gives up here rather than search again.
        if searched < read {
            return None;
        }
        let end = searched + find(&text[searched..], END)?;
        let start = searched;
        searched = end + END.len();
        let Some(begin) = rfind(&text[start..end], BEGIN).map(|offset| start + offset) else {
            continue;
        };
        if begin > start && text[begin - 1] != b'\n' {
            continue;
        }
        match block_at(text, begin + BEGIN.len(), end) {
            Attempt::Block(block, rest) => return Some((block, rest)),
            Attempt::Malformed { read: position } => read = position,
            Attempt::EndOfText => return None,
        }
    }
}

/// What became of the attempt to read a block.
enum Attempt<'a> {
    Block(Block<'a>, &'a [u8]),
    Malformed { read: usize },
    EndOfText,
}

/// Reads the block whose label starts at `position` and whose end marker stands at `end`.
fn block_at(text: &[u8], position: usize, end: usize) -> Attempt<'_> {
    let (line, mut position) = line_at(text, position);
    let Some(label) = line.strip_suffix(DASHES) else {
        return Attempt::Malformed { read: position };
    };
    let (mut has_headers, mut is_encrypted) = (false, false);
    loop {
        if position == text.len() {
            return Attempt::EndOfText;
        }
        let (line, next) = line_at(text, position);
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            break;
        };
        has_headers = true;
        is_encrypted |= line[..colon].trim_ascii() == b"Proc-Type" && find(line, b"ENCRYPTED").is_some();
        position = next;
    }
    let malformed = Attempt::Malformed { read: position };
    if (has_headers && end < position) || !is_end_line(&text[end + END.len()..], label) {
        return malformed;
    }
    let Some(contents) = base64_contents(text.get(position..end).unwrap_or_default()) else {
        return malformed;
    };
    let (_, after) = line_at(text, end + END.len() - 1);
    let block = Block { label, has_headers, is_encrypted, contents };
    Attempt::Block(block, &text[after..])
}

/// Whether this text, which follows an end marker, ends a block of that label.
fn is_end_line(text: &[u8], label: &[u8]) -> bool {
    text.strip_prefix(label)
        .and_then(|rest| rest.strip_prefix(DASHES))
        .is_some_and(|rest| line_at(rest, 0).0.is_empty())
}

fn base64_contents(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut dense = Zeroizing::new(Vec::with_capacity(text.len()));
    text.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
        .for_each(|piece| dense.extend_from_slice(piece));
    let mut contents = Zeroizing::new(Vec::with_capacity(dense.len() / 4 * 3 + 3));
    BASE64.decode_vec(&dense[..], &mut contents).ok()?;
    Some(contents)
}

/// The line at `position` without its end and trailing blanks, and where the next one starts.
fn line_at(text: &[u8], position: usize) -> (&[u8], usize) {
    let rest = &text[position..];
    let (line, next) = match rest.iter().position(|&byte| byte == b'\n') {
        Some(length) => (&rest[..length], position + length + 1),
        None => (rest, text.len()),
    };
    let line = if next > position + line.len() { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
    let blanks = line.iter().rev().take_while(|byte| b" \t".contains(byte)).count();
    (&line[..line.len() - blanks], next)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window[0] == part[0] && window == part)
}

fn rfind(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).rposition(|window| window[0] == part[0] && window == part)
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";
const COLUMNS: usize = 64;

/// Go ignores what the bits after the last whole byte are.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, bool, Vec<u8>)> {
        blocks(text.as_bytes())
            .map(|block| {
                (
                    String::from_utf8_lossy(block.label).into_owned(),
                    block.has_headers,
                    block.contents.to_vec(),
                )
            })
            .collect()
    }

    #[test]
    fn what_go_reads_is_read() {
        let plain = |contents: &[u8]| vec![("A B".to_owned(), false, contents.to_vec())];
        let headed = |contents: &[u8]| vec![("A B".to_owned(), true, contents.to_vec())];
        for (text, expected) in [
            ("-----BEGIN A B-----\nAAEC\n-----END A B-----\n", plain(&[0, 1, 2])),
            ("-----BEGIN A B-----\nAAEC\n-----END A B-----", plain(&[0, 1, 2])),
            ("-----BEGIN A B-----\r\nAAEC\r\n-----END A B-----\r\n", plain(&[0, 1, 2])),
            ("before\n-----BEGIN A B-----\nAA EC\n-----END A B----- \t\nafter", plain(&[0, 1, 2])),
            ("-----BEGIN A B-----\nAA\nEC\n\n-----END A B-----\n", plain(&[0, 1, 2])),
            ("-----BEGIN A B-----\nk: v\n\nAAEC\n-----END A B-----\n", headed(&[0, 1, 2])),
            ("-----BEGIN A B-----\nk: v\nAAEC\n-----END A B-----\n", headed(&[0, 1, 2])),
            ("-----BEGIN A B-----\n-----END A B-----\n", plain(&[])),
            ("-----BEGIN A B-----\nAAF=\n-----END A B-----\n", plain(&[0, 1])),
            ("-----BEGIN X-----\n-----BEGIN A B-----\nAAEC\n-----END A B-----\n", plain(&[0, 1, 2])),
            (
                "-----BEGIN X-----\n!\n-----END X-----\n-----BEGIN A B-----\nAAEC\n-----END A B-----\n",
                plain(&[0, 1, 2]),
            ),
            ("x-----BEGIN A B-----\nAAEC\n-----END A B-----\n", vec![]),
            ("-----BEGIN A B-----\nAAEC\n-----END A-----\n", vec![]),
            ("-----BEGIN A B-----\nAAEC\n-----END A B-----x\n", vec![]),
            ("-----BEGIN A B-----\nAAECA\n-----END A B-----\n", vec![]),
            ("-----BEGIN A B----\nAAEC\n-----END A B-----\n", vec![]),
            ("-----BEGIN A B-----\nAAEC\n", vec![]),
            ("-----BEGIN A:B-----\n-----END A:B-----\n", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn blocks_follow_one_another() {
        let text =
            "-----BEGIN A-----\nAA==\n-----END A-----\ntext\n-----BEGIN B-----\nAQ==\n-----END B-----\n";
        let labels: Vec<_> = read(text).into_iter().map(|(label, _, contents)| (label, contents)).collect();
        assert_eq!(labels, [("A".to_owned(), vec![0]), ("B".to_owned(), vec![1])]);
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        for length in [0, 1, 47, 48, 49, 96, 200] {
            let contents = vec![0x5a; length];
            let pem = encode("CERTIFICATE", &contents);
            assert!(pem.lines().all(|line| line.len() <= 64), "{pem}");
            assert_eq!(read(&pem), [("CERTIFICATE".to_owned(), false, contents)]);
        }
    }
}
