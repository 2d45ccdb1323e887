//! Our command line, for a shell.

use ::config::import::{Remark, comment, visible};

use super::Change;

/// The command line with what is to be known of it.
pub(super) fn text(words: &[String], remarks: &[Remark], change: &Change) -> String {
    let steps = format!(
        "Made by: countersign import kube-controller-manager.\n\
         1. kubectl apply -f deploy/rbac.yaml\n\
         2. Check this line with --check, then run it beside kube-controller-manager, on each host that runs one.\n{}",
        SWITCH
    );
    let mut text = head(&steps, remarks, change);
    text += "countersign run";
    for word in words {
        text += " \\\n  ";
        text += &quoted(word);
    }
    text + "\n"
}

/// Steps, the lines to change, and remarks, as comments.
pub(super) fn head(steps: &str, remarks: &[Remark], change: &Change) -> String {
    let mut text: String = steps.lines().map(|line| comment("", line)).collect();
    // These are to be copied: a line each, however long.
    text.extend(change.instructions().iter().map(|line| format!("#    {}\n", visible(line))));
    text += &comment("", BACK);
    text += "#\n";
    text.extend(remarks.iter().map(|remark| comment("", &remark.to_string())));
    text
}

/// A word as a shell takes it for itself (POSIX.1-2024, Shell Command Language, §2.2.2).
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.,:@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The last steps of each form. The order is the point: with its controllers off and ours not running nothing is renewed.
pub(super) const SWITCH: &str = "\
    3. See that it is ready (/readyz on port 10270, over TLS). One leads, by the Lease kube-system/countersign.\n\
    4. Only then, on each host and in the ClusterConfiguration:";

const BACK: &str = "Back: undo 4 first, on every host; then stop this.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_each_word_for_one() {
        for word in ["--a=b", "--controllers=*,-ttl", "it's", "", "a b", "$(x)", "a\nb", "\\", "#"] {
            assert_eq!(::config::import::words(&quoted(word)).unwrap(), [word], "{word}");
        }
        assert_eq!(quoted("--a=/b/c.d,e:1"), "--a=/b/c.d,e:1");
    }
}
