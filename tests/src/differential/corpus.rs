//! The requests that are given to both signers.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::binaries::Binary;
use crate::bindings::BOOTSTRAPPERS;

/// Requests in the order in which they are created.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// Its requests; names are unique.
    pub entries: Vec<Entry>,
    /// Where it came from, to come by it again.
    pub origin: String,
}

/// One request and what is done with it by hand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// The object's name.
    pub name: String,
    /// `spec.request` as text.
    pub request: String,
    /// `spec.signerName`.
    pub signer_name: String,
    /// `spec.usages`; absent is not the same as empty.
    pub usages: Option<Vec<String>>,
    /// `spec.expirationSeconds`.
    pub expiration_seconds: Option<i64>,
    /// Who creates it.
    pub requester: Requester,
    /// What a human does with it.
    #[serde(default)]
    pub action: Action,
    /// `metadata.labels`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Why countersign will not sign it although kube-controller-manager does: an entry of design.md's closed list.
    #[serde(default)]
    pub exception: Option<String>,
}

/// An identity to create a request with, by impersonation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct Requester {
    /// The user name.
    pub username: String,
    /// The user's groups; the API server adds `system:authenticated`.
    pub groups: Vec<String>,
}

/// What a human does with a request.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Nothing.
    #[default]
    None,
    /// Approves it.
    Approve,
    /// Denies it.
    Deny,
}

/// A group whose members' kubelet requests are approved (nodeclient).
pub(super) const GRANTED: &str = "corpus:granted";

impl TryFrom<String> for Requester {
    type Error = anyhow::Error;

    /// Reads `admin`, `bootstrap`, or a name after `node:`, `user:` or `ungranted:`.
    fn try_from(text: String) -> Result<Self> {
        let (kind, name) = text.split_once(':').unwrap_or((&text, ""));
        let (username, groups): (_, &[&str]) = match kind {
            "admin" => ("admin".to_owned(), &["system:masters"]),
            "bootstrap" => ("system:bootstrap:abcdef".to_owned(), &["system:bootstrappers", BOOTSTRAPPERS]),
            "node" => (format!("system:node:{name}"), &["system:nodes"]),
            "user" => (name.to_owned(), &[GRANTED]),
            // Some group must be named, or impersonation takes a user called like a node for the node (1.37).
            "ungranted" => (name.to_owned(), &["system:authenticated"]),
            _ => bail!("{text:?} is no requester"),
        };
        Ok(Self { username, groups: groups.iter().map(ToString::to_string).collect() })
    }
}

impl Corpus {
    /// `count` requests: of the file `COUNTERSIGN_CORPUS` if that is set, else made of the seed
    /// `COUNTERSIGN_CORPUS_SEED`, or of `seed`.
    ///
    /// # Errors
    /// When it cannot be read or made.
    pub fn load(seed: u64, count: usize) -> Result<Self> {
        if let Ok(path) = env::var("COUNTERSIGN_CORPUS") {
            let lines = fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
            return Self::parse(&lines, path);
        }
        let seed = env::var("COUNTERSIGN_CORPUS_SEED").unwrap_or_else(|_| seed.to_string());
        Self::make(&seed, count)
    }

    fn make(seed: &str, count: usize) -> Result<Self> {
        let mut command = Command::new(Binary::Corpus.locate()?);
        let made = command.args(["--seed", seed, "--count", &count.to_string()]).output()?;
        ensure!(made.status.success(), "failed to make a corpus: {}", String::from_utf8_lossy(&made.stderr));
        Self::parse(&String::from_utf8(made.stdout)?, format!("corpus --seed {seed} --count {count}"))
    }

    fn parse(lines: &str, origin: String) -> Result<Self> {
        let parse = |(number, line)| {
            serde_json::from_str(line).with_context(|| format!("{origin}, line {}", number + 1))
        };
        let entries = lines.lines().enumerate().map(parse).collect::<Result<_>>()?;
        Ok(Self { entries, origin })
    }
}
