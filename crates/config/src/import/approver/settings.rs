//! Settings as they were given, in whichever form.

use crate::node::Value;

use super::super::Source;
use super::super::manifest::{self, Container};
use super::super::remark::{Difference, Remark};
use super::super::words::words;
use super::error::ApproverError;

/// Its settings, each once, and what is to be said of what is none.
#[derive(Debug, Default)]
pub(super) struct Settings {
    given: Vec<Given>,
    pub(super) remarks: Vec<Remark>,
}

/// A value with the words by which it was given.
#[derive(Clone, Debug)]
pub(super) struct Given {
    flag: &'static str,
    pub(super) setting: String,
    pub(super) value: String,
}

impl Settings {
    pub(super) fn read(source: &Source) -> Result<Self, ApproverError> {
        let mut settings = Self::default();
        match source {
            Source::Text(text) => settings.text(text)?,
            Source::Words(words) => settings.words(words.clone())?,
        }
        if settings.given.is_empty() && settings.remarks.is_empty() {
            return Err(ApproverError::NoSettings);
        }
        Ok(settings)
    }

    /// What was given for a flag, in whichever form.
    pub(super) fn find(&self, flag: &str) -> Option<&Given> {
        self.given.iter().find(|given| given.flag == flag)
    }

    fn text(&mut self, text: &str) -> Result<(), ApproverError> {
        match manifest::documents(text).map_err(ApproverError::Yaml)? {
            Some(documents) if documents.iter().any(is_object) => {
                let found = manifest::find(&documents, "kubelet-csr-approver");
                self.container(&found.ok_or(ApproverError::NoContainer)?)
            }
            Some(documents) => {
                documents.iter().for_each(|values| self.values(values));
                Ok(())
            }
            None => self.words(words(text)?),
        }
    }

    fn container(&mut self, container: &Container) -> Result<(), ApproverError> {
        for (name, value) in &container.environment {
            match value {
                Some(value) => self.variable(name, value),
                None => {
                    self.left_out(name, "its value is not in the manifest: give it as NAME=value instead")
                }
            }
        }
        self.flags(container.words.clone())
    }

    /// A command line: variables, the program, its flags. The program may be left out, or all but it.
    fn words(&mut self, words: Vec<String>) -> Result<(), ApproverError> {
        let is_variable = |word: &String| {
            let name = word.split_once('=').map(|(name, _)| name).unwrap_or_default();
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let mut rest = words.into_iter().peekable();
        while let Some(word) = rest.next_if(|word| word == "export" || is_variable(word)) {
            if let Some((name, value)) = word.split_once('=') {
                self.variable(name, value);
            }
        }
        self.flags(rest.collect())
    }

    /// Flags as Go's `flag` reads them: with one dash or two, truth values only behind `=`, and nothing behind the first other word.
    fn flags(&mut self, words: Vec<String>) -> Result<(), ApproverError> {
        let mut rest = words.into_iter().peekable();
        rest.next_if(|program| !program.starts_with('-'));
        while let Some(word) = rest.next() {
            let Some(flag) =
                word.strip_prefix("--").or_else(|| word.strip_prefix('-')).filter(|flag| !flag.is_empty())
            else {
                let unread = std::iter::once(word).chain(rest).collect::<Vec<_>>().join(" ");
                self.left_out(&unread, "kubelet-csr-approver reads no flags behind a word that is none");
                return Ok(());
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            let row = ROWS.iter().find(|row| row.flag == name);
            let row = row.ok_or_else(|| ApproverError::UnknownFlag(word.clone()))?;
            let value = value.or_else(|| if row.is_switch { Some("true".to_owned()) } else { rest.next() });
            let setting = format!("--{name}");
            let value = value.ok_or_else(|| ApproverError::MissingValue(setting.clone()))?;
            self.set(row.flag, &setting, value);
        }
        Ok(())
    }

    /// A variable of the environment; it counts where no flag does.
    fn variable(&mut self, name: &str, value: &str) {
        match ROWS.iter().find(|row| row.flag.replace('-', "_").to_uppercase() == name) {
            // An empty one is as good as none to it.
            Some(_) if value.is_empty() => {}
            Some(row) => self.set(row.flag, name, value.to_owned()),
            None => self.left_out(name, "no setting of kubelet-csr-approver"),
        }
    }

    /// Values of its Helm chart.
    fn values(&mut self, values: &Value) {
        let Value::Map(entries) = values else { return };
        for (key, node) in entries {
            let (name, value) = (&*key.value, &node.value);
            match ROWS.iter().find(|row| row.helm == Some(name)) {
                Some(row) => {
                    let items: Vec<_> =
                        manifest::list(value).into_iter().filter_map(manifest::scalar).collect();
                    let text = manifest::scalar(value).unwrap_or_else(|| items.join(","));
                    if !is_left_out(value) && !text.is_empty() {
                        self.set(row.flag, name, text);
                    }
                }
                None if name == "env" => self.variables(value),
                None => self.left_out(name, reason(name)),
            }
        }
    }

    fn variables(&mut self, list: &Value) {
        for item in manifest::list(list) {
            let text = |name| manifest::field(item, name).and_then(manifest::scalar);
            match (text("name"), text("value")) {
                (Some(name), Some(value)) => self.variable(&name, &value),
                (name, _) => {
                    self.left_out(&name.unwrap_or_default(), "its value is not here: give it as NAME=value")
                }
            }
        }
    }

    fn set(&mut self, flag: &'static str, setting: &str, value: String) {
        self.given.retain(|given| given.flag != flag);
        self.given.push(Given { flag, setting: setting.to_owned(), value });
    }

    fn left_out(&mut self, setting: &str, why: &str) {
        self.remarks.push(Remark::new(setting, Difference::LeftOut, why));
    }
}

/// Whether it is an object of Kubernetes, and no file of values.
fn is_object(document: &Value) -> bool {
    manifest::field(document, "kind").is_some()
}

/// Whether the chart's `if` leaves a value out. A text is in even where it says 0 or false.
fn is_left_out(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Boolean(false) | Value::Integer(0))
}

/// Why a value of the chart is not carried over.
fn reason(name: &str) -> &'static str {
    match name {
        "global" => "the cluster's domain belongs in clusterDomains, where it is not cluster.local",
        "dnsConfig" => "its name servers belong in the resolvers of dns",
        name if DEPLOYMENT.contains(&name) => "how its pod is deployed, not what it approves",
        _ => "no value of its chart",
    }
}

/// A setting in each of its forms; its variable is the flag in capitals.
struct Row {
    flag: &'static str,
    helm: Option<&'static str>,
    is_switch: bool,
}

const fn valued(flag: &'static str, helm: Option<&'static str>) -> Row {
    Row { flag, helm, is_switch: false }
}

const fn switch(flag: &'static str, helm: Option<&'static str>) -> Row {
    Row { flag, helm, is_switch: true }
}

const ROWS: [Row; 13] = [
    valued("provider-regex", Some("providerRegex")),
    valued("provider-ip-prefixes", Some("providerIpPrefixes")),
    valued("max-expiration-sec", Some("maxExpirationSeconds")),
    valued("allowed-dns-names", Some("allowedDnsNames")),
    switch("bypass-dns-resolution", Some("bypassDnsResolution")),
    switch("bypass-hostname-check", Some("bypassHostnameCheck")),
    switch("ignore-non-system-node", Some("ignoreNonSystemNode")),
    switch("skip-deny-step", Some("skipDenyStep")),
    switch("leader-election", Some("leaderElection")),
    valued("level", Some("loggingLevel")),
    valued("metrics-bind-address", None),
    valued("health-probe-bind-address", None),
    valued("kubeconfig", None),
];

/// Values of its chart that say how the pod is run.
const DEPLOYMENT: [&str; 20] = [
    "affinity",
    "dnsPolicy",
    "extraObjects",
    "fullnameOverride",
    "image",
    "imagePullSecrets",
    "metrics",
    "nameOverride",
    "namespace",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
    "podSecurityContext",
    "priorityClassName",
    "rbac",
    "replicas",
    "resources",
    "securityContext",
    "serviceAccount",
    "tolerations",
];
