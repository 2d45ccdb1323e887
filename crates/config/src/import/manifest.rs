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

#[cfg(test)]
mod tests {
    use super::*;

    fn words_in(text: &str) -> Option<Vec<String>> {
        container(text, "it").unwrap().map(|container| container.words)
    }

    #[test]
    fn the_container_is_found_in_whatever_holds_it() {
        let pod = "kind: Pod\nspec: {containers: [{name: it, command: [a], args: [-b, 1, true]}]}\n";
        let words = Some(["a", "-b", "1", "true"].map(str::to_owned).to_vec());
        let other = pod.replace("name: it", "name: other").replace("[a]", "[x]");
        for text in [
            pod.to_owned(),
            format!("---\n{pod}---\n# nothing\n"),
            format!("{other}--- # the next\n{pod}...\n"),
            format!("kind: List\nitems:\n- {{kind: Secret}}\n- {}", pod.trim_end().replace('\n', "\n  ")),
            pod.replace("spec: ", "spec: {template: {spec: ").replace("}]}", "}]}}}"),
            r#"{"spec": {"containers": [{"name": "it", "command": ["a", "-b", "1", "true"]}]}}"#.to_owned(),
            pod.replace("name: it", "name: called-otherwise"),
        ] {
            assert_eq!(words_in(&text), words, "{text}");
        }
        for text in ["", "a -b", "-b=1\n-c=2", "A=1\nB=2", "- a\n- b", "--a :8080 --b", "# nothing"] {
            assert_eq!(words_in(text), None, "{text}");
        }
        let two = format!("{other}---\n{other}");
        assert_eq!(container(&two, "it"), Err(ManifestError::NoContainer("it".to_owned())));
    }

    #[test]
    fn a_mistake_has_the_line_that_it_has_in_the_file() {
        let error = container("kind: Pod\n---\nkind: Pod\nspec: [\n", "it").unwrap_err().to_string();
        let line: usize = error.strip_prefix("line ").unwrap().split(',').next().unwrap().parse().unwrap();
        assert!(line >= 4, "{error}");
    }

    #[test]
    fn a_mount_is_what_it_is_on_the_host() {
        let text = "spec:
  containers:
  - volumeMounts:
    - {name: a, mountPath: /a}
    - {name: a, mountPath: /b, subPath: c}
    - {name: s, mountPath: /s}
  volumes: [{name: a, hostPath: {path: /h, type: File}}, {name: s, secret: {}}]
";
        let host = |path: &str| Some(HostPath { path: path.to_owned(), is_file: true });
        let mounts = container(text, "it").unwrap().unwrap().mounts;
        let found: Vec<_> = mounts.into_iter().map(|mount| (mount.path, mount.host)).collect();
        let expected = [("/a", host("/h")), ("/b", host("/h/c")), ("/s", None)];
        assert_eq!(found, expected.map(|(path, host)| (path.to_owned(), host)));
    }
}
