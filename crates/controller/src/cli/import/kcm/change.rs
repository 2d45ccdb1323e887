//! `--controllers` of kube-controller-manager without the three that we are, computed from what is there: a list of our own would
//! switch off bootstrapsigner and tokencleaner, without which `kubeadm join` breaks.

use ::config::import::{Difference, Remark};

use crate::cli::kcm_controllers::{self, APPROVING, CLEANING, KcmController, SIGNING};

/// What to change in kube-controller-manager's command line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The value of `--controllers` as it is; `None` where the flag is not given.
    pub before: Option<String>,

    /// The value to give it; the same as before where there is nothing to change.
    pub after: String,

    /// Which of the three it runs now.
    runs: [bool; 3],
}

const OURS: [KcmController; 3] = [SIGNING, APPROVING, CLEANING];

impl Change {
    /// The change to a line with this value of `--controllers`.
    pub(super) fn of(before: Option<&str>) -> Self {
        let mut items: Vec<&str> = before.unwrap_or("*").split(',').collect();
        let runs = OURS.map(|controller| controller.is_enabled_by(&items));
        let off: Vec<_> = OURS.iter().map(|controller| format!("-{}", name(controller))).collect();
        for (controller, off) in OURS.iter().zip(&off).filter(|(controller, _)| runs[index(controller)]) {
            // The first item that names a controller decides: behind one that switches it on, another has no say.
            items.retain(|item| *item != controller.name && Some(*item) != controller.alias);
            if controller.is_enabled_by(&items) || !items.contains(&off.as_str()) {
                items.push(off);
            }
        }
        let after = items.join(",");
        Self { before: before.map(str::to_owned), after, runs }
    }

    /// Whether there is nothing to change: none of the three runs there.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.runs == [false; 3]
    }

    /// Our own value of `--controllers`, where it is another than the default.
    pub(super) fn ours(&self) -> Option<String> {
        if self.is_done() || self.runs == [true; 3] {
            return None;
        }
        let left_out = OURS.iter().filter(|controller| !self.runs[index(controller)]);
        let left_out: String = left_out.map(|controller| format!(",-{}", name(controller))).collect();
        Some(format!("*{left_out}"))
    }

    /// What is to be known of the list that is there.
    pub(super) fn remarks(&self) -> Vec<Remark> {
        let items: Vec<&str> = self.before.as_deref().unwrap_or("*").split(',').collect();
        let unknown = kcm_controllers::unknown(&items).into_iter().filter(|name| !name.is_empty());
        let unknown = unknown.map(|name| {
            let text = format!(
                "no controller of kube-controller-manager v1.37 is called {name}; it stays in its line"
            );
            Remark::new("--controllers", Difference::LeftOut, text)
        });
        let partial = self.ours().map(|ours| {
            let text = format!("some of the three are off there, and stay off here: --controllers={ours}");
            Remark::new("--controllers", Difference::Other, text)
        });
        unknown.chain(partial).collect()
    }

    /// What to do with it, line by line.
    #[must_use]
    pub fn instructions(&self) -> Vec<String> {
        if self.is_done() {
            let value = self.before.as_deref().unwrap_or_default();
            return vec![format!(
                "kube-controller-manager runs none of the three already: --controllers={value} stays"
            )];
        }
        let verb = if self.before.is_some() { "change to" } else { "add" };
        vec![
            format!("in kube-controller-manager's command, {verb}:"),
            format!("    - --controllers={}", self.after),
            "in controllerManager.extraArgs of kubeadm's ClusterConfiguration, or the next upgrade undoes it:".to_owned(),
            format!("    - {{name: controllers, value: \"{}\"}}", self.after),
        ]
    }
}

fn index(controller: &KcmController) -> usize {
    OURS.iter().position(|ours| ours == controller).unwrap_or_default()
}

/// The name that every version knows.
fn name(controller: &KcmController) -> &'static str {
    controller.alias.unwrap_or(controller.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_computed_from_the_old_value() {
        for (before, after, ours) in [
            (None, "*,-csrsigning,-csrapproving,-csrcleaner", None),
            (
                Some("*,bootstrapsigner,tokencleaner"),
                "*,bootstrapsigner,tokencleaner,-csrsigning,-csrapproving,-csrcleaner",
                None,
            ),
            (Some("*,-ttl"), "*,-ttl,-csrsigning,-csrapproving,-csrcleaner", None),
            (
                Some("csrsigning,csrapproving,csrcleaner,ttl"),
                "ttl,-csrsigning,-csrapproving,-csrcleaner",
                None,
            ),
            (
                Some("certificatesigningrequest-signing-controller,*"),
                "*,-csrsigning,-csrapproving,-csrcleaner",
                None,
            ),
            (Some("csrsigning,*,-csrsigning"), "*,-csrsigning,-csrapproving,-csrcleaner", None),
            (Some("*,-csrcleaner"), "*,-csrcleaner,-csrsigning,-csrapproving", Some("*,-csrcleaner")),
            (Some("csrsigning"), "-csrsigning", Some("*,-csrapproving,-csrcleaner")),
        ] {
            let change = Change::of(before);
            assert_eq!((&*change.after, change.ours().as_deref()), (after, ours), "{before:?}");
            let items: Vec<_> = change.after.split(',').collect();
            assert!(OURS.iter().all(|controller| !controller.is_enabled_by(&items)), "{before:?}");
            assert!(!change.is_done());
        }
    }

    #[test]
    fn a_controller_that_nobody_knows_is_named() {
        let remarks = Change::of(Some("*,-nope,csrsinging")).remarks();
        let texts: Vec<_> = remarks.iter().map(ToString::to_string).collect();
        assert!(
            texts.len() == 2 && texts[0].contains("nope") && texts[1].contains("csrsinging"),
            "{texts:?}"
        );
        assert_eq!(Change::of(None).remarks(), []);
        assert_eq!(Change::of(Some("*,-csrcleaner")).remarks().len(), 1);
    }

    #[test]
    fn a_line_that_is_changed_already_stays_as_it_is() {
        for before in
            ["*,bootstrapsigner,tokencleaner,-csrsigning,-csrapproving,-csrcleaner", "ttl", "", "-csrcleaner"]
        {
            let change = Change::of(Some(before));
            assert_eq!(change.after, before);
            assert!(change.is_done() && change.ours().is_none(), "{before}");
            assert_eq!(Change::of(Some(&change.after)), change);
        }
    }
}
