//! The section `signers`: for which signerNames there are profiles, and what each permits.

pub(crate) mod content;
mod name;
pub(crate) mod terms;

use std::path::PathBuf;

use csr::profile::{Chain, Lifetime, Limits, Pointers, Terms};
use csr::{SignerName, Usage};
use time::Duration;

use crate::mistake::Fault;
use crate::node::Value;
use crate::reader::{Item, Reader, Section};

/// What the file says of one signerName.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signer {
    /// The name.
    pub name: SignerName,

    /// Where the CA is; `None`, for a built-in name alone, for where the flags say.
    pub authority: Option<CaFiles>,

    /// Whether the CA may be one that the cluster trusts.
    pub allow_cluster_ca: bool,

    /// What its requests may say.
    pub limits: Limits,

    /// How long its certificates last, as far as the file says.
    pub lifetime: GivenLifetime,

    /// How long before its issuance a certificate begins to be valid.
    pub backdate: Duration,

    /// By how much certificates last less, at most.
    pub jitter: Duration,

    /// What is published besides the certificate.
    pub chain: Chain,

    /// Where certificates say that more is to be found.
    pub pointers: Pointers,
}

/// Where a CA is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaFiles {
    /// Its certificate, PEM.
    pub certificate: PathBuf,

    /// Its private key, PEM.
    pub key: PathBuf,
}

/// How long certificates last, as far as the file says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct GivenLifetime {
    /// The shortest.
    pub min: Option<Duration>,

    /// That of a certificate for which no lifetime is asked for.
    pub default: Option<Duration>,

    /// The longest.
    pub max: Option<Duration>,
}

impl Signer {
    /// A signer of which nothing is said but its name.
    #[must_use]
    pub fn unlimited(name: SignerName) -> Self {
        let Terms { backdate, jitter, chain, pointers, lifetime: _ } = Terms::upstream(Duration::ZERO);
        let (limits, lifetime) = (Limits::none(), GivenLifetime::default());
        Self {
            name,
            authority: None,
            allow_cluster_ca: false,
            limits,
            lifetime,
            backdate,
            jitter,
            chain,
            pointers,
        }
    }

    /// Whether kube-controller-manager signs for that name too.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        name::is_built_in(&self.name)
    }

    /// How its certificates are made, where they last as long as `flag` (`--cluster-signing-duration`) unless something else is
    /// said.
    #[must_use]
    pub fn terms(&self, flag: Duration) -> Terms {
        Terms {
            lifetime: self.lifetime.resolved(flag, self.is_built_in()),
            backdate: self.backdate,
            jitter: self.jitter,
            chain: self.chain,
            pointers: self.pointers.clone(),
        }
    }
}

impl GivenLifetime {
    /// What holds: for a built-in name never more than the flag says.
    fn resolved(self, flag: Duration, is_built_in: bool) -> Lifetime {
        let upstream = Terms::upstream(flag).lifetime;
        if self == Self::default() {
            return upstream;
        }
        let bound = |given: Duration| if is_built_in { given.min(flag) } else { given };
        let max = self.max.or(self.default).map_or(flag, bound);
        let default = self.default.unwrap_or(max).min(max);
        Lifetime { min: self.min.unwrap_or(upstream.min).min(max), default, max }
    }
}

/// The signers of the section, as far as they can be read.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader) -> Vec<Signer> {
    let mut signers: Vec<Signer> = Vec::new();
    for item in item.list(reader, "signers") {
        let Some(mut section) = item.section(reader) else {
            continue;
        };
        let given = section.required(reader, "name", name::EXPECTED);
        let name = given.as_ref().and_then(|item| item.parsed(reader, name::EXPECTED, name::read));
        if let (Some(item), Some(name)) = (&given, &name)
            && signers.iter().any(|signer| signer.name == *name)
        {
            item.wrong(reader, Fault::Useless("this signer has a section already"));
        }
        // Of a name that cannot be read, the rest is read as that of a custom one.
        let signer = signer(&mut section, name.clone(), reader);
        section.finish(reader);
        signers.extend(name.map(|_| signer));
    }
    signers
}

fn signer(section: &mut Section<'_>, name: Option<SignerName>, reader: &mut Reader) -> Signer {
    let name = name.unwrap_or_else(|| SignerName::from(""));
    let is_built_in = name::is_built_in(&name);
    let mut signer = Signer::unlimited(name);
    signer.authority = authority(section, is_built_in, reader);
    if let Some(item) = section.field("allowClusterCA") {
        signer.allow_cluster_ca = item.boolean(reader).unwrap_or_default();
        if is_built_in {
            item.wrong(reader, Fault::Useless("only a signer that is not built in needs it"));
        }
    }
    let usages = if is_built_in {
        section.field("usages")
    } else {
        section.required(reader, "usages", "the usages that certificates may have")
    };
    let usages = usages.map(|item| usages_of(&item, reader));
    if !is_built_in {
        signer.limits = Limits::strictest(Vec::new());
    }
    signer.limits.usages = usages.or(signer.limits.usages);
    content::read(section, &mut signer.limits, reader);
    terms::read(section, &mut signer, reader);
    signer
}

fn authority(section: &mut Section<'_>, is_optional: bool, reader: &mut Reader) -> Option<CaFiles> {
    let (field, expected) = ("certificateAuthority", "the files of the CA that signs");
    let item = if is_optional { section.field(field) } else { section.required(reader, field, expected) };
    let mut files = item?.section(reader)?;
    let mut path = |name, expected, reader: &mut Reader| {
        let item = files.required(reader, name, expected)?;
        item.parsed(reader, expected, |text| Some(PathBuf::from(text)).filter(|_| !text.is_empty()))
    };
    let certificate = path("certificate", "the path of the CA certificate, PEM", reader);
    let key = path("key", "the path of its private key, PEM", reader);
    files.finish(reader);
    Some(CaFiles { certificate: certificate?, key: key? })
}

fn usages_of(item: &Item<'_>, reader: &mut Reader) -> Vec<Usage> {
    let words = Usage::NAMES.map(|(_, word)| word);
    let items = item.list(reader, "usages");
    if items.is_empty() && matches!(item.value, Value::List(_)) {
        item.unexpected(reader, "one usage at least");
    }
    let known = |index: usize| Usage::NAMES[index].0.clone();
    items.iter().filter_map(|item| item.word(reader, &words).map(known)).collect()
}
