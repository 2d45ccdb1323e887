//! Files as people write them: the good ones with what they mean, the bad ones with the line, the field and the words that say so.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails where something is missing")]

use std::collections::BTreeSet;

use approver::{Inventory, NodeServer, San, Source};
use config::{Configuration, KubeletServing, ObjectName, parse};

const HEAD: &str = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";

/// A file whose section `kubeletServing` begins in line 6, behind `enabled`.
fn with(section: &str) -> String {
    let mut text = format!("{HEAD}approval:\n  kubeletServing:\n    enabled: true\n");
    for line in section.lines() {
        text += &format!("    {line}\n");
    }
    text
}

fn serving(section: &str) -> KubeletServing {
    let text = with(section);
    parse(&text).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}")).kubelet_serving.unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = parse(text).expect_err(text);
    mistakes.0.iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_that_says_nothing_changes_nothing() {
    for text in
        [HEAD.to_owned(), format!("{HEAD}approval:\n"), format!("{HEAD}approval: {{kubeletServing: }}\n")]
    {
        assert_eq!(parse(&text), Ok(Configuration::default()), "{text}");
    }
}

#[test]
fn enabled_alone_is_what_the_flag_means() {
    assert_eq!(serving(""), KubeletServing::default());
    let off = with("").replace("true", "false");
    let off = parse(&off).unwrap();
    assert_eq!(off.approval(), approver::Policy::default());
    assert_eq!(off.kubelet_serving, Some(KubeletServing { enabled: false, ..KubeletServing::default() }));
}

#[test]
fn every_field_means_what_the_approver_takes_it_for() {
    let read = serving(EVERYTHING);
    let san = |text| San::from_text(text).unwrap();
    let mut inventory = Inventory::default();
    inventory.insert("worker-1", BTreeSet::from([san("worker-1"), san("10.0.0.1")]));
    let expected = NodeServer {
        accept: vec![BTreeSet::from([Source::Inventory]), BTreeSet::from([Source::NodeStatus, Source::Dns])],
        inventory,
        node_domains: vec!["example.com".to_owned()],
        cluster_domains: vec!["cluster.example".to_owned()],
        reserved_names: vec!["api.*.example.com".parse().unwrap()],
        reserved_ranges: vec!["10.0.0.100/32".parse().unwrap()],
        constraints: approver::Constraints {
            names: vec!["{node}".parse().unwrap(), "{node}.example.com".parse().unwrap()],
            allowed_ranges: vec!["10.0.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()],
            denied_ranges: vec!["10.0.9.0/24".parse().unwrap()],
            max_names: 8,
            max_lifetime: Some(31_536_000),
            allow_reused_keys: true,
        },
        max_addresses: 32,
        deny: BTreeSet::from(["kubelet-serving/san-form"]),
    };
    assert_eq!(read.judgement, expected);
    let resolvers: Vec<_> = read.resolvers.iter().map(ToString::to_string).collect();
    assert_eq!(resolvers, ["10.0.0.53:53", "10.0.0.54:5353", "10.0.0.55:53", "[fd00::53]:53"]);
    assert_eq!(read.service_ranges, ["10.96.0.0/12".parse().unwrap()]);
    assert_eq!(read.kubelet_port, 10251);
    let config_map = ObjectName { namespace: "kube-system".to_owned(), name: "nodes.1".to_owned() };
    assert_eq!(read.inventory_config_map, Some(config_map));
}

/// No field has its default, and some values are not in their canonical form.
const EVERYTHING: &str = r#"accept: [[inventory], [node-status, dns]]
inventory:
  worker-1: [Worker-1, "::ffff:10.0.0.1"]
inventoryConfigMap: {namespace: kube-system, name: nodes.1}
dns: {domains: [Example.COM.], resolvers: [10.0.0.53, "10.0.0.54:5353", "::ffff:10.0.0.55", "[fd00::53]:53"]}
clusterDomains: [cluster.example]
serviceRanges: [10.96.0.0/12]
reserved: {names: ["API.*.example.com"], ranges: [10.0.0.100/32]}
constraints:
  names: ["{node}", "{node}.example.com"]
  allowedRanges: ["::ffff:10.0.0.0/112", "fd00::/8"]
  deniedRanges: [10.0.9.0/24]
  maxNames: 8
  maxLifetime: 8760h0m0s
  allowReusedKeys: true
maxAddresses: 32
kubeletPort: 10251
deny: [kubelet-serving/san-form]"#;

#[test]
fn what_is_shown_is_a_file_that_means_the_same() {
    for section in ["", EVERYTHING, "inventory: {'no': [on, yes, n], '1': ['null', fd00::1]}"] {
        let configuration = parse(&with(section)).unwrap();
        let yaml = serde_saphyr::to_string(&config::effective(&configuration)).unwrap();
        assert_eq!(parse(&yaml), Ok(configuration.clone()), "{yaml}");
        let json = serde_json::to_string(&config::effective(&configuration)).unwrap();
        assert_eq!(parse(&json), Ok(configuration), "{json}");
    }
    let none = config::effective(&Configuration::default()).approval.kubelet_serving.unwrap();
    assert!(!none.enabled);
}

#[test]
fn a_host_may_be_called_no_and_a_node_1() {
    let read =
        serving("accept: [[inventory]]\ninventory: {no: [no, on], 10.0.0.1: [10.0.0.1], 1: [fd00::1]}");
    let nodes: Vec<_> = read.judgement.inventory.iter().map(|(node, _)| &**node).collect();
    assert_eq!(nodes, ["1", "10.0.0.1", "no"]);
}

/// A section, and what is said about it.
const BAD_SECTIONS: &[(&str, &[&str])] = &[
    ("acept: []", &["line 6, column 5: approval.kubeletServing.acept: unknown field (did you mean accept?)"]),
    ("colour: red", &["line 6, column 5: approval.kubeletServing.colour: unknown field"]),
    (
        "accept: []",
        &[
            "line 6, column 13: approval.kubeletServing.accept: expected one combination of sources at least, not a list",
        ],
    ),
    (
        "accept: [[]]",
        &["line 6, column 14: approval.kubeletServing.accept[0]: expected one source at least, not a list"],
    ),
    (
        "accept: [inventory]",
        &[
            "line 6, column 14: approval.kubeletServing.accept[0]: expected a list of sources, each of which must confirm a name, not \"inventory\"",
        ],
    ),
    (
        "accept: [[node-status], [nodestatus]]",
        &[
            "line 6, column 30: approval.kubeletServing.accept[1][0]: expected inventory, dns, live-certificate or node-status, not \"nodestatus\" (did you mean node-status?)",
        ],
    ),
    (
        "accept: [[dns]]",
        &["line 6, column 13: approval.kubeletServing.accept: dns confirms nothing without dns.domains"],
    ),
    (
        "accept: [[inventory]]",
        &[
            "line 6, column 13: approval.kubeletServing.accept: inventory confirms nothing without inventory or inventoryConfigMap",
        ],
    ),
    (
        "inventoryConfigMap: {namespace: a.b, name: A, key: x}",
        &[
            "line 6, column 37: approval.kubeletServing.inventoryConfigMap.namespace: expected the name of a namespace, not \"a.b\"",
            "line 6, column 48: approval.kubeletServing.inventoryConfigMap.name: expected the name of a ConfigMap, not \"A\"",
            "line 6, column 51: approval.kubeletServing.inventoryConfigMap.key: unknown field",
        ],
    ),
    (
        "inventoryConfigMap: {name: nodes}",
        &[
            "line 6, column 25: approval.kubeletServing.inventoryConfigMap.namespace: missing: expected the name of a namespace",
        ],
    ),
    (
        "inventory: {Worker: [a], b: [a_b, '*.c', 7]}",
        &[
            "line 6, column 17: approval.kubeletServing.inventory.Worker: expected the name of a Node, not \"Worker\"",
            "line 6, column 34: approval.kubeletServing.inventory.b[0]: expected a host name or an address, not \"a_b\"",
            "line 6, column 39: approval.kubeletServing.inventory.b[1]: expected a host name or an address, not \"*.c\"",
            "line 6, column 46: approval.kubeletServing.inventory.b[2]: expected a host name or an address, not 7",
        ],
    ),
    (
        "inventory:\n  worker.a: [a]\n  worker.a: [b]",
        &[
            "line 8, column 7: approval.kubeletServing.inventory[\"worker.a\"]: given twice, first at line 7, column 7",
        ],
    ),
    (
        "inventory: [a]",
        &[
            "line 6, column 16: approval.kubeletServing.inventory: expected a mapping of nodes to their names and addresses, not a list",
        ],
    ),
    (
        "dns: {domain: [a]}",
        &["line 6, column 11: approval.kubeletServing.dns.domain: unknown field (did you mean domains?)"],
    ),
    (
        "dns: {domains: ['*.a']}",
        &[
            "line 6, column 21: approval.kubeletServing.dns.domains[0]: expected a domain such as example.com, not \"*.a\"",
        ],
    ),
    (
        "dns: {resolvers: [ns.example.com, '10.0.0.53:0', 0.0.0.0, 53]}",
        &[
            "line 6, column 23: approval.kubeletServing.dns.resolvers[0]: expected the address of a name server such as 10.0.0.53 or [fd00::53]:53, not \"ns.example.com\"",
            "line 6, column 39: approval.kubeletServing.dns.resolvers[1]: expected the address of a name server such as 10.0.0.53 or [fd00::53]:53, not \"10.0.0.53:0\"",
            "line 6, column 54: approval.kubeletServing.dns.resolvers[2]: expected the address of a name server such as 10.0.0.53 or [fd00::53]:53, not \"0.0.0.0\"",
            "line 6, column 63: approval.kubeletServing.dns.resolvers[3]: expected the address of a name server such as 10.0.0.53 or [fd00::53]:53, not 53",
        ],
    ),
    (
        "dns: {resolvers: 10.0.0.53}",
        &[
            "line 6, column 22: approval.kubeletServing.dns.resolvers: expected a list of addresses of name servers, not \"10.0.0.53\"",
        ],
    ),
    (
        "accept: [[dns]]\ndns: [a]",
        &["line 7, column 10: approval.kubeletServing.dns: expected a mapping of fields, not a list"],
    ),
    (
        "clusterDomains: cluster.local",
        &[
            "line 6, column 21: approval.kubeletServing.clusterDomains: expected a list of domains, not \"cluster.local\"",
        ],
    ),
    (
        "serviceRanges: [10.96.0.1/12, 10.96.0.0, '::ffff:10.0.0.1/104', 10.0.0.0/33, many, 3]",
        &[
            "line 6, column 21: approval.kubeletServing.serviceRanges[0]: \"10.96.0.1/12\" has bits set behind its prefix: write 10.96.0.0/12, or a longer prefix",
            "line 6, column 35: approval.kubeletServing.serviceRanges[1]: expected a range; for one address, 10.96.0.0/32, not \"10.96.0.0\"",
            "line 6, column 46: approval.kubeletServing.serviceRanges[2]: \"::ffff:10.0.0.1/104\" has bits set behind its prefix: write 10.0.0.0/8, or a longer prefix",
            "line 6, column 69: approval.kubeletServing.serviceRanges[3]: expected a range of addresses such as 10.0.0.0/8 or fd00::/8, not \"10.0.0.0/33\"",
            "line 6, column 82: approval.kubeletServing.serviceRanges[4]: expected a range of addresses such as 10.0.0.0/8 or fd00::/8, not \"many\"",
            "line 6, column 88: approval.kubeletServing.serviceRanges[5]: expected a range of addresses such as 10.0.0.0/8 or fd00::/8, not 3",
        ],
    ),
    (
        "reserved:\n  names: ['a b']\n  rages: []",
        &[
            "line 7, column 15: approval.kubeletServing.reserved.names[0]: expected a pattern of host names, of letters, digits, hyphens, dots, * and {node}, not \"a b\"",
            "line 8, column 7: approval.kubeletServing.reserved.rages: unknown field (did you mean ranges?)",
        ],
    ),
    (
        "constraints: {names: ['^a$'], maxNames: 0, maxLifetime: 1d, maxname: 1}",
        &[
            "line 6, column 27: approval.kubeletServing.constraints.names[0]: expected a pattern of host names, of letters, digits, hyphens, dots, * and {node}, not \"^a$\"",
            "line 6, column 45: approval.kubeletServing.constraints.maxNames: expected a whole number from 1 to 1000, not 0",
            "line 6, column 61: approval.kubeletServing.constraints.maxLifetime: expected a duration such as 24h or 1h30m: time: unknown unit \"d\" in duration \"1d\"",
            "line 6, column 65: approval.kubeletServing.constraints.maxname: unknown field (did you mean maxNames?)",
        ],
    ),
    (
        "constraints: {maxLifetime: -1h}",
        &[
            "line 6, column 32: approval.kubeletServing.constraints.maxLifetime: expected a duration of whole seconds from 1s to 2147483647s, not \"-1h\"",
        ],
    ),
    (
        "constraints: {maxLifetime: 3600}",
        &[
            "line 6, column 32: approval.kubeletServing.constraints.maxLifetime: expected a duration such as 24h or 1h30m, not 3600",
        ],
    ),
    (
        "constraints: true",
        &["line 6, column 18: approval.kubeletServing.constraints: expected a mapping of fields, not true"],
    ),
    (
        "maxAddresses: many",
        &[
            "line 6, column 19: approval.kubeletServing.maxAddresses: expected a whole number from 1 to 1000, not \"many\"",
        ],
    ),
    (
        "maxAddresses: 1.5",
        &[
            "line 6, column 19: approval.kubeletServing.maxAddresses: expected a whole number from 1 to 1000, not 1.5",
        ],
    ),
    (
        "kubeletPort: 65536",
        &[
            "line 6, column 18: approval.kubeletServing.kubeletPort: expected a whole number from 1 to 65535, not 65536",
        ],
    ),
    (
        "enabled: true",
        &["line 6, column 5: approval.kubeletServing.enabled: given twice, first at line 5, column 5"],
    ),
    ("<<: {maxAddresses: 3}", &["line 6, column 5: approval.kubeletServing[\"<<\"]: unknown field"]),
    (
        "deny: [kubelet-serving/permission]",
        &[
            "line 6, column 12: approval.kubeletServing.deny[0]: rule kubelet-serving/permission never denies: what it finds can be mended without another request",
        ],
    ),
];

#[test]
fn every_mistake_is_named_with_its_line_and_its_field() {
    for (section, expected) in BAD_SECTIONS {
        assert_eq!(mistakes(&with(section)), *expected, "{section}");
    }
}

#[test]
fn a_rule_that_does_not_exist_is_told_from_one_that_never_denies() {
    let found = mistakes(&with("deny: [kubelet-serving/sanform]"));
    assert!(
        found[0].starts_with("line 6, column 12: approval.kubeletServing.deny[0]: expected "),
        "{found:?}"
    );
    assert!(found[0].ends_with("(did you mean kubelet-serving/san-form?)"), "{found:?}");
    for id in config::DENIABLE {
        assert!(approver::RULES.iter().any(|rule| rule.id == id), "{id}");
    }
}

#[test]
fn what_is_no_file_of_ours_is_said_to_be_none() {
    let empty = "line 1, column 1: the file is empty: expected apiVersion countersign.dev/v1alpha1 and kind CountersignConfiguration";
    let cases: &[(&str, &[&str])] = &[
        ("", &[empty]),
        ("# nothing\n", &[empty]),
        ("---\n", &[empty]),
        ("- a\n", &["line 1, column 1: expected a mapping of fields, not a list"]),
        (
            "approval: {}\n",
            &[
                "line 1, column 1: apiVersion: missing: expected countersign.dev/v1alpha1",
                "line 1, column 1: kind: missing: expected CountersignConfiguration",
            ],
        ),
        (
            "apiVersion: countersign.dev/v1\nkind: KubeletConfiguration\n",
            &[
                "line 1, column 13: apiVersion: expected countersign.dev/v1alpha1, not \"countersign.dev/v1\"",
                "line 2, column 7: kind: expected CountersignConfiguration, not \"KubeletConfiguration\"",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(mistakes(text), *expected, "{text:?}");
    }
    let section_without_enabled = format!("{HEAD}approval:\n  kubeletServing:\n    maxAddresses: 3\n");
    let expected = "line 5, column 5: approval.kubeletServing.enabled: missing: expected true or false";
    assert_eq!(mistakes(&section_without_enabled), [expected]);
}

#[test]
fn what_is_no_yaml_is_said_with_its_line() {
    let several = mistakes(&format!("{HEAD}---\n{HEAD}"));
    assert_eq!(several, ["line 4, column 1: expected one document, not several: remove all but one"]);
    for (text, line) in
        [("a: [", 1), ("a: 1\n b: 2\n", 2), ("a: \"b\n", 1), ("a: *b\n", 1), ("a:\n\t- b\n", 2)]
    {
        let found = mistakes(text);
        assert!(found[0].contains("not readable as YAML: "), "{found:?}");
        println!("{text:?} {found:?}");
        assert!(found[0].starts_with(&format!("line {line}, ")) || line == 1, "{found:?}");
    }
}

#[test]
fn all_mistakes_of_a_file_come_together_in_its_order() {
    let text = with("kubeletPort: 0\nmaxAddresses: 0\naccept: [[x]]").replace("true", "yes");
    let lines: Vec<_> = parse(&text).unwrap_err().0.iter().map(|mistake| mistake.place.line).collect();
    assert_eq!(lines, [5, 6, 7, 8]);
}

#[test]
fn a_file_built_to_exhaust_memory_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{items}]\n");
    }
    assert!(mistakes(&text)[0].contains("not readable as YAML"));
    let deep = "[".repeat(100_000);
    assert!(mistakes(&deep)[0].contains("not readable as YAML"));
}
