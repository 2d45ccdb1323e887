//! Requests and CAs made on the spot, with OpenSSL.

#![allow(clippy::unwrap_used, reason = "a test fails where something is missing")]

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::stack::Stack;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName, SubjectKeyIdentifier};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{
    X509, X509Builder, X509Name, X509NameBuilder, X509Ref, X509ReqBuilder, X509StoreContext,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::issue::NOW;

/// What a request asks for; its key is on P-256 unless it is RSA.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) subject: Vec<(&'static str, &'static str)>,
    pub(crate) dns: Vec<&'static str>,
    pub(crate) ip: Vec<&'static str>,
    pub(crate) email: Vec<&'static str>,
    pub(crate) uri: Vec<&'static str>,
    pub(crate) rsa: Option<u32>,
}

impl Asked {
    pub(crate) fn pem(&self) -> String {
        let key = match self.rsa {
            Some(bits) => PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap(),
            None => p256(),
        };
        let mut builder = X509ReqBuilder::new().unwrap();
        builder.set_subject_name(&name(&self.subject)).unwrap();
        builder.set_pubkey(&key).unwrap();
        let mut san = SubjectAlternativeName::new();
        for name in &self.dns {
            san.dns(name);
        }
        for address in &self.ip {
            san.ip(address);
        }
        for address in &self.email {
            san.email(address);
        }
        for uri in &self.uri {
            san.uri(uri);
        }
        if !(self.dns.is_empty() && self.ip.is_empty() && self.email.is_empty() && self.uri.is_empty()) {
            let san = san.build(&builder.x509v3_context(None)).unwrap();
            let mut extensions = Stack::new().unwrap();
            extensions.push(san).unwrap();
            builder.add_extensions(&extensions).unwrap();
        }
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        String::from_utf8(builder.build().to_pem().unwrap()).unwrap()
    }
}

/// A root and an intermediate CA.
pub(crate) struct Pki {
    root: X509,
    root_key: PKey<Private>,
    intermediate_key: PKey<Private>,
    /// The certificates of both, the root's first.
    pub(crate) bundle: Vec<u8>,
    /// The intermediate's key.
    pub(crate) key: Vec<u8>,
}

impl Pki {
    pub(crate) fn new() -> Self {
        let (root_key, intermediate_key) = (p256(), p256());
        let root = ca("root", &root_key, None);
        let intermediate = ca("intermediate", &intermediate_key, Some((&root, &root_key)));
        let bundle = [root.to_pem().unwrap(), intermediate.to_pem().unwrap()].concat();
        let key = intermediate_key.private_key_to_pem_pkcs8().unwrap();
        Self { root, root_key, intermediate_key, bundle, key }
    }

    /// The intermediate's certificate, in DER.
    pub(crate) fn intermediate(&self) -> Vec<u8> {
        X509::stack_from_pem(&self.bundle).unwrap()[1].to_der().unwrap()
    }

    /// The root's certificate, in DER.
    pub(crate) fn root(&self) -> Vec<u8> {
        self.root.to_der().unwrap()
    }

    /// Another certificate of the intermediate's key, under another name.
    pub(crate) fn renewed_intermediate(&self) -> Vec<u8> {
        ca("renewed", &self.intermediate_key, Some((&self.root, &self.root_key))).to_der().unwrap()
    }

    pub(crate) fn openssl_accepts(&self, published: &[X509]) -> bool {
        let mut store = X509StoreBuilder::new().unwrap();
        store.add_cert(self.root.clone()).unwrap();
        let mut param = X509VerifyParam::new().unwrap();
        param.set_time(NOW.unix_timestamp());
        store.set_param(&param).unwrap();
        let mut others = Stack::new().unwrap();
        published[1..].iter().for_each(|certificate| others.push(certificate.clone()).unwrap());
        let mut context = X509StoreContext::new().unwrap();
        context.init(&store.build(), &published[0], &others, |context| context.verify_cert()).unwrap()
    }

    pub(crate) fn webpki_accepts(&self, published: &[X509]) -> bool {
        let der = |certificate: &X509| CertificateDer::from(certificate.to_der().unwrap());
        let root = der(&self.root);
        let anchor = webpki::anchor_from_trusted_cert(&root).unwrap();
        let (leaf, others) = (der(&published[0]), published[1..].iter().map(der).collect::<Vec<_>>());
        let leaf = webpki::EndEntityCert::try_from(&leaf).unwrap();
        let now = std::time::Duration::from_secs(NOW.unix_timestamp().unsigned_abs());
        let usage = webpki::KeyUsage::server_auth();
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[anchor],
            &others,
            UnixTime::since_unix_epoch(now),
            usage,
            None,
            None,
        )
        .is_ok()
    }
}

fn p256() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(attributes: &[(&str, &str)]) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    attributes.iter().for_each(|(kind, value)| name.append_entry_by_text(kind, value).unwrap());
    name.build()
}

fn ca(common_name: &str, key: &PKey<Private>, issuer: Option<(&X509Ref, &PKey<Private>)>) -> X509 {
    let mut builder = X509Builder::new().unwrap();
    let subject = name(&[("CN", common_name)]);
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(issuer.map_or(&subject, |(issuer, _)| issuer.subject_name())).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(NOW.unix_timestamp() - 86_400).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(NOW.unix_timestamp() + 86_400 * 365).unwrap()).unwrap();
    builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    let identifier = SubjectKeyIdentifier::new();
    let identifier =
        identifier.build(&builder.x509v3_context(issuer.map(|(issuer, _)| issuer), None)).unwrap();
    builder.append_extension(identifier).unwrap();
    builder.sign(issuer.map_or(key, |(_, key)| key), MessageDigest::sha256()).unwrap();
    builder.build()
}
