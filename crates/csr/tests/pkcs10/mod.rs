//! Certification requests made by hand. Parsing does not look at the signature, so it is not one.

#![allow(dead_code, reason = "each test crate uses another part of it")]

use std::sync::Arc;

use csr::{ParseError, Request, Spec};

/// What a request says, each part in DER.
#[derive(Clone)]
pub(crate) struct Pkcs10 {
    pub(crate) version: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
    pub(crate) attributes: Vec<Vec<u8>>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Default for Pkcs10 {
    /// An Ed25519 key, no names.
    fn default() -> Self {
        Self {
            version: element(0x02, &[&[0]]),
            subject: element(0x30, &[]),
            public_key: element(0x30, &[ED25519, &element(0x03, &[&[0], &[7; 32]])]),
            attributes: Vec::new(),
            algorithm: ED25519.to_vec(),
            signature: element(0x03, &[&[0], &[9; 64]]),
        }
    }
}

impl Pkcs10 {
    pub(crate) fn subject(self, attributes: &[(u8, &str)]) -> Self {
        let rdns: Vec<_> = attributes
            .iter()
            .map(|(kind, value)| {
                let id = element(0x06, &[&[0x55, 0x04, *kind]]);
                element(0x31, &[&element(0x30, &[&id, &element(0x0c, &[value.as_bytes()])])])
            })
            .collect();
        Self { subject: sequence(&rdns), ..self }
    }

    pub(crate) fn sans(self, names: &[(u8, &[u8])]) -> Self {
        let names: Vec<_> = names.iter().map(|(tag, value)| element(*tag, &[value])).collect();
        self.extensions(&[extension(SUBJECT_ALT_NAME, &sequence(&names))])
    }

    pub(crate) fn extensions(mut self, extensions: &[Vec<u8>]) -> Self {
        self.attributes.push(attribute(EXTENSION_REQUEST, &[&sequence(extensions)]));
        self
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let attributes: Vec<_> = self.attributes.iter().map(Vec::as_slice).collect();
        let info =
            element(0x30, &[&self.version, &self.subject, &self.public_key, &element(0xa0, &attributes)]);
        element(0x30, &[&info, &self.algorithm, &self.signature])
    }

    pub(crate) fn parse(&self, usages: &[&str]) -> Result<Request, ParseError> {
        parse_der(&self.der(), usages)
    }
}

pub(crate) fn parse_der(der: &[u8], usages: &[&str]) -> Result<Request, ParseError> {
    parse_pem(csr::pem::encode("CERTIFICATE REQUEST", der).into_bytes(), usages)
}

pub(crate) fn parse_pem(request: Vec<u8>, usages: &[&str]) -> Result<Request, ParseError> {
    Request::from_spec(&Spec {
        request,
        signer_name: "example.com/any".into(),
        usages: usages.iter().copied().collect(),
        expiration_seconds: None,
        requester: Arc::default(),
    })
}

pub(crate) fn attribute(id: &[u8], values: &[&[u8]]) -> Vec<u8> {
    element(0x30, &[&element(0x06, &[id]), &element(0x31, values)])
}

pub(crate) fn extension(id: &[u8], value: &[u8]) -> Vec<u8> {
    element(0x30, &[&element(0x06, &[id]), &element(0x04, &[value])])
}

pub(crate) fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &elements.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// One DER element made of these parts.
pub(crate) fn element(identifier: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let mut encoded = vec![identifier];
    if contents.len() < 0x80 {
        encoded.push(u8::try_from(contents.len()).expect("short"));
    } else {
        let octets = contents.len().to_be_bytes();
        let digits = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
        encoded.push(0x80 | u8::try_from(digits.len()).expect("short"));
        encoded.extend(digits);
    }
    encoded.extend(contents);
    encoded
}

pub(crate) const CN: u8 = 3;
pub(crate) const O: u8 = 10;
pub(crate) const EMAIL: u8 = 0x81;
pub(crate) const DNS: u8 = 0x82;
pub(crate) const URI: u8 = 0x86;
pub(crate) const IP: u8 = 0x87;
pub(crate) const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e];
pub(crate) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// The AlgorithmIdentifier of Ed25519.
pub(crate) const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
