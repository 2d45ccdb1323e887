//! What is approved: here the flags and the configuration file meet.

use ::config::{Configuration, KubeletServing};
use ipnet::IpNet;

use crate::config::given::{Given, non_empty};
use crate::config::{Origin, Problem};

/// What the flags say of approval.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ApprovalFlags {
    /// Where kubelets' serving certificates were said to be approved; `None` where they were not.
    pub approve_kubelet_serving: Option<Origin>,

    /// From where Services get their addresses, besides what the configuration file and the API server say.
    pub service_ranges: Vec<IpNet>,
    /// The group whose members get kubelets' client certificates without a permission.
    pub trusted_group: Option<String>,
}

/// A flag and the configuration file that cannot both be meant.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{flag} is given, and approval.kubeletServing.enabled in the configuration file is false: remove one of the two"
)]
pub struct Contradiction {
    /// Where the flag was given.
    pub flag: Origin,
}

impl ApprovalFlags {
    pub(super) fn read(given: &mut Given<'_>) -> Self {
        let flag = "approve-kubelet-serving";
        let is_given = given.boolean(flag, &given.args.approve_kubelet_serving);
        let approve_kubelet_serving = is_given.then(|| given.origin(flag));
        let ranges = non_empty(&given.args.service_cluster_ip_range);
        let service_ranges = ranges.map(|text| given.ranges("service-cluster-ip-range", text));
        Self {
            approve_kubelet_serving,
            service_ranges: service_ranges.unwrap_or_default(),
            trusted_group: trusted_group(given),
        }
    }

    /// What holds of both: a section in the file goes before the flag, which means the section with its defaults. Ranges of Services
    /// add up.
    ///
    /// # Errors
    /// When the file forbids what a flag demands.
    pub fn meet(&self, file: Configuration) -> Result<Configuration, Contradiction> {
        let section = match (&self.approve_kubelet_serving, file.kubelet_serving) {
            (Some(flag), Some(section)) if !section.enabled => {
                return Err(Contradiction { flag: flag.clone() });
            }
            (Some(_), None) => Some(KubeletServing::default()),
            (_, section) => section,
        };
        let kubelet_serving = section.map(|section| self.with_ranges(section));
        Ok(Configuration { kubelet_serving, trusted_group: self.trusted_group.clone(), ..file })
    }

    fn with_ranges(&self, mut section: KubeletServing) -> KubeletServing {
        for range in &self.service_ranges {
            if !section.service_ranges.contains(range) {
                section.service_ranges.push(*range);
            }
        }
        section
    }
}

/// The group that is trusted, unless half the world is in it, or nodes are, which would then become each other.
fn trusted_group(given: &mut Given<'_>) -> Option<String> {
    const FLAG: &str = "insecure-experimental-approve-all-kubelet-csrs-for-group";
    const REFUSED: [&str; 5] =
        ["", "system:authenticated", "system:unauthenticated", "system:nodes", "system:masters"];
    let group = given.args.insecure_experimental_approve_all_kubelet_csrs_for_group.clone()?;
    if REFUSED.contains(&group.trim()) || group.trim().starts_with("system:serviceaccounts") {
        let origin = given.origin(FLAG);
        given.wrong(Problem::UntrustedGroup { origin, group });
        return None;
    }
    Some(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_of_the_file_goes_before_the_flag() {
        let none = Configuration::default();
        let section = KubeletServing { kubelet_port: 10251, ..KubeletServing::default() };
        let with = |section| Configuration { kubelet_serving: Some(section), ..Configuration::default() };
        let on = with(section.clone());
        let off = with(KubeletServing { enabled: false, ..section });
        let default = with(KubeletServing::default());
        let flag = Origin::Flag("approve-kubelet-serving");
        let without = ApprovalFlags::default();
        let with = ApprovalFlags { approve_kubelet_serving: Some(flag.clone()), ..without.clone() };
        let more = KubeletServing {
            service_ranges: vec!["10.97.0.0/16".parse().unwrap(), "10.96.0.0/12".parse().unwrap()],
            ..KubeletServing::default()
        };
        let more = Configuration { kubelet_serving: Some(more), ..Configuration::default() };
        for (flags, file, expected) in [
            (&without, &none, Ok(&none)),
            (&without, &on, Ok(&on)),
            (&without, &off, Ok(&off)),
            (&with, &none, Ok(&default)),
            (&with, &on, Ok(&on)),
            (&with, &off, Err(Contradiction { flag })),
        ] {
            assert_eq!(flags.meet(file.clone()), expected.cloned(), "{flags:?} {file:?}");
        }
        let ranges = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpNet>>();
        let ranged =
            ApprovalFlags { service_ranges: ranges(&["10.96.0.0/12", "fd00::/108"]), ..with.clone() };
        for (file, expected) in [
            (&none, ranges(&["10.96.0.0/12", "fd00::/108"])),
            (&more, ranges(&["10.97.0.0/16", "10.96.0.0/12", "fd00::/108"])),
        ] {
            let section = ranged.meet(file.clone()).unwrap().kubelet_serving.unwrap();
            assert_eq!(section.service_ranges, expected);
        }
        let alone = ApprovalFlags { approve_kubelet_serving: None, ..ranged };
        assert_eq!(alone.meet(none), Ok(Configuration::default()), "ranges alone approve nothing");
        let said = with.meet(off).unwrap_err().to_string();
        assert!(
            said.contains("--approve-kubelet-serving") && said.contains("approval.kubeletServing.enabled")
        );
    }
}
