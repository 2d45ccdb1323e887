//! The configuration file where people meet it: in the documents, and at `countersign config`.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every configuration file in a document, with the document's name.
fn examples() -> Vec<(String, String)> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents =
        docs.chain([root().join("README.md")]).filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut examples = Vec::new();
    for path in documents {
        let text = std::fs::read_to_string(&path).unwrap();
        let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("yaml\n"));
        let ours = blocks.filter(|block| block.contains(&format!("kind: {}", config::KIND)));
        examples.extend(ours.map(|block| (path.display().to_string(), block.to_owned())));
    }
    examples
}

#[test]
fn every_example_in_the_documents_is_good() {
    let examples = examples();
    assert!(!examples.is_empty());
    for (document, example) in examples {
        if let Err(mistakes) = config::parse(&example) {
            panic!("{document}: {mistakes}\n{example}");
        }
    }
}

/// The fields of a schema, each by its path, from a definition on.
fn fields(schema: &serde_json::Value, of: &serde_json::Value, path: &str) -> Vec<String> {
    let mut of = of;
    if let Some(alternatives) = of["anyOf"].as_array() {
        of = &alternatives[0];
    }
    if let Some(reference) = of["$ref"].as_str() {
        of = schema.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let Some(properties) = of["properties"].as_object() else {
        return vec![path.to_owned()];
    };
    assert_eq!(of["additionalProperties"], false, "{path}");
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    properties.iter().flat_map(|(name, field)| fields(schema, field, &join(name))).collect()
}

#[test]
fn every_field_of_the_schema_is_described_in_the_document_and_in_the_schema() {
    let schema = config::schema();
    let document = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let fields = fields(&schema, &schema, "");
    assert!(fields.len() > 15, "{fields:?}");
    for field in fields {
        let name = field.strip_prefix("approval.kubeletServing.").unwrap_or(&field);
        assert!(document.contains(&format!("`{name}`")), "docs/configuration.md has nothing about {field}");
    }
    let definitions = schema["$defs"].as_object().unwrap().values();
    for definition in definitions.filter_map(|definition| definition["properties"].as_object()) {
        for (name, field) in definition {
            assert!(field["description"].is_string(), "{name}");
        }
    }
}

fn countersign(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever wants no input does not wait for its end.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_file_is_checked_without_a_cluster() {
    let good = examples().remove(0).1;
    let checked = countersign(&["config", "check", "-"], &good);
    assert!(checked.status.success());
    assert_eq!(String::from_utf8(checked.stdout).unwrap(), "standard input is good\n");
    let bad = good.replace("maxNames", "maxnames").replace("[10.0.0.0/16]", "[10.0.0.1/16]");
    let checked = countersign(&["config", "check", "-"], &bad);
    assert_eq!(checked.status.code(), Some(1));
    let said = String::from_utf8(checked.stderr).unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("approval.kubeletServing.constraints.allowedRanges[0]: "), "{said}");
    assert!(lines[1].ends_with("constraints.maxnames: unknown field (did you mean maxNames?)"), "{said}");
    let missing = countersign(&["config", "check", "/nowhere"], "");
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().starts_with("error: /nowhere: failed to read: "));
}

#[test]
fn what_is_shown_is_a_good_file_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("countersign.yaml");
    std::fs::write(&file, &examples()[0].1).unwrap();
    for form in ["yaml", "json"] {
        let shown = countersign(&["config", "show", file.to_str().unwrap(), "-o", form], "");
        assert!(shown.status.success());
        let text = String::from_utf8(shown.stdout).unwrap();
        assert_eq!(config::parse(&text), config::parse(&examples()[0].1), "{text}");
    }
}

#[test]
fn the_schema_is_printed() {
    let printed = countersign(&["config", "schema"], "");
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), controller::cli::config::schema());
}

#[test]
fn the_check_of_a_command_line_covers_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("countersign.yaml");
    std::fs::write(&file, "kind: Pod\n").unwrap();
    let flag = format!("--config={}", file.display());
    let checked = countersign(&["run", "--check", "--controllers=csrcleaner", &flag], "");
    assert_eq!(checked.status.code(), Some(1));
    let said = String::from_utf8(checked.stderr).unwrap();
    assert!(
        said.contains("line 1, column 7: kind: expected CountersignConfiguration, not \"Pod\""),
        "{said}"
    );
    std::fs::write(&file, &examples()[0].1).unwrap();
    let checked = countersign(&["run", "--check", "--controllers=csrcleaner", &flag], "");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
