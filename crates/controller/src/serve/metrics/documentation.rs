//! The documentation that is made from the table.

use std::fmt::Write;

use super::table::TABLE;

/// `docs/metrics.md`: to whom they are served, and every metric with its labels and their values.
#[must_use]
pub fn documentation() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         <!-- Made from crates/controller/src/serve/metrics/table.rs by `BLESS=1 cargo test -p controller`. -->\n\n\
         Served on `/metrics` of the secure port, beside the usual `process_*`. As with any Kubernetes component, a caller presents a\n\
         bearer token that the API server authenticates (TokenReview), or a client certificate of the cluster's client CA (as\n\
         published in the ConfigMap `kube-system/extension-apiserver-authentication`), and must be allowed to `get` the\n\
         non-resource URL `/metrics` (SubjectAccessReview). Verdicts are kept for ten seconds. While the API server does not\n\
         answer, `/metrics` is 503; paths in `--authorization-always-allow-paths`, by default `/healthz`, `/readyz` and `/livez`, are\n\
         open to all.\n\n\
         No label value comes from a request: they are the values listed here and the signerNames of the configuration.\n\n\
         | name | type | labels | what |\n|---|---|---|---|\n",
    );
    for what in TABLE {
        let labels: Vec<_> = what.labels.iter().map(|(name, values)| format!("`{name}`: {values}")).collect();
        let (name, kind, labels) = (what.name, what.kind.label(), labels.join("; "));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {} |", what.help);
    }
    text
}
