//! The judge.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, ensure};

use crate::differential::corpus::{Corpus, Entry};
use crate::differential::observation::Observation;
use crate::outcome::Outcome;
use crate::signer::Program;

/// What became of every request of a corpus, by name.
pub type Observations = BTreeMap<String, Observation>;

/// A request whose two outcomes differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// The object's name.
    pub name: String,
    /// Which fact, and how the two signers have it: `(fact, first, second)`.
    pub facts: Vec<(String, String, String)>,
}

/// The comparison of two signers.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Requests that the second signer treats differently.
    pub differences: Vec<Difference>,
    /// Requests that differ as the closed list of exceptions says, by exception.
    pub exceptions: BTreeMap<String, usize>,
    /// Requests by what became of them with the first signer.
    pub tally: BTreeMap<&'static str, usize>,
}

/// Compares what became of `corpus` with kube-controller-manager (`first`) and with `program` (`second`).
///
/// The exceptions count for countersign only.
pub fn compare(corpus: &Corpus, first: &Observations, (program, second): (Program, &Observations)) -> Report {
    let mut report = Report::default();
    for entry in &corpus.entries {
        let (Some(a), Some(b)) = (first.get(&entry.name), second.get(&entry.name)) else {
            report.differences.push(lost(entry));
            continue;
        };
        *report.tally.entry(kind(a)).or_default() += 1;
        match &entry.exception {
            Some(exception) if program == Program::Countersign && is_excepted(a, b) => {
                *report.exceptions.entry(exception.clone()).or_default() += 1;
            }
            // Signed by both: the exception no longer is one, and the list is to be cut.
            Some(_) if program == Program::Countersign && a.outcome == Some(Outcome::Issued) => {
                report.differences.push(Difference { name: entry.name.clone(), facts: Vec::new() });
            }
            _ => report.differences.extend(difference(entry, a, b)),
        }
    }
    report
}

/// Whether two outcomes differ as every entry of the closed list does: issued by one, refused for good by the other.
fn is_excepted(a: &Observation, b: &Observation) -> bool {
    a.outcome == Some(Outcome::Issued)
        && b.outcome == Some(Outcome::Failed)
        && b.failure().is_some_and(|text| text.starts_with("SignerValidationFailure: "))
}

fn difference(entry: &Entry, a: &Observation, b: &Observation) -> Option<Difference> {
    let mut facts: Vec<_> = a.facts.keys().chain(b.facts.keys()).collect();
    facts.sort();
    facts.dedup();
    let fact = |observation: &Observation, name: &str| {
        observation.facts.get(name).map_or_else(|| ABSENT.to_owned(), Clone::clone)
    };
    let differing = facts.into_iter().filter(|name| a.facts.get(*name) != b.facts.get(*name));
    let facts: Vec<_> = differing.map(|name| (name.clone(), fact(a, name), fact(b, name))).collect();
    (!facts.is_empty()).then(|| Difference { name: entry.name.clone(), facts })
}

fn lost(entry: &Entry) -> Difference {
    let fact = ("object".to_owned(), "observed".to_owned(), ABSENT.to_owned());
    Difference { name: entry.name.clone(), facts: vec![fact] }
}

fn kind(observation: &Observation) -> &'static str {
    match observation.outcome {
        None => "refused",
        Some(Outcome::Pending) => "pending",
        Some(Outcome::Approved) => "approved for ever",
        Some(Outcome::Denied) => "denied",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Issued) => "issued",
    }
}

impl Report {
    /// Fails unless the two signers are equal.
    ///
    /// # Errors
    /// With the first differences.
    pub fn ensure_equal(&self) -> Result<()> {
        ensure!(self.differences.is_empty(), "{self}");
        Ok(())
    }

    /// Fails unless the corpus led to every kind of outcome.
    ///
    /// # Errors
    /// With the tally.
    pub fn ensure_exercised(&self) -> Result<()> {
        let missing: Vec<_> = KINDS.iter().filter(|kind| !self.tally.contains_key(**kind)).collect();
        ensure!(missing.is_empty(), "the corpus did not lead to {missing:?}: {self}");
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count: usize = self.tally.values().sum();
        writeln!(f, "{count} requests: {:?}, exceptions {:?}", self.tally, self.exceptions)?;
        writeln!(f, "{} differ", self.differences.len())?;
        for difference in self.differences.iter().take(SHOWN) {
            writeln!(f, "- {}", difference.name)?;
            for (fact, first, second) in &difference.facts {
                writeln!(f, "    {fact}\n      first:  {first}\n      second: {second}")?;
            }
        }
        Ok(())
    }
}

const ABSENT: &str = "(absent)";
const KINDS: [&str; 6] = ["approved for ever", "denied", "failed", "issued", "pending", "refused"];

/// Differences printed in full.
const SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::differential::observation::Facts;

    const ENTRY: &str =
        r#"{ "name": "a", "request": "", "signerName": "s", "usages": [], "requester": "admin" }"#;

    fn corpus(exception: Option<&str>) -> Corpus {
        let entry: Entry = serde_json::from_str(ENTRY).unwrap();
        let entries = vec![Entry { exception: exception.map(str::to_owned), ..entry }];
        Corpus { entries, origin: "test".to_owned() }
    }

    fn observed(outcome: Outcome, fact: &str) -> Observations {
        let facts = Facts::from([("condition 1".to_owned(), fact.to_owned())]);
        Observations::from([("a".to_owned(), Observation { outcome: Some(outcome), facts })])
    }

    fn issued() -> Observations {
        observed(Outcome::Issued, "certificate")
    }

    fn failed() -> Observations {
        observed(Outcome::Failed, "Failed=True SignerValidationFailure: unsupported algorithm")
    }

    #[test]
    fn equal_outcomes_are_counted_and_not_reported() {
        let report = compare(&corpus(None), &issued(), (Program::Countersign, &issued()));
        assert!(report.ensure_equal().is_ok());
        assert_eq!(report.tally, BTreeMap::from([("issued", 1)]));
        assert!(report.ensure_exercised().is_err());
    }

    #[test]
    fn a_fact_that_differs_or_is_missing_is_reported() {
        for other in [observed(Outcome::Issued, "another"), failed(), Observations::new()] {
            let report = compare(&corpus(None), &issued(), (Program::Countersign, &other));
            assert_eq!(report.differences.len(), 1);
            assert!(report.ensure_equal().is_err());
        }
    }

    #[test]
    fn an_exception_holds_for_countersign_and_in_its_form_only() {
        let corpus = corpus(Some("algorithm-unsupported"));
        let other_reason = observed(Outcome::Failed, "Failed=True Unsupported: unsupported algorithm");
        let pending = observed(Outcome::Pending, "");
        let rows = [
            (Program::Countersign, issued(), failed(), 0, 1),
            (Program::KubeControllerManager, issued(), failed(), 1, 0),
            (Program::Countersign, issued(), issued(), 1, 0),
            (Program::Countersign, issued(), other_reason, 1, 0),
            (Program::Countersign, issued(), pending.clone(), 1, 0),
            (Program::Countersign, pending.clone(), failed(), 1, 0),
            (Program::Countersign, pending.clone(), pending, 0, 0),
        ];
        for (row, (program, first, second, differences, exceptions)) in rows.into_iter().enumerate() {
            let report = compare(&corpus, &first, (program, &second));
            assert_eq!(report.differences.len(), differences, "row {row}");
            assert_eq!(report.exceptions.len(), exceptions, "row {row}");
        }
    }
}
