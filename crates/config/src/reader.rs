//! Reading a tree of values by name and kind, with everything that does not fit written down.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::mistake::{Fault, Mistake, Mistakes, Place, closest};
use crate::node::{Key, Node, Value, place};

/// A value, and how it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) path: String,
    pub(crate) place: Place,
    pub(crate) value: &'a Value,
}

/// The fields of a mapping. Those that were asked for are those that there are.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    path: String,
    place: Place,
    entries: &'a [(Key, Node)],
    known: Vec<&'static str>,
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Reader(Vec<Mistake>);

impl Reader {
    /// Writes down a mistake.
    pub(crate) fn note(&mut self, path: &str, place: Place, fault: Fault) {
        self.0.push(Mistake { place, path: path.to_owned(), fault });
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// What was found, when something was; in the order of the file.
    pub(crate) fn finish(mut self) -> Result<(), Mistakes> {
        self.0.sort_by_key(|mistake| mistake.place);
        if self.0.is_empty() { Ok(()) } else { Err(Mistakes(self.0)) }
    }
}

impl<'a> Item<'a> {
    /// The whole file.
    pub(crate) fn root(node: &'a Node) -> Self {
        Self { path: String::new(), place: place(node), value: &node.value }
    }

    /// Notes what is wrong with it.
    pub(crate) fn wrong(&self, reader: &mut Reader, fault: Fault) {
        reader.note(&self.path, self.place, fault);
    }

    /// Notes what was expected in its place.
    pub(crate) fn unexpected(&self, reader: &mut Reader, expected: impl Into<String>) {
        let (expected, found) = (expected.into(), self.value.describe());
        self.wrong(reader, Fault::Unexpected { expected, found });
    }

    pub(crate) fn boolean(&self, reader: &mut Reader) -> Option<bool> {
        if let Value::Boolean(value) = self.value {
            return Some(*value);
        }
        self.unexpected(reader, "true or false");
        None
    }

    /// A text, of which `expected` says what it is to be.
    pub(crate) fn text(&self, reader: &mut Reader, expected: &str) -> Option<&'a str> {
        if let Value::Text(text) = self.value {
            return Some(text);
        }
        self.unexpected(reader, expected);
        None
    }

    /// What a text means, of which `expected` says what it is to be.
    pub(crate) fn parsed<T>(
        &self,
        reader: &mut Reader,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(self.text(reader, expected)?);
        if parsed.is_none() {
            self.unexpected(reader, expected);
        }
        parsed
    }

    /// One of some words, as the place it has among them.
    pub(crate) fn word(&self, reader: &mut Reader, words: &[&'static str]) -> Option<usize> {
        let index = match self.value {
            Value::Text(text) => words.iter().position(|word| word == text),
            _ => None,
        };
        if index.is_none() {
            self.no_such_word(reader, words);
        }
        index
    }

    /// Notes that only some words mean anything in its place.
    pub(crate) fn no_such_word(&self, reader: &mut Reader, words: &[&'static str]) {
        let typed = if let Value::Text(text) = self.value { text } else { "" };
        let (expected, found) = (words.to_vec(), self.value.describe());
        // Of one word, nobody needs to be told which was meant.
        let suggestion = if words.len() > 1 { closest(typed, words) } else { None };
        self.wrong(reader, Fault::NoSuchWord { expected, found, suggestion });
    }

    /// A whole number from `least` to `most`.
    pub(crate) fn number(&self, reader: &mut Reader, least: u16, most: u16) -> Option<u16> {
        let number = match self.value {
            Value::Integer(number) => u16::try_from(*number).ok(),
            _ => None,
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.unexpected(reader, format!("a whole number from {least} to {most}"));
        }
        number
    }

    /// The items of a list.
    pub(crate) fn list(&self, reader: &mut Reader, of: &str) -> Vec<Self> {
        let Value::List(nodes) = self.value else {
            self.unexpected(reader, format!("a list of {of}"));
            return Vec::new();
        };
        let item = |(index, node): (usize, &'a Node)| Self {
            path: format!("{}[{index}]", self.path),
            place: place(node),
            value: &node.value,
        };
        nodes.iter().enumerate().map(item).collect()
    }

    /// What is said of each name of a mapping, the name with its own place.
    pub(crate) fn entries(&self, reader: &mut Reader, of: &str) -> Vec<(&'a Key, Self)> {
        let Value::Map(entries) = self.value else {
            self.unexpected(reader, format!("a mapping {of}"));
            return Vec::new();
        };
        note_repeated(reader, &self.path, entries);
        let item = |(key, node): &'a (Key, Node)| {
            let path = join(&self.path, &key.value);
            (key, Self { path, place: place(node), value: &node.value })
        };
        entries.iter().map(item).collect()
    }

    /// The fields of a mapping.
    pub(crate) fn section(&self, reader: &mut Reader) -> Option<Section<'a>> {
        let Value::Map(entries) = self.value else {
            self.unexpected(reader, "a mapping of fields");
            return None;
        };
        note_repeated(reader, &self.path, entries);
        Some(Section { path: self.path.clone(), place: self.place, entries, known: Vec::new() })
    }
}

impl<'a> Section<'a> {
    /// A field; one without a value counts as not given.
    pub(crate) fn field(&mut self, name: &'static str) -> Option<Item<'a>> {
        self.known.push(name);
        let (_, node) = self.entries.iter().find(|(key, _)| key.value == name)?;
        let item = Item { path: join(&self.path, name), place: place(node), value: &node.value };
        (!matches!(item.value, Value::Null)).then_some(item)
    }

    /// A field that must be given, with what is expected of it.
    pub(crate) fn required(
        &mut self,
        reader: &mut Reader,
        name: &'static str,
        expected: &str,
    ) -> Option<Item<'a>> {
        let found = self.field(name);
        if found.is_none() {
            let key = self.entries.iter().find(|(key, _)| key.value == name).map(|(key, _)| place(key));
            let fault = Fault::Missing(expected.to_owned());
            reader.note(&join(&self.path, name), key.unwrap_or(self.place), fault);
        }
        found
    }

    /// Notes every field that nobody asked for. To be called last.
    pub(crate) fn finish(self, reader: &mut Reader) {
        for (key, _) in self.entries.iter().filter(|(key, _)| !self.known.contains(&&*key.value)) {
            let fault = Fault::UnknownField(closest(&key.value, &self.known));
            reader.note(&join(&self.path, &key.value), place(key), fault);
        }
    }
}

fn note_repeated(reader: &mut Reader, path: &str, entries: &[(Key, Node)]) {
    let mut seen = BTreeMap::new();
    for (key, _) in entries {
        match seen.entry(&*key.value) {
            Entry::Vacant(vacant) => drop(vacant.insert(place(key))),
            Entry::Occupied(first) => {
                reader.note(&join(path, &key.value), place(key), Fault::GivenTwice(*first.get()));
            }
        }
    }
}

/// The path of a field: a name that is more than one word is quoted.
fn join(path: &str, name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_') && !name.is_empty();
    match (path, is_word) {
        ("", _) => name.to_owned(),
        (path, true) => format!("{path}.{name}"),
        (path, false) => format!("{path}[{name:?}]"),
    }
}
