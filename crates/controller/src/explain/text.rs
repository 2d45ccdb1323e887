//! Explanations for people.

use std::fmt::Write as _;

use super::{Cleaning, Explanation, Finding, Found, escaped};

/// Of a terminal that shows colours.
const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

impl Explanation {
    /// The explanation, to be read; with `colours` for a terminal.
    #[must_use]
    pub fn text(&self, colours: bool) -> String {
        let mut page = Page { text: String::new(), colours };
        self.head(&mut page);
        self.rules(&mut page);
        self.end(&mut page);
        page.text
    }

    fn head(&self, page: &mut Page) {
        let age = self.age_seconds.map(|age| format!(", {} old", span(age))).unwrap_or_default();
        page.line(&format!("CertificateSigningRequest {:?}", self.name));
        page.field("state", &format!("{}{age}", self.state.label()));
        if let Some(cleaning) = &self.cleaning {
            page.field("deleted", &cleaning.label());
        }
        for condition in &self.conditions {
            let words = format!("{:?}, {:?}: {:?}", condition.kind, condition.reason, condition.message);
            page.field("condition", &words);
        }
        page.field("signer", &format!("{:?}", self.signer_name));
        let attested = if self.attested { "" } else { " (not attested: this is what the file says)" };
        page.field("requester", &format!("{:?}{attested}", self.requester));
        page.field("groups", &quoted(&self.groups));
        if let Some(asked) = &self.asked {
            let subject = format!("CN {:?}, O {}", asked.common_name, quoted(&asked.organizations));
            page.field("subject", &subject);
            page.field("names", &quoted(&asked.subject_alt_names));
        }
    }

    fn rules(&self, page: &mut Page) {
        if !self.findings.is_empty() {
            page.line("\nRules, in the order in which they are asked:");
            self.findings.iter().for_each(|finding| page.finding(finding));
        }
        let Some(preview) = &self.preview else { return };
        page.line("\nWhat the signer checks before it signs:");
        preview.findings.iter().for_each(|finding| page.finding(finding));
        if let Some(not_after) = &preview.not_after {
            page.line(&format!("  expires      {not_after} if issued now ({})", preview.limit));
        }
    }

    fn end(&self, page: &mut Page) {
        let advice = &self.advice;
        let by = advice.rule.map(|rule| format!(", by {rule}")).unwrap_or_default();
        let outcome = page.coloured(BOLD, advice.outcome.label());
        page.line(&format!("\nOutcome: {outcome}{by}"));
        page.field("who acts", advice.next_actor);
        page.field("what to do", &escaped(&advice.remedy));
        if let Some(command) = &advice.command {
            page.field("command", command);
        }
    }
}

/// Requests, as a table.
#[must_use]
pub fn table(explanations: &[Explanation]) -> String {
    let head =
        ["AGE", "NAME", "REQUESTER", "SIGNER", "OUTCOME", "RULE", "NEXT ACTOR", "DELETED"].map(str::to_owned);
    let row = |found: &Explanation| {
        [
            found.age_seconds.map_or_else(|| "?".to_owned(), span),
            cell(&found.name),
            cell(&found.requester),
            cell(&found.signer_name),
            found.advice.outcome.label().to_owned(),
            found.advice.rule.unwrap_or("-").to_owned(),
            found.advice.next_actor.to_owned(),
            found.cleaning.as_ref().map_or_else(|| "never".to_owned(), Cleaning::label),
        ]
    };
    columns(std::iter::once(head).chain(explanations.iter().map(row)))
}

/// Rows of cells, one below the other.
pub(crate) fn columns<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = rows.collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(widest);
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A text that is written line by line, each of them made harmless.
struct Page {
    text: String,
    colours: bool,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn field(&mut self, name: &str, value: &str) {
        // A String takes whatever is written to it.
        let _ = writeln!(self.text, "  {name:<11}  {value}");
    }

    fn finding(&mut self, finding: &Finding) {
        let (word, colour) = match finding.result {
            Found::Pass => ("pass", GREEN),
            Found::Fail => ("FAIL", RED),
            Found::NotKnown => ("not known", YELLOW),
            Found::NotReached => ("not reached", DIM),
        };
        let word = self.coloured(colour, &format!("{word:<11}"));
        self.line(&format!("  {word}  {}: {}", finding.rule, finding.title));
        if !finding.note.is_empty() {
            self.line(&format!("{:15}{}", "", escaped(&finding.note)));
        }
    }

    fn coloured(&self, colour: &str, word: &str) -> String {
        if self.colours { format!("{colour}{word}{PLAIN}") } else { word.to_owned() }
    }
}

fn quoted(texts: &[String]) -> String {
    format!("{texts:?}")
}

/// A text in a column: what cannot be told from a blank column is quoted.
pub(crate) fn cell(text: &str) -> String {
    if text.is_empty() || text.contains(char::is_whitespace) { format!("{text:?}") } else { escaped(text) }
}

/// A time span as kubectl writes it, roughly.
pub(super) fn span(seconds: i64) -> String {
    match seconds {
        ..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m{}s", seconds / 60, seconds % 60),
        7200..172_800 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86400, seconds % 86400 / 3600),
    }
}
