//! What holds of every file, however it came about.

use config::parse;
use proptest::prelude::*;

const GOOD: &str = r#"apiVersion: countersign.dev/v1alpha1
kind: CountersignConfiguration
approval:
  kubeletServing:
    enabled: true
    accept: [[inventory], [node-status, dns]]
    inventory:
      worker-1: &names [worker-1, 10.0.0.1]
      worker-2: *names
    dns: {domains: [example.com]}
    serviceRanges: [10.96.0.0/12, "::ffff:10.0.0.0/104"]
    reserved: {names: ["api.*.example.com"], ranges: [10.0.0.100/32]}
    constraints: {names: ["{node}"], maxNames: 8, maxLifetime: 8760h}
    maxAddresses: 16
    deny: [kubelet-serving/san-form]
"#;

/// A good file with some of its characters replaced by others that mean something in YAML, or by nothing.
fn damaged() -> impl Strategy<Value = String> {
    let character = prop_oneof![Just(String::new()), "[\\[\\]{}:,#&*!|>'\"%@`\\-?~\n\t 0-9a-z\\\\äŁ]"];
    proptest::collection::vec((0..GOOD.len(), character), 1..6).prop_map(|changes| {
        let mut characters: Vec<String> = GOOD.chars().map(String::from).collect();
        for (at, character) in changes {
            characters[at] = character;
        }
        characters.concat()
    })
}

/// Whether a file is read, or every mistake in it has a place that is there.
fn is_judged(text: &str) -> Result<(), TestCaseError> {
    // A carriage return ends a line in YAML.
    let lines = text.split(['\n', '\r']).count() as u64;
    match parse(text) {
        Ok(configuration) => {
            let shown = serde_json::to_string(&config::effective(&configuration));
            let shown = shown.map_err(|error| TestCaseError::fail(error.to_string()))?;
            let approval = parse(&shown).map(|again| again.approval());
            prop_assert_eq!(approval, Ok(configuration.approval()), "{}", shown);
        }
        Err(mistakes) => {
            prop_assert!(!mistakes.0.is_empty());
            for mistake in mistakes.0 {
                prop_assert!((1..=lines).contains(&mistake.place.line), "{} in {:?}", mistake, text);
                prop_assert!(mistake.place.column >= 1, "{}", mistake);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_damaged_file_is_read_or_its_mistakes_are_named(text in damaged()) {
        is_judged(&text)?;
    }

    #[test]
    fn any_text_is_read_or_its_mistakes_are_named(text in ".{0,80}") {
        is_judged(&text)?;
    }
}
