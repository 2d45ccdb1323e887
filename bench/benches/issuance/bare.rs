//! What cannot be left out: the cryptography of one issuance with AWS-LC alone. And rcgen, which is no part of Countersign.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
    UnparsedPublicKey, VerificationAlgorithm,
};
use csr::{PublicKey, Request, pem};
use rcgen::{
    CertificateSigningRequestParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::authorities::Authority;

/// Verification of a request's signature, and a signature over as many octets as a certificate has.
pub(crate) struct Bare {
    point: Vec<u8>,
    info: Vec<u8>,
    request_signature: Vec<u8>,
    to_sign: Vec<u8>,
    key: Key,
    public_key: ParsedPublicKey,
}

enum Key {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Bare {
    pub(crate) fn new(authority: &Authority, request: &Request, to_sign: Vec<u8>) -> Self {
        let PublicKey::Ecdsa { point, .. } = request.public_key() else {
            unreachable!("requests are made with P-256 keys")
        };
        let (key, public_key) = Key::read(authority);
        Self {
            point: point.to_vec(),
            info: request.info_der().to_vec(),
            request_signature: request.signature().to_vec(),
            to_sign,
            key,
            public_key,
        }
    }

    pub(crate) fn run(&self) -> Vec<u8> {
        UnparsedPublicKey::new(&aws::ECDSA_P256_SHA256_ASN1, &self.point)
            .verify(&self.info, &self.request_signature)
            .expect("the requester's signature");
        self.key.sign(&self.to_sign)
    }

    pub(crate) fn run_and_verify(&self) {
        self.public_key.verify_sig(&self.to_sign, &self.run()).expect("the signature just made");
    }
}

impl Key {
    fn read(authority: &Authority) -> (Self, ParsedPublicKey) {
        let block = pem::blocks(authority.key.as_bytes()).next().expect("a key in PEM");
        let der = &block.contents;
        let ecdsa = |signing: &'static EcdsaSigningAlgorithm| {
            Self::Ecdsa(EcdsaKeyPair::from_private_key_der(signing, der).expect("a key on this curve"))
        };
        let (key, verification): (Self, &'static dyn VerificationAlgorithm) = match authority.name {
            "P-256" => (ecdsa(&aws::ECDSA_P256_SHA256_ASN1_SIGNING), &aws::ECDSA_P256_SHA256_ASN1),
            "P-384" => (ecdsa(&aws::ECDSA_P384_SHA384_ASN1_SIGNING), &aws::ECDSA_P384_SHA384_ASN1),
            "Ed25519" => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).expect("an Ed25519 key");
                (Self::Ed25519(pair), &aws::ED25519)
            }
            _ => (
                Self::Rsa(RsaKeyPair::from_der(der).expect("an RSA key in PKCS #1")),
                &aws::RSA_PKCS1_2048_8192_SHA256,
            ),
        };
        let public_key = ParsedPublicKey::new(verification, key.public_key()).expect("the other half");
        (key, public_key)
    }

    fn public_key(&self) -> &[u8] {
        match self {
            Self::Rsa(pair) => pair.public_key().as_ref(),
            Self::Ecdsa(pair) => pair.public_key().as_ref(),
            Self::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&aws::RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
                signature
            }
            Self::Ecdsa(pair) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// What rcgen does for the same certificate: it verifies the request, and does not verify what it signed.
pub(crate) fn issue_with_rcgen(request: &str, issuer: &Issuer<'_, KeyPair>) -> String {
    let mut request = CertificateSigningRequestParams::from_pem(request).expect("a request that rcgen reads");
    request.params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    request.params.is_ca = IsCa::ExplicitNoCa;
    request.params.use_authority_key_identifier_extension = true;
    request.signed_by(issuer).expect("a certificate").pem()
}
