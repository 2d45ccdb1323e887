//! DER as Go's `encoding/asn1` reads it: short definite lengths, minimal integers, and no other opinion.
//!
//! A stricter or laxer reader would take another request for sound than the API server does, or read another name in it,
//! so this one has Go's rules and nothing more. Elements are read in wire order; nothing is sorted or re-encoded.

mod time;

use std::borrow::Cow;

use ::time::OffsetDateTime;

/// Why octets are not the DER that was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DerError {
    /// The octets end before the element does.
    #[error("data truncated")]
    Truncated,

    /// A length in a form that DER does not allow, or of more than 31 bits.
    #[error("length is too large, or not in its shortest definite form")]
    Length,

    /// A tag number in a form that DER does not allow.
    #[error("tag is not in its shortest form")]
    Tag,

    /// Another element than the structure demands.
    #[error("tags don't match")]
    UnexpectedTag,

    /// An INTEGER that is empty, not minimal, or too large for what it counts.
    #[error("invalid integer")]
    Integer,

    /// A BOOLEAN that is neither 0x00 nor 0xff.
    #[error("invalid boolean")]
    Boolean,

    /// A BIT STRING with impossible padding.
    #[error("invalid padding bits in BIT STRING")]
    BitString,

    /// A time that does not exist, or is not in the form DER gives it.
    #[error("invalid UTCTime or GeneralizedTime")]
    Time,

    /// Octets after the last element.
    #[error("trailing data")]
    TrailingData,

    /// An OBJECT IDENTIFIER that is empty, not minimal, or whose arcs exceed 31 bits.
    #[error("invalid OBJECT IDENTIFIER")]
    ObjectIdentifier,
}

/// One element: its identifier octet, its contents, and both as sent.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// Class, form and number; the number's low bits are all set when it does not fit.
    pub identifier: u8,

    /// What is inside.
    pub contents: &'a [u8],

    /// Everything, as sent.
    pub encoding: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub fn children(&self) -> Elements<'a> {
        Elements(self.contents)
    }

    /// A valid OBJECT IDENTIFIER's contents; equal values have equal contents.
    pub fn object_identifier(&self) -> Result<&'a [u8], DerError> {
        let mut rest = self.contents;
        if rest.is_empty() {
            return Err(DerError::ObjectIdentifier);
        }
        while !rest.is_empty() {
            (_, rest) = base128(rest).ok_or(DerError::ObjectIdentifier)?;
        }
        Ok(self.contents)
    }

    /// An INTEGER's contents: two's complement, in the fewest octets.
    pub fn integer(&self) -> Result<&'a [u8], DerError> {
        match self.contents {
            [] | [0x00, 0x00..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(DerError::Integer),
            contents => Ok(contents),
        }
    }

    /// An INTEGER of at most 64 bits.
    pub fn small_integer(&self) -> Result<i64, DerError> {
        let contents = self.integer()?;
        if contents.len() > size_of::<i64>() {
            return Err(DerError::Integer);
        }
        let sign = if contents[0] & 0x80 == 0 { 0 } else { -1 };
        Ok(contents.iter().fold(sign, |value, &octet| (value << 8) | i64::from(octet)))
    }

    /// A BOOLEAN.
    pub fn boolean(&self) -> Result<bool, DerError> {
        match self.contents {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(DerError::Boolean),
        }
    }

    /// A UTCTime or a GeneralizedTime.
    pub fn time(&self) -> Result<OffsetDateTime, DerError> {
        match self.identifier {
            UTC_TIME => time::utc_time(self.contents),
            GENERALIZED_TIME => time::generalized_time(self.contents),
            _ => return Err(DerError::UnexpectedTag),
        }
        .ok_or(DerError::Time)
    }

    /// A BIT STRING's octets; unused bits, should there be any, are moved to the front.
    pub fn bit_string(&self) -> Result<Cow<'a, [u8]>, DerError> {
        let (&unused, octets) = self.contents.split_first().ok_or(DerError::BitString)?;
        let last = octets.last().copied().unwrap_or_default();
        if unused > 7 || (octets.is_empty() && unused > 0) || last & ((1 << unused) - 1) != 0 {
            return Err(DerError::BitString);
        }
        if unused == 0 {
            return Ok(Cow::Borrowed(octets));
        }
        let carried = std::iter::once(0).chain(octets.iter().copied());
        Ok(carried.zip(octets).map(|(before, &octet)| (before << (8 - unused)) | (octet >> unused)).collect())
    }
}

/// Elements one after another.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a>(pub &'a [u8]);

impl<'a> Elements<'a> {
    /// Whether there is none left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element, whatever it is.
    pub fn any(&mut self) -> Result<Element<'a>, DerError> {
        let header = Header::read(self.0)?;
        let end = header.octets.saturating_add(header.length);
        if end > self.0.len() {
            return Err(DerError::Truncated);
        }
        let (encoding, rest) = self.0.split_at(end);
        self.0 = rest;
        Ok(Element { identifier: header.identifier, contents: &encoding[header.octets..], encoding })
    }

    /// The next element, which must have this identifier octet.
    pub fn expect(&mut self, identifier: u8) -> Result<Element<'a>, DerError> {
        let element = self.any()?;
        if element.identifier != identifier {
            return Err(DerError::UnexpectedTag);
        }
        Ok(element)
    }

    /// The next element, which must have this identifier octet; a tag number above 30 is not even read. Go has two DER
    /// readers, and the one for keys and SANs does not know such tags.
    pub fn low_tag(&mut self, identifier: u8) -> Result<Element<'a>, DerError> {
        match self.any_low_tag()? {
            element if element.identifier == identifier => Ok(element),
            _ => Err(DerError::UnexpectedTag),
        }
    }

    /// The next element, whose tag number must be below 31.
    pub fn any_low_tag(&mut self) -> Result<Element<'a>, DerError> {
        match self.0.first() {
            Some(identifier) if identifier & NUMBER_FOLLOWS == NUMBER_FOLLOWS => Err(DerError::Tag),
            _ => self.any(),
        }
    }

    /// The next element if it has this identifier octet; else it stays unread.
    pub fn optional(&mut self, identifier: u8) -> Result<Option<Element<'a>>, DerError> {
        match self.0.first() {
            Some(&found) if found == identifier => self.any().map(Some),
            _ => Ok(None),
        }
    }

    /// The header of the next element, which must be sound; there need not be any contents.
    pub fn peek(&self) -> Result<Header, DerError> {
        Header::read(self.0)
    }

    /// What follows an explicit tag. Go does not compare the tag's own length with what it holds.
    pub fn enter(&mut self, identifier: u8) -> Result<(), DerError> {
        let header = Header::read(self.0)?;
        if header.identifier != identifier || header.length == 0 {
            return Err(DerError::UnexpectedTag);
        }
        self.0 = &self.0[header.octets..];
        Ok(())
    }
}

/// What stands before an element's contents.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Class, form and number; the number's low bits are all set when it does not fit.
    pub identifier: u8,

    /// How many octets identifier and length take.
    pub octets: usize,

    /// The length of the contents, as stated.
    pub length: usize,
}

impl Header {
    fn read(octets: &[u8]) -> Result<Self, DerError> {
        let (&identifier, mut rest) = octets.split_first().ok_or(DerError::Truncated)?;
        if identifier & NUMBER_FOLLOWS == NUMBER_FOLLOWS {
            let number;
            (number, rest) = base128(rest).ok_or(DerError::Tag)?;
            if number < u32::from(NUMBER_FOLLOWS) {
                return Err(DerError::Tag);
            }
        }
        let (&first, mut rest) = rest.split_first().ok_or(DerError::Truncated)?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > MAX_LENGTH_OCTETS {
                return Err(DerError::Length);
            }
            let (digits, after) = rest.split_at_checked(count).ok_or(DerError::Truncated)?;
            length = digits.iter().fold(0, |value, &digit| (value << 8) | usize::from(digit));
            if digits[0] == 0 || !(0x80..=LONGEST).contains(&length) {
                return Err(DerError::Length);
            }
            rest = after;
        }
        Ok(Self { identifier, octets: octets.len() - rest.len(), length })
    }
}

/// A number in base 128, at most 31 bits long, and the octets after it.
fn base128(octets: &[u8]) -> Option<(u32, &[u8])> {
    if octets.first() == Some(&0x80) {
        return None;
    }
    let mut number = 0_u64;
    for (index, &octet) in octets.iter().enumerate().take(5) {
        number = (number << 7) | u64::from(octet & 0x7f);
        if octet < 0x80 {
            let number = u32::try_from(number).ok().filter(|&number| number <= i32::MAX.unsigned_abs())?;
            return Some((number, &octets[index + 1..]));
        }
    }
    None
}

/// Identifier octet of a BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// Identifier octet of an INTEGER.
pub const INTEGER: u8 = 0x02;
/// Identifier octet of a BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// Identifier octet of an OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// Identifier octet of an OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// Identifier octet of a UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// Identifier octet of a GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// Identifier octet of a SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// Identifier octet of a SET.
pub const SET: u8 = 0x31;

/// The constructed context-specific tag of this number.
pub const fn context(number: u8) -> u8 {
    0xa0 | number
}

const NUMBER_FOLLOWS: u8 = 0x1f;

/// Four octets count far beyond any request; usize holds them everywhere.
const MAX_LENGTH_OCTETS: usize = 4;

/// Go reads no longer length, even where nothing of that length need follow.
const LONGEST: usize = i32::MAX as usize;
