//! The names in a request: its subject and its subject alternative names, read in wire order by Go's rules.

mod san;
mod subject;
mod text;
mod uri;

pub use san::{SanError, SubjectAltNames};
pub use subject::{AttributeType, Subject, SubjectError};
pub use uri::UriError;

#[cfg(test)]
mod tests {
    /// One DER element made of these parts.
    pub(super) fn element(identifier: u8, parts: &[&[u8]]) -> Vec<u8> {
        let contents = parts.concat();
        let mut encoded = vec![identifier];
        match u8::try_from(contents.len()) {
            Ok(length @ 0..=0x7f) => encoded.push(length),
            Ok(length) => encoded.extend([0x81, length]),
            Err(_) => {
                let length = u16::try_from(contents.len()).expect("test elements are small");
                encoded.push(0x82);
                encoded.extend(length.to_be_bytes());
            }
        }
        encoded.extend(contents);
        encoded
    }
}
