//! Its flags: those that are ours too, as they are; of each other one, why it is not.

use ::config::import::{Difference, Remark};

use crate::chain::Chain;
use crate::cli::command_line::CommandLine;
use crate::cli::{kcm_flags, run_command};
use crate::config::Problem;

/// What its command line says.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// Flags that are carried over, with their values, in its order; of one given twice, the last, as it counts.
    carried: Vec<(String, String)>,

    /// The value of `--controllers`.
    pub(super) controllers: Option<String>,

    /// What is to be said of the others.
    pub(super) remarks: Vec<Remark>,
}

impl Flags {
    /// Reads words without the program.
    pub(super) fn read(words: Vec<String>) -> Self {
        let line = CommandLine::read(words.into_iter().map(Into::into).collect(), &run_command());
        let mut flags = Self::default();
        for word in &line.words {
            let flag = word.trim_start_matches('-').split_once('=');
            match flag {
                Some((name, value)) => flags.carry(name, value),
                None => flags.left_out(&word.replace("--", ""), "it prints something and ends"),
            }
        }
        for name in &line.ignored {
            flags.left_out(name, reason(name));
        }
        for problem in &line.problems {
            flags.problem(problem);
        }
        flags
    }

    /// Whether nothing in it is a flag.
    pub(super) fn is_empty(&self) -> bool {
        let is_flag = |remark: &Remark| remark.setting.starts_with('-');
        self.carried.is_empty() && self.controllers.is_none() && !self.remarks.iter().any(is_flag)
    }

    /// What is to be known where a flag is not given.
    pub(super) fn missing(&self) -> Vec<Remark> {
        let mut missing = Vec::new();
        let mut note = |flag, text| missing.push(Remark::new(flag, Difference::Other, text));
        if !self
            .carried
            .iter()
            .any(|(name, _)| name.starts_with("cluster-signing-") && name.ends_with("-file"))
        {
            note("--cluster-signing-cert-file", NO_CA);
        }
        let credentials = self.value("use-service-account-credentials").unwrap_or("false");
        if ["0", "f", "F", "false", "FALSE", "False"].contains(&credentials) {
            note("--use-service-account-credentials", NO_SERVICE_ACCOUNT);
        }
        missing
    }

    /// The value of a flag that is carried over.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.carried.iter().find(|(carried, _)| carried == name);
        found.map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    /// Every value of a flag that is a list.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        self.carried.iter().filter(|(carried, _)| carried == name).map(|(_, value)| &**value).collect()
    }

    /// Our command line, each flag one word.
    pub(super) fn words(&self, controllers: Option<String>) -> Vec<String> {
        let controllers = controllers.map(|value| format!("--controllers={value}"));
        self.carried.iter().map(|(name, value)| format!("--{name}={value}")).chain(controllers).collect()
    }

    fn carry(&mut self, name: &str, value: &str) {
        let (name, value) = (name.to_owned(), value.to_owned());
        match OTHERWISE.iter().find(|(flag, ..)| *flag == name) {
            Some((_, difference, why)) => {
                self.remarks.push(Remark::new(format!("--{name}"), *difference, *why))
            }
            None if name == "controllers" => {
                // It is a list: one given twice adds up.
                let before = self.controllers.take().map(|before| format!("{before},{value}"));
                self.controllers = Some(before.unwrap_or(value));
            }
            None if LISTS.contains(&&*name) => self.carried.push((name, value)),
            None => {
                self.carried.retain(|(carried, _)| *carried != name);
                self.carried.push((name, value));
            }
        }
    }

    fn problem(&mut self, problem: &Problem) {
        let (setting, text) = match problem {
            Problem::UnknownFlag { flag, .. } => {
                (format!("--{flag}"), "no flag of kube-controller-manager v1.37".to_owned())
            }
            problem => ("the command line".to_owned(), Chain(problem).to_string()),
        };
        self.remarks.push(Remark::new(setting, Difference::LeftOut, text));
    }

    fn left_out(&mut self, name: &str, why: &str) {
        self.remarks.push(Remark::new(format!("--{name}"), Difference::LeftOut, why));
    }
}

/// Why a flag of its own has no bearing here.
fn reason(name: &str) -> &'static str {
    debug_assert!(kcm_flags::find(name).is_some(), "{name}");
    match name {
        "client-ca-file" => {
            "callers' certificates are judged by the CA in the ConfigMap kube-system/extension-apiserver-authentication"
        }
        _ if name.starts_with("requestheader-") => "no proxy is believed about who calls",
        _ if name.starts_with("authentication-") || name.starts_with("authorization-") => {
            "who asks for metrics is known by the API server's word, which is kept for ten seconds; that is not to be set"
        }
        _ if name.starts_with("tls-") => {
            "metrics are served with TLS 1.2 and 1.3, in the library's safe choice of ciphers"
        }
        "profiling" | "contention-profiling" => "there is no profiling",
        "feature-gates" | "emulated-version" | "min-compatibility-version" => "there are no feature gates",
        "kube-api-content-type" => "the API server is spoken to in JSON",
        _ => "it is for what stays with kube-controller-manager",
    }
}

/// Flags that we have too, and that mean something else for two programs side by side.
const OTHERWISE: [(&str, Difference, &str); 4] = [
    ("secure-port", Difference::Other, "metrics and health are on port 10270, as both run on one host"),
    (
        "leader-elect-resource-name",
        Difference::Other,
        "the Lease is countersign, which deploy/rbac.yaml makes: both run side by side",
    ),
    (
        "leader-elect-resource-namespace",
        Difference::Other,
        "the Lease is in kube-system, where deploy/rbac.yaml makes it",
    ),
    ("leader-elect-resource-lock", Difference::Other, "a Lease is held; there is no other kind"),
];

const NO_CA: &str = "no CA is given there, so nothing is signed, there or here: give one, or leave signing to who does it now";

const NO_SERVICE_ACCOUNT: &str = "all is done as the user of the kubeconfig, as there; deploy/rbac.yaml grants the Lease to User \
    system:kube-controller-manager alone";

/// Flags that may be given more than once and add up.
const LISTS: [&str; 1] = ["authorization-always-allow-paths"];
