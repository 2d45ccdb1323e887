//! Certificate authorities and client certificates for a test cluster.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519,
    PKCS_RSA_SHA256, SignatureAlgorithm,
};
use time::{Duration, OffsetDateTime};

/// The key of an authority, which decides how it signs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyKind {
    /// ECDSA on P-256: quick to make, the default.
    #[default]
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// RSA of 2048 bits, what kubeadm makes.
    Rsa2048,
}

impl KeyKind {
    fn algorithm(self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256 => &PKCS_ECDSA_P256_SHA256,
            Self::P384 => &PKCS_ECDSA_P384_SHA384,
            Self::P521 => &PKCS_ECDSA_P521_SHA512,
            Self::Ed25519 => &PKCS_ED25519,
            Self::Rsa2048 => &PKCS_RSA_SHA256,
        }
    }
}

/// A self-signed certificate authority.
#[derive(Debug)]
pub struct Authority {
    certificate: String,
    not_after: OffsetDateTime,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, both in PEM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its key, PKCS#8.
    pub key: String,
}

impl Authority {
    /// An authority called `name` that is valid for ten years.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new(name: &str, kind: KeyKind) -> Result<Self> {
        Self::lasting(name, kind, Duration::days(3650))
    }

    /// An authority that expires after `lifetime`, which is negative for one that has.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn lasting(name: &str, kind: KeyKind, lifetime: Duration) -> Result<Self> {
        let key = KeyPair::generate_for(kind.algorithm())?;
        let mut params = named(name)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = OffsetDateTime::now_utc() - Duration::days(3650);
        params.not_after = OffsetDateTime::now_utc() + lifetime;
        let certificate = params.self_signed(&key)?.pem();
        Ok(Self { certificate, not_after: params.not_after, issuer: Issuer::new(params, key) })
    }

    /// Its certificate and key.
    pub fn pair(&self) -> Pair {
        Pair { certificate: self.certificate.clone(), key: self.issuer.key().serialize_pem() }
    }

    /// Its certificate in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// When it expires, in seconds since 1970.
    pub fn not_after(&self) -> i64 {
        self.not_after.unix_timestamp()
    }

    /// Its public key, encoded as a SubjectPublicKeyInfo's bit string.
    pub fn public_key(&self) -> &[u8] {
        self.issuer.key().public_key_raw()
    }

    /// A client certificate for the user `name` in at most one group.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn client(&self, name: &str, group: Option<&str>) -> Result<Pair> {
        let mut params = named(name)?;
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params)
    }

    /// A client certificate that has expired a minute ago.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub(crate) fn expired_client(&self, name: &str, group: &str) -> Result<Pair> {
        let mut params = named(name)?;
        params.distinguished_name.push(DnType::OrganizationName, group);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = OffsetDateTime::now_utc() - Duration::days(1);
        params.not_after = OffsetDateTime::now_utc() - Duration::minutes(1);
        self.issue(&params)
    }

    /// A serving certificate for the loopback address, and for these names and addresses.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn server(&self, further: &[&str]) -> Result<Pair> {
        let names = ["127.0.0.1", "localhost"].iter().chain(further).map(ToString::to_string);
        let mut params = CertificateParams::new(names.collect::<Vec<_>>())?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params)
    }

    fn issue(&self, params: &CertificateParams) -> Result<Pair> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

impl Pair {
    /// Writes it to `<name>.crt` and `<name>.key` of a directory.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, directory: &Path, name: &str) -> Result<PairFiles> {
        let files = PairFiles {
            certificate: directory.join(format!("{name}.crt")),
            key: directory.join(format!("{name}.key")),
        };
        fs::write(&files.certificate, &self.certificate)?;
        fs::write(&files.key, &self.key)?;
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600))?;
        Ok(files)
    }
}

/// Where a [`Pair`] was written.
#[derive(Clone, Debug)]
pub struct PairFiles {
    /// The certificate's file.
    pub certificate: PathBuf,
    /// The key's file.
    pub key: PathBuf,
}

fn named(name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
