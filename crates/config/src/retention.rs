//! The section `retention`.

use std::collections::BTreeMap;
use std::time::Duration;

use csr::SignerName;
use engine::{Retention, Retentions};

use crate::duration;
use crate::kubelet_serving::is_node_name;
use crate::mistake::{Fault, closest};
use crate::node::place;
use crate::reader::{Item, Reader, Section};

/// What is deleted earlier may be gone before its requester has seen it.
const SHORTEST: Duration = Duration::from_secs(60);

const EXPECTED: &str = "a duration such as 24h or 1h30m";

/// The section, as far as it can be read.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader) -> Option<Retentions> {
    let mut section = item.section(reader)?;
    let general = read_one(&mut section, Retention::default(), reader);
    let of_signers = section.field("signers").map(|item| read_signers(&item, general, reader));
    section.finish(reader);
    Some(Retentions { general, of_signers: of_signers.unwrap_or_default() })
}

fn read_signers(item: &Item<'_>, general: Retention, reader: &mut Reader) -> BTreeMap<SignerName, Retention> {
    let mut signers = BTreeMap::new();
    for (name, item) in item.entries(reader, "of signerNames to how long their requests are kept") {
        if let Some(fault) = fault_of(&name.value) {
            reader.note(&item.path, place(name), fault);
        }
        if let Some(mut section) = item.section(reader) {
            let own = read_one(&mut section, general, reader);
            section.finish(reader);
            signers.insert(SignerName::from(name.value.as_str()), own);
        }
    }
    signers
}

/// What keeps a name from being anybody's signerName: such a section would never be of use. Kubernetes keeps its own domain for
/// the names that it knows.
fn fault_of(name: &str) -> Option<Fault> {
    if SignerName::BUILT_IN.contains(&name) {
        return None;
    }
    let found = format!("{name:?}");
    if name.starts_with("kubernetes.io/") {
        let suggestion = closest(name, &SignerName::BUILT_IN);
        return Some(Fault::NoSuchWord { expected: SignerName::BUILT_IN.to_vec(), found, suggestion });
    }
    let expected = "a signerName such as example.com/serving".to_owned();
    (!is_signer_name(name)).then_some(Fault::Unexpected { expected, found })
}

/// Whether the API server lets a signerName in: a domain of two labels at least and a path, of the form of Nodes' names both
/// (`pkg/apis/certificates/validation`, `ValidateCertificateSigningRequestSignerName`).
fn is_signer_name(name: &str) -> bool {
    let parts = name.split_once('/').filter(|(domain, _)| domain.contains('.'));
    parts.is_some_and(|(domain, path)| is_node_name(domain) && is_node_name(path))
}

/// The spans of a section, in place of those that it does not name.
fn read_one(section: &mut Section<'_>, or: Retention, reader: &mut Reader) -> Retention {
    let mut span = |name, least, or| {
        let item = section.field(name);
        item.and_then(|item| read_span(&item, least, reader)).unwrap_or(or)
    };
    Retention {
        issued: span("issued", SHORTEST, or.issued),
        denied: span("denied", SHORTEST, or.denied),
        failed: span("failed", SHORTEST, or.failed),
        pending: span("pending", SHORTEST, or.pending),
        approved: span("approved", SHORTEST, or.approved),
        expired: span("expired", Duration::ZERO, or.expired),
    }
}

fn read_span(item: &Item<'_>, least: Duration, reader: &mut Reader) -> Option<Duration> {
    let text = item.text(reader, EXPECTED)?;
    let read = duration::parse(text).map_err(|error| item.wrong(reader, Fault::Duration(error))).ok()?;
    let span = Duration::try_from(read).ok();
    let span = span.filter(|span| *span >= least && span.subsec_nanos() == 0);
    if span.is_none() {
        let least = duration::of_seconds(least.as_secs().cast_signed());
        item.unexpected(reader, format!("a duration of whole seconds, {least} at least"));
    }
    span
}
