//! `countersign version`: what this is, and what it was made of.

/// The version in four lines: ours, the commit where it is known, the compiler, and the Kubernetes API that is spoken.
#[must_use]
pub fn text() -> String {
    format!(
        "countersign {}\ncommit: {}\nrustc: {}\nkubernetes API: {KUBERNETES_API}",
        env!("CARGO_PKG_VERSION"),
        option_env!("COUNTERSIGN_COMMIT").unwrap_or("unknown"),
        env!("COUNTERSIGN_RUSTC"),
    )
}

/// The feature of `k8s-openapi` that the workspace chooses.
const KUBERNETES_API: &str = "v1.37 (certificates.k8s.io/v1)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_says_what_it_was_made_of() {
        let text = text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], concat!("countersign ", env!("CARGO_PKG_VERSION")));
        assert!(lines[1].starts_with("commit: "), "{text}");
        assert!(lines[2].starts_with("rustc: rustc 1."), "{text}");
        assert!(lines[3].starts_with("kubernetes API: v1."), "{text}");
    }
}
