//! The section `guards`.

use std::collections::BTreeSet;

use approver::{ReservedNames, ReservedSubjects, SubjectPattern};

use crate::Guards;
use crate::reader::{Item, Reader, Section};

const PATTERN: &str = "a pattern of names, in which * stands for anything";

/// The section, as far as it can be read.
pub(crate) fn read(item: &Item<'_>, reader: &mut Reader) -> Option<Guards> {
    let mut section = item.section(reader)?;
    let item = section.field("reservedSubjects");
    let reserved_subjects = item.and_then(|item| read_subjects(&item, reader));
    let item = section.field("nodeTakeover");
    let node_takeover = item.and_then(|item| read_takeover(&item, reader));
    section.finish(reader);
    Some(Guards { reserved_subjects, node_takeover: node_takeover.unwrap_or_default() })
}

fn read_takeover(item: &Item<'_>, reader: &mut Reader) -> Option<bool> {
    let mut section = item.section(reader)?;
    let enabled = section.required(reader, "enabled", "true or false");
    section.finish(reader);
    enabled.and_then(|item| item.boolean(reader))
}

/// A section that is there is a guard that is on, unless it says otherwise.
fn read_subjects(item: &Item<'_>, reader: &mut Reader) -> Option<ReservedSubjects> {
    let mut section = item.section(reader)?;
    let enabled = section.required(reader, "enabled", "true or false");
    let enabled = enabled.and_then(|item| item.boolean(reader)).unwrap_or_default();
    let mut read = ReservedSubjects::default();
    for (name, names) in [("users", &mut read.users), ("groups", &mut read.groups)] {
        if let Some(item) = section.field(name) {
            let items = item.list(reader, "patterns of names");
            let pattern = |text: &str| text.parse::<SubjectPattern>().ok();
            names.patterns = items.iter().filter_map(|item| item.parsed(reader, PATTERN, pattern)).collect();
        }
    }
    if let Some(mut except) = section.field("except").and_then(|item| item.section(reader)) {
        for (name, from) in [("users", &mut read.users), ("groups", &mut read.groups)] {
            from.except = names(&mut except, name, (from, reader));
        }
        except.finish(reader);
    }
    section.finish(reader);
    enabled.then_some(read)
}

/// Names that are excepted. One that no pattern reserves is likely a typing error.
fn names(
    section: &mut Section<'_>,
    name: &'static str,
    (from, reader): (&ReservedNames, &mut Reader),
) -> BTreeSet<String> {
    let Some(item) = section.field(name) else {
        return BTreeSet::new();
    };
    let expected = "a name that one of the patterns reserves";
    let reserved = |text: &str| from.contains(text).then(|| text.to_owned());
    let items = item.list(reader, "names");
    items.iter().filter_map(|item| item.parsed(reader, expected, reserved)).collect()
}
