use std::time::Duration;

use serde_json::json;

use super::*;

fn san(text: &str) -> San {
    San::from_text(text).unwrap()
}

fn entry(names: &[&str]) -> Entry {
    Entry { uid: "u".into(), key: "k".into(), names: names.iter().map(|name| san(name)).collect() }
}

fn approval(node: &str, entry: Entry) -> Approval {
    Approval { node: node.into(), entry, owners: BTreeMap::new(), key_holders: BTreeSet::new() }
}

/// The ConfigMap of this number in this version, with these lines.
fn object(number: usize, version: u64, data: &Value) -> Value {
    json!({
        "metadata": {
            "name": shard_name(number), "namespace": NAMESPACE, "resourceVersion": version.to_string(),
            "labels": {"kept": "yes"}, "managedFields": [{}],
        },
        "data": data,
    })
}

fn shard(number: usize, version: u64, data: &Value) -> Shard {
    Shard::of(object(number, version, data), (0, Instant::now())).unwrap()
}

fn read() -> Record {
    let mut record = Record::default();
    for number in 0..SHARDS {
        record.take_in(number, shard(number, 1, &json!({})));
    }
    record
}

/// What a write of these approvals makes of the record.
fn keep(record: &mut Record, approvals: &[Approval]) -> BTreeSet<usize> {
    let mut drafts = BTreeMap::new();
    for approval in approvals {
        record.draft(approval, &mut drafts);
    }
    let numbers = drafts.keys().copied().collect();
    for (number, draft) in drafts {
        let mut written = draft.object();
        written["metadata"]["resourceVersion"] = json!("2");
        record.take_in(number, Shard::of(written, (0, Instant::now())).unwrap());
    }
    numbers
}

fn owners(record: &Record, text: &str) -> Vec<String> {
    record.owners(&san(text)).map(|(node, _)| node.to_string()).collect()
}

/// Two nodes whose lines are in different ConfigMaps.
fn apart() -> (String, String) {
    let other =
        (0..).map(|number| format!("n{number}")).find(|name| shard_of(name) != shard_of("a")).unwrap();
    ("a".to_owned(), other)
}

#[test]
fn what_is_kept_is_found_by_name_and_by_key() {
    let mut record = read();
    let written = keep(&mut record, &[approval("a", entry(&["a", "10.0.0.1", "fd00::1"]))]);
    assert_eq!(written, BTreeSet::from([shard_of("a")]));
    assert_eq!(owners(&record, "fd00::1"), ["a"]);
    assert_eq!(record.key_holders("k").map(|(node, _)| node.to_string()).collect::<Vec<_>>(), ["a"]);
    let again = keep(&mut record, &[approval("a", entry(&["a", "10.0.0.1", "fd00::1"]))]);
    assert_eq!(again, BTreeSet::new(), "what is there already is not written");
    keep(&mut record, &[approval("a", Entry { key: "k2".into(), ..entry(&["a"]) })]);
    assert_eq!((owners(&record, "10.0.0.1"), record.key_holders("k").count()), (vec![], 0));
}

#[test]
fn a_name_is_in_one_line_at_most() {
    let (one, other) = apart();
    let mut record = read();
    keep(&mut record, &[approval(&one, entry(&["10.0.0.1", "10.0.0.2"]))]);
    let written = keep(&mut record, &[approval(&other, entry(&["10.0.0.1"]))]);
    assert_eq!(written, BTreeSet::from([shard_of(&one), shard_of(&other)]));
    assert_eq!(owners(&record, "10.0.0.1"), [other]);
    assert_eq!(owners(&record, "10.0.0.2"), [one]);
}

#[test]
fn of_two_approvals_of_a_node_at_once_the_later_is_on_record_and_both_wait_for_it() {
    let mut record = read();
    keep(&mut record, &[approval("a", entry(&["a"]))]);
    let mut drafts = BTreeMap::new();
    let takes =
        [&["a", "10.0.0.1"][..], &["a"]].map(|names| record.draft(&approval("a", entry(names)), &mut drafts));
    assert_eq!(takes, [BTreeSet::from([shard_of("a")]), BTreeSet::from([shard_of("a")])]);
    let line = drafts[&shard_of("a")].object()["data"]["a"].to_string();
    assert!(!line.contains("10.0.0.1"), "{line}");
}

#[test]
fn what_others_put_there_stays() {
    let number = shard_of("a");
    let mut record = read();
    let data = json!({"a note": "hello", "b": "{\"uid\":\"u\",\"key\":\"k\",\"names\":[\"*\"]}"});
    record.take_in(number, shard(number, 2, &data));
    let mut drafts = BTreeMap::new();
    record.draft(&approval("a", entry(&["a"])), &mut drafts);
    let written = drafts[&number].object();
    let line = json!("{\"uid\":\"u\",\"key\":\"k\",\"names\":[\"a\"]}");
    assert_eq!(written["data"], json!({"a": line, "a note": data["a note"], "b": data["b"]}));
    assert_eq!(written["metadata"]["labels"], json!({"kept": "yes"}));
    assert_eq!(written["metadata"]["resourceVersion"], "2");
    assert_eq!(written["metadata"].get("managedFields"), None);
}

#[test]
fn an_older_reading_takes_nothing_back() {
    let number = shard_of("a");
    let mut record = read();
    keep(&mut record, &[approval("a", entry(&["a"]))]);
    record.take_in(number, shard(number, 1, &json!({})));
    assert_eq!(owners(&record, "a"), ["a"]);
    let taken = record.take_in(number, shard(number, 3, &json!({})));
    assert!(taken.removed && taken.moved == BTreeSet::from([san("a")]));
    assert_eq!(owners(&record, "a"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn it_counts_as_read_when_all_of_it_was_in_this_term_and_lately() {
    let mut record = read();
    assert!(record.is_read(Instant::now()));
    record.lose(3);
    assert!(!record.is_read(Instant::now()));
    record.take_in(3, shard(3, 1, &json!({})));
    assert!(record.is_read(Instant::now()));
    tokio::time::advance(FRESH + Duration::from_millis(1)).await;
    assert!(!record.is_read(Instant::now()));

    let mut record = read();
    record.begin_term();
    assert!(!record.is_read(Instant::now()), "another one led");
    for number in 0..SHARDS {
        // Asked for before this one led.
        record.take_in(number, shard(number, 2, &json!({})));
    }
    assert!(!record.is_read(Instant::now()));
    for number in 0..SHARDS {
        let seen = (record.term(), Instant::now());
        record.take_in(number, Shard::of(object(number, 2, &json!({})), seen).unwrap());
    }
    assert!(record.is_read(Instant::now()));
}

#[test]
fn what_has_come_lately_is_not_left_out() {
    let number = shard_of("a");
    let mut record = read();
    keep(&mut record, &[approval("a", entry(&["a"]))]);
    let left = |record: &Record| {
        let mut draft = Draft(record.shards[number].clone());
        draft.retain(|_, _| false);
        draft.object()["data"].as_object().unwrap().len()
    };
    assert_eq!(left(&record), 1);
    let again = Draft(record.shards[number].clone()).object();
    record.take_in(number, Shard::of(again, (0, Instant::now())).unwrap());
    assert_eq!(left(&record), 0);
}

#[test]
fn a_key_has_one_digest_and_another_key_another() {
    let point = |octet: u8| vec![octet; 65].into_boxed_slice();
    let keys = [
        PublicKey::Ecdsa { curve: Curve::P256, point: point(1) },
        PublicKey::Ecdsa { curve: Curve::P384, point: point(1) },
        PublicKey::Ecdsa { curve: Curve::P256, point: point(2) },
        PublicKey::Rsa { modulus: point(1), exponent: 3 },
        PublicKey::Rsa { modulus: point(1), exponent: 65537 },
        PublicKey::Ed25519(Box::new([1; 32])),
    ];
    let digests: BTreeSet<_> = keys.iter().map(digest).collect();
    assert_eq!(digests.len(), keys.len());
    assert_eq!(digest(&keys[0]), digest(&keys[0].clone()));
    assert!(digests.iter().all(|digest| digest.len() == 32));
}

#[test]
fn fifteen_thousand_nodes_fit() {
    let mut bytes = [0; SHARDS];
    for number in 0..15_000 {
        let node = format!("ip-10-0-{}-{}.eu-central-1.compute.internal", number / 250, number % 250);
        let names = [node.as_str(), "10.100.100.100", "fd00:1234:5678:9abc::1234", "10.101.101.101"];
        let uid = "01234567-89ab-cdef-0123-456789abcdef".into();
        let entry = Entry { uid, key: "0".repeat(32).into(), ..entry(&names) };
        let line = Line::Read { entry, is_old: true };
        bytes[shard_of(&node)] += node.len() + line.text().len() + 8;
    }
    assert!(bytes.iter().all(|bytes| *bytes < 1 << 19), "{bytes:?}");
}
