//! URL paths of the objects we talk about.
//!
//! Whoever may create a CertificateSigningRequest chooses its name, so a name reaches a URL only checked and encoded: one
//! that climbs out of its path segment would make us write to another object.

use std::fmt::Write;

/// The collection of all CertificateSigningRequests.
pub(crate) const CERTIFICATE_SIGNING_REQUESTS: &str =
    "/apis/certificates.k8s.io/v1/certificatesigningrequests";

/// Part of the query of what creates or updates: not to search for fields that the API server does not know, or that come twice.
/// Unless told so it does, to warn people of their typing errors (apiserver, `endpoints/handlers/update.go`).
pub(crate) const AS_IT_IS: &str = "fieldValidation=Ignore";

/// A name that is no path segment. The API server lets no object have one (`IsValidPathSegmentName`).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("name {0:?} cannot be part of a URL path")]
pub struct NotASegment(pub String);

/// The path of one CertificateSigningRequest, or of a subresource of it.
///
/// # Errors
/// When no object can have that name.
pub(crate) fn certificate_signing_request(
    name: &str,
    subresource: Option<&'static str>,
) -> Result<String, NotASegment> {
    if matches!(name, "" | "." | "..") || name.contains(['/', '%', '\0']) {
        return Err(NotASegment(name.into()));
    }
    let mut path = format!("{CERTIFICATE_SIGNING_REQUESTS}/{}", encoded(name));
    if let Some(subresource) = subresource {
        path.push('/');
        path.push_str(subresource);
    }
    Ok(path)
}

/// `text` with everything percent-encoded but the unreserved characters of RFC 3986 §2.3.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_in_its_segment() {
        for (name, segment) in [
            ("csr-x7k2p", "csr-x7k2p"),
            ("node-csr-J_~.9", "node-csr-J_~.9"),
            ("a b?watch=1#c", "a%20b%3Fwatch%3D1%23c"),
            ("...", "..."),
            ("ü\n", "%C3%BC%0A"),
        ] {
            let path = certificate_signing_request(name, Some("status"));
            assert_eq!(path, Ok(format!("{CERTIFICATE_SIGNING_REQUESTS}/{segment}/status")), "{name:?}");
        }
    }

    #[test]
    fn a_name_that_leaves_its_segment_is_refused() {
        for name in ["", ".", "..", "a/approval", "/", "%2e%2e", "a\0"] {
            assert_eq!(certificate_signing_request(name, None), Err(NotASegment(name.into())), "{name:?}");
        }
    }
}
