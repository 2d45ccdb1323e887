//! The file that comes closest to the settings, each difference said where it is made.

use super::super::Imported;
use super::super::remark::{Difference, Remark, comment};
use super::names::Names;
use super::policy::{Policy, Setting};
use crate::{API_VERSION, KIND, duration};

/// The file, and the remarks in it.
pub(super) fn file(policy: &Policy) -> Imported {
    let mut file = File::default();
    for remark in &policy.remarks {
        file.remark("", remark.clone());
    }
    for Setting { name, value } in &policy.process {
        file.remark("", Remark::new(name, Difference::Other, *value));
    }
    file.line(
        "",
        format!("apiVersion: {API_VERSION}\nkind: {KIND}\napproval:\n  kubeletServing:\n    enabled: true"),
    );
    who_may_ask(&mut file, policy);
    sources(&mut file, policy);
    file.line(SECTION, "constraints:");
    names(&mut file, policy);
    ranges(&mut file, policy);
    counts(&mut file, policy);
    denials(&mut file, policy);
    let head = comment("", HEAD);
    Imported { text: head + &file.text, remarks: file.remarks }
}

#[derive(Default)]
struct File {
    text: String,
    remarks: Vec<Remark>,
}

impl File {
    fn line(&mut self, indent: &str, line: impl AsRef<str>) {
        self.text += indent;
        self.text += line.as_ref();
        self.text.push('\n');
    }

    /// A remark, as a comment where it is made.
    fn remark(&mut self, indent: &str, remark: Remark) {
        self.text += &comment(indent, &remark.to_string());
        self.remarks.push(remark);
    }

    fn on<T>(&mut self, indent: &str, setting: &Setting<T>, (difference, text): (Difference, &str)) {
        self.remark(indent, Remark::new(&setting.name, difference, text));
    }
}

fn who_may_ask(file: &mut File, policy: &Policy) {
    file.remark(SECTION, Remark::new("the requester", Difference::Stricter, REQUESTER));
    if !policy.ignores_others.value {
        file.on(SECTION, &policy.ignores_others, (Difference::Other, OTHERS));
    }
    let hostname = &policy.bypasses_hostname;
    file.on(SECTION, hostname, (Difference::Stricter, if hostname.value { ANY_NAME } else { PREFIX }));
}

fn sources(file: &mut File, policy: &Policy) {
    let setting = &policy.bypasses_dns;
    if setting.value {
        file.on(SECTION, setting, (Difference::Stricter, STATUS));
        file.line(SECTION, "accept: [[node-status]]");
    } else if policy.domains.is_empty() {
        file.on(SECTION, setting, (Difference::Other, NO_DOMAIN));
        file.line(SECTION, "accept: [[node-status]]");
    } else {
        file.on(SECTION, setting, (Difference::Stricter, DNS));
        if !is_any(policy) {
            file.on(SECTION, setting, (Difference::Wider, NAMES_OUTSIDE));
        }
        file.line(SECTION, "accept: [[dns]]");
        file.line(SECTION, format!("dns: {{domains: {}}}", list(&policy.domains)));
    }
}

fn names(file: &mut File, policy: &Policy) {
    let setting = &policy.expression;
    let patterns = match &policy.names {
        Names::Any | Names::Nothing => return,
        Names::Inexpressible => {
            file.on(FIELD, setting, (Difference::Other, OWN_NAME));
            return file.line(FIELD, r#"names: ["{node}"]"#);
        }
        Names::Patterns(patterns) => patterns,
    };
    file.text += &comment(FIELD, &format!("{}: {}", setting.name, setting.value));
    if patterns.is_narrower {
        file.on(FIELD, setting, (Difference::Stricter, LABELS));
    }
    if patterns.is_wider {
        file.on(FIELD, setting, (Difference::Wider, CHARACTERS));
    }
    file.line(FIELD, format!("names: {}", list(&patterns.texts)));
}

fn ranges(file: &mut File, policy: &Policy) {
    if !is_any(policy) {
        let ranges: Vec<_> = policy.prefixes.value.iter().map(ToString::to_string).collect();
        file.line(FIELD, format!("allowedRanges: {}", list(&ranges)));
    }
}

/// Whether every address lies in the prefixes.
fn is_any(policy: &Policy) -> bool {
    let holds = |all| policy.prefixes.value.iter().any(|range| range.to_string() == all);
    holds("0.0.0.0/0") && holds("::/0")
}

fn counts(file: &mut File, policy: &Policy) {
    let setting = &policy.dns_names;
    file.on(FIELD, setting, (Difference::Other, COUNT));
    file.line(
        FIELD,
        format!("maxNames: {}", (setting.value + ADDRESSES).min(crate::kubelet_serving::MOST_NAMES)),
    );
    // No request can ask for less than 600 s.
    let seconds = policy.max_expiration.value.max(1);
    file.line(FIELD, format!("maxLifetime: {}", duration::of_seconds(seconds.into())));
}

fn denials(file: &mut File, policy: &Policy) {
    let setting = &policy.skips_denial;
    if setting.value {
        return;
    }
    file.on(SECTION, setting, (Difference::Other, HELD));
    let mut rules = vec!["kubelet-serving/address-range", "kubelet-serving/lifetime"];
    // What is stricter than it was must not deny for good.
    if matches!(&policy.names, Names::Patterns(patterns) if !patterns.is_narrower) {
        rules.push("kubelet-serving/name-pattern");
    }
    file.line(SECTION, format!("deny: [{}]", rules.join(", ")));
}

/// A list of texts in one line; JSON's strings are YAML's.
fn list(texts: &[String]) -> String {
    serde_json::Value::from(texts.to_vec()).to_string().replace("\",\"", "\", \"")
}

/// Where fields of `kubeletServing` stand, and those of a section in it.
const SECTION: &str = "    ";
const FIELD: &str = "      ";

/// Addresses that a kubelet may ask for beside its names; kubelet-csr-approver sets no bound.
const ADDRESSES: u16 = 16;

const HEAD: &str = "Made by: countersign import kubelet-csr-approver. What does not mean quite the same is said where it stands.";

const REQUESTER: &str = "it must also be in group system:nodes, have the permission selfnodeserver \
    (deploy/kubelet-serving.yaml) and be a Node that exists, and the request must be a kubelet's: O, usages, key";

const OTHERS: &str = "requests of others than nodes, and those whose common name is not the requester, are left to others, \
    not denied";

const PREFIX: &str = "a DNS name must be the Node's own name, or that with a domain behind a dot: \
    node a does not get auth.example.com";

const ANY_NAME: &str =
    "a Node gets no names but its own; list others in inventory and add [inventory] to accept";

const STATUS: &str = "addresses and names must be in the Node's status and nobody else's: not the API server's, not of Services, \
    not another Node's";

const NO_DOMAIN: &str = "no domain in which nodes have names could be read from the expression, so the Node's status is asked and \
    not DNS: say --dns-domain, or add domains to dns and [dns] to accept";

const DNS: &str = "DNS must lead from <node>.<domain> to every address, also where no DNS name is asked for. Names are absolute: no \
    search list, no hosts file. Where Nodes are called by their full names, use inventory or node-status instead. What \
    is not answered holds a request and never denies it";

const NAMES_OUTSIDE: &str =
    "a name may lead to addresses outside the prefixes, as long as no certificate is asked for those";

const OWN_NAME: &str = "the expression cannot be said in patterns: a Node gets its very name and no other until you write them here";

const LABELS: &str = "a pattern is the whole name, and its * ends at a dot: four labels at most where the expression takes any \
    text. A dot that was not escaped is a dot";

const CHARACTERS: &str = "* takes any letters, digits and hyphens of one label, the expression only some. The name \
    must still be the Node's own";

const COUNT: &str = "names and addresses are counted together; 16 addresses are added to the number of names";

const HELD: &str = "only what is wrong with a request for good denies it: an address out of range, a lifetime too long, a \
    name of another form where the form is exact. All else holds it until it is mended";
