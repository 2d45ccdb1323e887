use std::fmt;

/// The number of a certificate: an integer from 0 to 2¹²⁸ − 1, as upstream draws it. It may take 17 octets in DER.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SerialNumber([u8; 16]);

impl SerialNumber {
    /// The number made of 16 octets; random octets make it uniform.
    pub fn from_random(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// In hexadecimal, without leading zeros.
impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", u128::from_be_bytes(self.0))
    }
}
