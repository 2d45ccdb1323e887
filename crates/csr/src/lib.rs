//! The shared vocabulary: what a CertificateSigningRequest says and where it stands.
