//! The controllers of kube-controller-manager, and what `--controllers` says about the three that we are.
//!
//! The language is upstream's (`staging/src/k8s.io/controller-manager/app/helper.go`): items are `name`, `-name` or `*`; the
//! first item that names a controller decides; without one, `*` switches on what is on by default.

/// A controller of kube-controller-manager.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KcmController {
    /// The name since Kubernetes 1.28.
    pub name: &'static str,
    /// The name before that, still accepted.
    pub alias: Option<&'static str>,
    /// Whether `*` switches it on.
    pub on_by_default: bool,
}

impl KcmController {
    const fn off_by_default(self) -> Self {
        let on_by_default = false;
        Self { on_by_default, ..self }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.alias == Some(name)
    }

    /// Whether these items of `--controllers` switch this controller on.
    #[must_use]
    pub fn is_enabled_by(&self, items: &[&str]) -> bool {
        let choice = items.iter().find_map(|item| match item.strip_prefix('-') {
            _ if self.is_called(item) => Some(true),
            Some(name) if self.is_called(name) => Some(false),
            Some(_) | None => None,
        });
        choice.unwrap_or_else(|| self.on_by_default && items.contains(&"*"))
    }
}

/// The items of `--controllers` that name nothing that kube-controller-manager knows, without their minus.
pub fn unknown<'a>(items: &[&'a str]) -> Vec<&'a str> {
    let names = items.iter().filter(|&&item| item != "*");
    names
        .map(|item| item.strip_prefix('-').unwrap_or(item))
        .filter(|name| !KCM_CONTROLLERS.iter().any(|known| known.is_called(name)))
        .collect()
}

const fn known(name: &'static str, alias: Option<&'static str>) -> KcmController {
    let on_by_default = true;
    KcmController { name, alias, on_by_default }
}

/// `csrsigning`: issues certificates for what is approved.
pub const SIGNING: KcmController = known("certificatesigningrequest-signing-controller", Some("csrsigning"));
/// `csrapproving`: approves what kubelets may have.
pub const APPROVING: KcmController =
    known("certificatesigningrequest-approving-controller", Some("csrapproving"));
/// `csrcleaner`: deletes what is finished or stale.
pub const CLEANING: KcmController = known("certificatesigningrequest-cleaner-controller", Some("csrcleaner"));

/// As `kube-controller-manager --help` of v1.37.1 lists them; the aliases are from the sources of the same version
/// (`cmd/kube-controller-manager/app`). A test compares the first with the binary.
pub const KCM_CONTROLLERS: [KcmController; 49] = [
    SIGNING,
    APPROVING,
    CLEANING,
    known("bootstrap-signer-controller", Some("bootstrapsigner")).off_by_default(),
    known("clusterrole-aggregation-controller", Some("clusterrole-aggregation")),
    known("cronjob-controller", Some("cronjob")),
    known("daemonset-controller", Some("daemonset")),
    known("deployment-controller", Some("deployment")),
    known("device-taint-eviction-controller", None),
    known("disruption-controller", Some("disruption")),
    known("endpoints-controller", Some("endpoint")),
    known("endpointslice-controller", Some("endpointslice")),
    known("endpointslice-mirroring-controller", Some("endpointslicemirroring")),
    known("ephemeral-volume-controller", Some("ephemeral-volume")),
    known("garbage-collector-controller", Some("garbagecollector")),
    known("horizontal-pod-autoscaler-controller", Some("horizontalpodautoscaling")),
    known("job-controller", Some("job")),
    known("kube-apiserver-serving-clustertrustbundle-publisher-controller", None),
    known("legacy-serviceaccount-token-cleaner-controller", Some("legacy-service-account-token-cleaner")),
    known("namespace-controller", Some("namespace")),
    known("node-ipam-controller", Some("nodeipam")),
    known("node-lifecycle-controller", Some("nodelifecycle")),
    known("persistentvolume-attach-detach-controller", Some("attachdetach")),
    known("persistentvolume-binder-controller", Some("persistentvolume-binder")),
    known("persistentvolume-expander-controller", Some("persistentvolume-expander")),
    known("persistentvolume-protection-controller", Some("pv-protection")),
    known("persistentvolumeclaim-protection-controller", Some("pvc-protection")),
    known("pod-garbage-collector-controller", Some("podgc")),
    known("podcertificaterequest-cleaner-controller", None),
    known("podgroup-protection-controller", None),
    known("replicaset-controller", Some("replicaset")),
    known("replicationcontroller-controller", Some("replicationcontroller")),
    known("resourceclaim-controller", Some("resource-claim-controller")),
    known("resourcepoolstatusrequest-controller", None),
    known("resourcequota-controller", Some("resourcequota")),
    known("root-ca-certificate-publisher-controller", Some("root-ca-cert-publisher")),
    known("selinux-warning-controller", None).off_by_default(),
    known("service-cidr-controller", None),
    known("serviceaccount-controller", Some("serviceaccount")),
    known("serviceaccount-token-controller", Some("serviceaccount-token")),
    known("statefulset-controller", Some("statefulset")),
    known("storage-version-migrator-controller", Some("svm")),
    known("storageversion-garbage-collector-controller", Some("storage-version-gc")),
    known("taint-eviction-controller", None),
    known("token-cleaner-controller", Some("tokencleaner")).off_by_default(),
    known("ttl-after-finished-controller", Some("ttl-after-finished")),
    known("ttl-controller", Some("ttl")),
    known("validatingadmissionpolicy-status-controller", None),
    known("volumeattributesclass-protection-controller", None),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn enabled(list: &str) -> [bool; 3] {
        let items: Vec<&str> = list.split(',').collect();
        [SIGNING, APPROVING, CLEANING].map(|controller| controller.is_enabled_by(&items))
    }

    #[test]
    fn the_first_item_that_names_a_controller_decides() {
        let rows = [
            ("*", [true, true, true]),
            ("", [false, false, false]),
            ("*,bootstrapsigner,tokencleaner", [true, true, true]),
            ("*,-csrsigning", [false, true, true]),
            ("-csrsigning,*", [false, true, true]),
            ("csrsigning", [true, false, false]),
            ("csrsigning,-csrsigning", [true, false, false]),
            ("-csrsigning,csrsigning", [false, false, false]),
            ("*,-certificatesigningrequest-cleaner-controller,csrcleaner", [true, true, false]),
            ("certificatesigningrequest-approving-controller,ttl", [false, true, false]),
            ("*,-csrsigning,-csrapproving,-csrcleaner", [false, false, false]),
            ("bootstrapsigner,-ttl", [false, false, false]),
        ];
        for (list, expected) in rows {
            assert_eq!(enabled(list), expected, "{list}");
        }
    }

    #[test]
    fn a_star_leaves_off_what_is_off_by_default() {
        let signer =
            KCM_CONTROLLERS.iter().find(|controller| controller.is_called("bootstrapsigner")).unwrap();
        assert!(!signer.is_enabled_by(&["*"]));
        assert!(signer.is_enabled_by(&["*", "bootstrap-signer-controller"]));
    }

    #[test]
    fn only_names_that_upstream_does_not_know_are_unknown() {
        assert_eq!(unknown(&["*", "csrsigning", "-ttl", "svm", "job-controller"]), [""; 0]);
        assert_eq!(unknown(&["csrsinging", "-nope", "", "-*"]), ["csrsinging", "nope", "", "*"]);
    }
}
