//! Manifests: the one container in them that is looked for, its command line, its environment and what it sees of its host.

use crate::mistake::Mistake;
use crate::node::{self, Value};

/// A container, as far as its command line goes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Container {
    /// `command` and `args`.
    pub words: Vec<String>,

    /// `env`; `None` for a value that is somewhere else (`valueFrom`).
    pub environment: Vec<(String, Option<String>)>,

    /// `volumeMounts`.
    pub mounts: Vec<Mount>,
}

/// A directory or a file in a container.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mount {
    /// Where it is in the container.
    pub path: String,

    /// Where it is on the host; `None` for what is not of the host.
    pub host: Option<HostPath>,
}

/// A volume of the host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPath {
    /// Where it is.
    pub path: String,

    /// Whether it is a file, as its type says.
    pub is_file: bool,
}

/// Why there is no container to be had.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ManifestError {
    /// Neither YAML nor JSON.
    #[error("{0}")]
    Unreadable(Mistake),

    /// Objects, and none with the container.
    #[error("no object in it has a container called {0}, or has one container only")]
    NoContainer(String),
}

/// The documents of a text, as far as they are mappings; `None` where it is none: then it may be something else than YAML.
pub(super) fn documents(text: &str) -> Result<Option<Vec<Value>>, Mistake> {
    let mut documents = Vec::new();
    for document in split(text) {
        match node::read(&document) {
            Ok(read) => match read.value {
                Value::Null => {}
                value @ Value::Map(_) => documents.push(value),
                _ => return Ok(None),
            },
            Err(_) if !looks_like_a_mapping(&document) => return Ok(None),
            Err(mistake) => return Err(mistake),
        }
    }
    Ok((!documents.is_empty()).then_some(documents))
}

/// The container of that name in the first object that has it, or the only container that there is; `None` where the text is no
/// manifest.
///
/// # Errors
/// When it is one and cannot be read, or holds no such container.
pub fn container(text: &str, name: &str) -> Result<Option<Container>, ManifestError> {
    let Some(documents) = documents(text).map_err(ManifestError::Unreadable)? else {
        return Ok(None);
    };
    find(&documents, name).map(Some).ok_or_else(|| ManifestError::NoContainer(name.to_owned()))
}

/// The container of that name in one of these objects, or their only one.
pub(super) fn find(documents: &[Value], name: &str) -> Option<Container> {
    let items = |document| field(document, "items").map(list).unwrap_or_default();
    let objects = documents.iter().flat_map(|document| [vec![document], items(document)].concat());
    let specs: Vec<_> = objects.filter_map(pod_spec).collect();
    let all: Vec<_> =
        specs.iter().flat_map(|spec| containers(spec).map(move |found| (*spec, found))).collect();
    let is_called = |(_, container): &&(_, &Value)| text_of(container, "name").as_deref() == Some(name);
    let only = if let [one] = &all[..] { Some(one) } else { None };
    let (spec, container) = all.iter().find(is_called).or(only)?;
    Some(read(spec, container))
}

fn pod_spec(object: &Value) -> Option<&Value> {
    let spec = field(object, "spec")?;
    let template = field(spec, "template").and_then(|template| field(template, "spec"));
    template.or(Some(spec))
}

fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    field(spec, "containers").map(list).unwrap_or_default().into_iter()
}

fn read(spec: &Value, container: &Value) -> Container {
    let items = |name| field(container, name).map(list).unwrap_or_default();
    let words = [items("command"), items("args")].concat();
    let variable = |item: &&Value| Some((text_of(item, "name")?, text_of(item, "value")));
    let mount = |item: &&Value| {
        let volume = text_of(item, "name")?;
        let sub_path = text_of(item, "subPath");
        let host = host_path(spec, &volume).map(|host| match sub_path {
            Some(sub_path) => HostPath { path: format!("{}/{sub_path}", host.path), ..host },
            None => host,
        });
        Some(Mount { path: text_of(item, "mountPath")?, host })
    };
    Container {
        words: words.into_iter().filter_map(scalar).collect(),
        environment: items("env").iter().filter_map(variable).collect(),
        mounts: items("volumeMounts").iter().filter_map(mount).collect(),
    }
}

fn host_path(spec: &Value, volume: &str) -> Option<HostPath> {
    let volumes = field(spec, "volumes").map(list).unwrap_or_default();
    let found = volumes.into_iter().find(|item| text_of(item, "name").as_deref() == Some(volume))?;
    let host = field(found, "hostPath")?;
    let is_file = text_of(host, "type").is_some_and(|kind| kind.starts_with("File"));
    Some(HostPath { path: text_of(host, "path")?, is_file })
}

/// A field of a mapping; of one that comes twice, the last, as the API server's reader has it.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Map(entries) = value else { return None };
    entries.iter().rev().find(|(key, _)| key.value == name).map(|(_, node)| &node.value)
}

/// The items of a list.
pub(super) fn list(value: &Value) -> Vec<&Value> {
    let Value::List(nodes) = value else { return Vec::new() };
    nodes.iter().map(|node| &node.value).collect()
}

/// A text, a number or a truth value, as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Boolean(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

fn text_of(value: &Value, name: &str) -> Option<String> {
    field(value, name).and_then(scalar)
}

/// The documents of a stream (YAML 1.2.2 §9.1.4), whose lines stay where they are.
fn split(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        let begins = line == "---" || line.starts_with("--- ");
        if begins || line == "..." {
            let blank = "\n".repeat(documents.iter().map(|document| document.lines().count()).sum());
            documents.push(blank);
        }
        if let Some(document) = documents.last_mut() {
            document.push_str(if begins || line == "..." { "" } else { line });
            document.push('\n');
        }
    }
    documents
}

/// Whether somebody meant to write a mapping: its first line is a key. Command lines have none.
fn looks_like_a_mapping(document: &str) -> bool {
    let mut lines = document.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| {
        let key = line.split_once(':').map(|(key, rest)| (key, rest.is_empty() || rest.starts_with(' ')));
        line.starts_with('{') || key.is_some_and(|(key, ends)| ends && !key.contains(char::is_whitespace))
    })
}
