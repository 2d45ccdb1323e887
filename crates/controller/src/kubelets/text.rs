use super::{Kubelet, Verdict};
use crate::explain::{cell, columns, escaped};

/// What was found, as a table for people, and what it amounts to.
#[must_use]
pub fn report(kubelets: &[Kubelet]) -> String {
    let head = ["NODE", "ADDRESS", "CERTIFICATE", "EXPIRES"].map(str::to_owned);
    let row = |found: &Kubelet| {
        let dialled =
            found.address.as_deref().map_or_else(|| "-".to_owned(), |address| at(address, found.port));
        [cell(&found.name), cell(&dialled), found.verdict.label().to_owned(), expiry(found.days_left)]
    };
    let mut text = columns(std::iter::once(head).chain(kubelets.iter().map(row)));
    let trusted = kubelets.iter().filter(|found| found.verdict == Verdict::Verifies).count();
    text.push_str(&format!("\n{trusted} of {} would be trusted by the API server.\n", kubelets.len()));
    for found in kubelets.iter().filter(|found| found.verdict != Verdict::Verifies) {
        let note = if found.note.is_empty() { String::new() } else { format!(" ({})", escaped(&found.note)) };
        let (name, verdict) = (cell(&found.name), found.verdict.label());
        text.push_str(&format!("{name}: {verdict}{note}: {}\n", found.next_step));
    }
    text
}

fn at(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

fn expiry(days_left: Option<i64>) -> String {
    match days_left {
        None => "-".to_owned(),
        Some(..0) => "expired".to_owned(),
        Some(days) => format!("in {days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, address: Option<&str>, verdict: Verdict) -> Kubelet {
        Kubelet {
            name: name.to_owned(),
            address: address.map(str::to_owned),
            port: 10250,
            verdict,
            not_after: None,
            days_left: (verdict == Verdict::Verifies).then_some(364),
            note: String::new(),
            next_step: verdict.next_step(),
        }
    }

    #[test]
    fn a_table_shows_each_node_and_what_is_to_be_done() {
        let kubelets = [
            found("a", Some("203.0.113.1"), Verdict::Verifies),
            found("b", Some("2001:db8::1"), Verdict::NoCertificate),
            Kubelet { note: "it is for c".to_owned(), ..found("c", None, Verdict::NoAddress) },
        ];
        let expected = "\
NODE  ADDRESS              CERTIFICATE         EXPIRES
a     203.0.113.1:10250    verifies            in 364 days
b     [2001:db8::1]:10250  no certificate yet  -
c     -                    no address          -

1 of 3 would be trusted by the API server.
b: no certificate yet: see what its request waits for: countersign status
c: no address (it is for c): see status.addresses of the Node, and which types the API server prefers
";
        assert_eq!(report(&kubelets), expected);
    }

    #[test]
    fn what_nodes_say_of_themselves_moves_no_terminal() {
        let hostile = "\u{1b}[2J\u{9b}31m\u{202e}\r\n\u{7}";
        let kubelets =
            [Kubelet { note: hostile.to_owned(), ..found(hostile, Some(hostile), Verdict::WrongAddress) }];
        let is_harmless = |character: char| character == '\n' || (' '..='~').contains(&character);
        for text in [report(&kubelets), crate::explain::json(&kubelets).unwrap()] {
            assert!(text.chars().all(is_harmless), "{text:?}");
        }
        assert_eq!(report(&kubelets).lines().count(), 5);
    }
}
