//! `docs/flags.md` says what the flags are.

use std::path::Path;

#[test]
fn docs_flags_md_is_what_the_flags_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flags.md");
    let generated = controller::cli::flags_doc::markdown();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, generated).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == generated,
        "{} is not what the flags say: BLESS=1 cargo test writes it",
        path.display()
    );
}
