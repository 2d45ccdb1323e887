//! Command lines as kube-controller-manager reads them.
//!
//! Upstream's flags are parsed by pflag, which takes spellings that clap does not: any next word as a value, booleans with
//! `=t`, underscores for dashes (`WordSepNormalizeFunc`). This module rewrites such a line to `--name=value` words that mean
//! the same to clap, sets aside the flags that have no bearing here, and writes down what neither of the two knows.

use std::ffi::OsString;
use std::vec;

use clap::error::{ContextKind, ContextValue};

use crate::cli::kcm_flags::{self, KCM_FLAGS};
use crate::config::Problem;

/// The words behind `countersign run`, read.
#[derive(Debug, Default)]
pub(super) struct CommandLine {
    /// Our flags, each as one word `--name=value`.
    pub(super) words: Vec<String>,
    /// Names of the flags that have no bearing here, each once.
    pub(super) ignored: Vec<String>,
    /// What is wrong with it.
    pub(super) problems: Vec<Problem>,
}

impl CommandLine {
    /// Reads words that stand behind `run`, the command whose flags are ours.
    pub(super) fn read(words: Vec<OsString>, run: &clap::Command) -> Self {
        let mut problems = Vec::new();
        let words: Vec<String> = words.into_iter().filter_map(|word| unicode(word, &mut problems)).collect();
        let line = Self { problems, ..Self::default() };
        let rest = words.into_iter();
        Reader { line, rest, run }.read()
    }
}

fn unicode(word: OsString, problems: &mut Vec<Problem>) -> Option<String> {
    let read = word.into_string().map_err(|word| {
        let argument = word.to_string_lossy().into_owned();
        problems.push(Problem::NotUnicode { argument });
    });
    read.ok()
}

struct Reader<'a> {
    line: CommandLine,
    rest: vec::IntoIter<String>,
    run: &'a clap::Command,
}

impl Reader<'_> {
    fn read(mut self) -> CommandLine {
        let mut arguments = Vec::new();
        while let Some(word) = self.rest.next() {
            if word == "--" {
                arguments.extend(self.rest.by_ref());
            } else if let Some(long) = word.strip_prefix("--") {
                self.long(long);
            } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
                self.short(short);
            } else {
                arguments.push(word);
            }
        }
        if !arguments.is_empty() {
            self.line.problems.push(Problem::StrayArguments { arguments });
        }
        self.line
    }

    /// A word that begins with two dashes; `long` is what follows them.
    fn long(&mut self, long: &str) {
        if long.starts_with(['-', '=']) {
            let word = format!("--{long}");
            return self.line.problems.push(Problem::BadSyntax { word });
        }
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name.replace('_', "-"), Some(value.to_owned())),
            None => (long.replace('_', "-"), None),
        };
        if name == "help" || name == "version" {
            return self.line.words.push(format!("--{name}"));
        }
        let Some(takes_value) = self.takes_value(&name) else {
            return self.unknown(name, value.is_some());
        };
        let value = match (value, takes_value) {
            (None, true) => self.rest.next(),
            (None, false) => Some("true".to_owned()),
            (value, _) => value,
        };
        match value {
            Some(value) => self.accept(name, &value),
            None => self.line.problems.push(Problem::MissingValue { flag: name }),
        }
    }

    /// A word that begins with one dash: upstream has `-v` and `-h`, and takes `-leader-elect` for a row of letters.
    fn short(&mut self, short: &str) {
        match short.strip_prefix('v') {
            Some("") => self.long("v"),
            Some(value) => {
                let behind_sign = value.strip_prefix('=').filter(|value| !value.is_empty());
                self.accept("v".to_owned(), behind_sign.unwrap_or(value));
            }
            None if short.starts_with('h') => self.line.words.push("--help".to_owned()),
            None => {
                let word = format!("-{short}");
                self.line.problems.push(Problem::UnknownShorthand { word });
            }
        }
    }

    fn accept(&mut self, name: String, value: &str) {
        if kcm_flags::find(&name).is_none() {
            self.line.words.push(format!("--{name}={value}"));
        } else if !self.line.ignored.contains(&name) {
            self.line.ignored.push(name);
        }
    }

    fn unknown(&mut self, flag: String, has_value: bool) {
        // What follows is likely its value: to call that a stray argument as well would send the reader astray.
        let next = self.rest.as_slice().first();
        if !has_value && next.is_some_and(|next| !next.starts_with('-')) {
            self.rest.next();
        }
        let suggestion = suggestion(&flag, self.run);
        self.line.problems.push(Problem::UnknownFlag { flag, suggestion });
    }

    /// Whether a flag takes a value from the next word; `None` for a flag that neither we nor upstream have.
    fn takes_value(&self, name: &str) -> Option<bool> {
        let ours = self.run.get_arguments().find(|arg| arg.get_long() == Some(name));
        ours.map(|arg| arg.get_num_args().is_none_or(|number| number.min_values() > 0))
            .or_else(|| kcm_flags::find(name).map(|flag| flag.takes_value))
    }
}

/// The flag that was perhaps meant, ours or upstream's, as clap would say.
fn suggestion(flag: &str, run: &clap::Command) -> Option<String> {
    let foreign = KCM_FLAGS.map(|flag| clap::Arg::new(flag.name).long(flag.name));
    let line = ["run".to_owned(), format!("--{flag}")];
    let error = run.clone().args(foreign).try_get_matches_from(line).err()?;
    match error.get(ContextKind::SuggestedArg)? {
        ContextValue::String(suggested) => Some(suggested.clone()),
        _ => None,
    }
}
