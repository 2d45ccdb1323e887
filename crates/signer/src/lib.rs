//! What a certificate says, and its signature: authorities, profiles, issuance.
