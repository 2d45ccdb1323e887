//! The documentation that is made from the table.

use std::fmt::Write;

use super::table::TABLE;

/// `docs/metrics.md`: to whom they are served, and every metric with its labels and their values.
#[must_use]
pub fn documentation() -> String {
    let mut text = String::from(
        "# Metrics\n\n\
         <!-- Made from crates/controller/src/serve/metrics/table.rs by `BLESS=1 cargo test -p controller`. -->\n\n\
         Served on `/metrics` of the secure port, beside the usual `process_*`. A caller needs a bearer token that the API\n\
         server authenticates (TokenReview) and that may `get` the non-resource URL `/metrics` (SubjectAccessReview), as for\n\
         any Kubernetes component; answers are kept for ten seconds. Client certificates are not read. While the API server\n\
         does not answer, `/metrics` is 503; `/healthz`, `/livez` and `/readyz` are always open. Only where neither a\n\
         kubeconfig nor the pod's own ServiceAccount gives us an API server to ask, a caller on loopback needs no token, and\n\
         one from elsewhere is refused.\n\n\
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
