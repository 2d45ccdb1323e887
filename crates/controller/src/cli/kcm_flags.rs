//! The flags of kube-controller-manager that have no bearing here.
//!
//! A command line that started kube-controller-manager starts us, so all of its flags are known; those that configure
//! controllers we are not are accepted, listed once in a warning, and otherwise without effect.

/// A flag of kube-controller-manager that is accepted and ignored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KcmFlag {
    /// Without the dashes.
    pub name: &'static str,
    /// Whether a value follows; a boolean has one only behind `=`.
    pub takes_value: bool,
}

/// The flag of that name (without dashes, words separated by dashes).
#[must_use]
pub fn find(name: &str) -> Option<KcmFlag> {
    let at = KCM_FLAGS.binary_search_by(|flag| flag.name.cmp(name)).ok()?;
    Some(KCM_FLAGS[at])
}

const fn switch(name: &'static str) -> KcmFlag {
    let takes_value = false;
    KcmFlag { name, takes_value }
}

const fn valued(name: &'static str) -> KcmFlag {
    let takes_value = true;
    KcmFlag { name, takes_value }
}

/// As `kube-controller-manager --help` of v1.37.1 lists them, and two that it hides as deprecated (`allow-untagged-cloud`,
/// `node-sync-period`), in the order of the alphabet.
pub const KCM_FLAGS: [KcmFlag; 113] = [
    switch("allocate-node-cidrs"),
    valued("allow-metric-labels"),
    valued("allow-metric-labels-manifest"),
    switch("allow-untagged-cloud"),
    valued("attach-detach-reconcile-sync-period"),
    switch("authentication-skip-lookup"),
    valued("authentication-token-webhook-cache-ttl"),
    switch("authentication-tolerate-lookup-failure"),
    valued("authorization-webhook-cache-authorized-ttl"),
    valued("authorization-webhook-cache-unauthorized-ttl"),
    valued("cert-dir"),
    valued("cidr-allocator-type"),
    valued("client-ca-file"),
    valued("cloud-config"),
    valued("cloud-provider"),
    valued("cluster-cidr"),
    valued("cluster-name"),
    valued("concurrent-cron-job-syncs"),
    valued("concurrent-daemonset-syncs"),
    valued("concurrent-deployment-syncs"),
    valued("concurrent-device-taint-eviction-syncs"),
    valued("concurrent-disruption-syncs"),
    valued("concurrent-endpoint-syncs"),
    valued("concurrent-ephemeralvolume-syncs"),
    valued("concurrent-gc-syncs"),
    valued("concurrent-horizontal-pod-autoscaler-syncs"),
    valued("concurrent-job-syncs"),
    valued("concurrent-namespace-syncs"),
    valued("concurrent-rc-syncs"),
    valued("concurrent-replicaset-syncs"),
    valued("concurrent-resource-quota-syncs"),
    valued("concurrent-resourceclaim-syncs"),
    valued("concurrent-service-endpoint-syncs"),
    valued("concurrent-serviceaccount-token-syncs"),
    valued("concurrent-statefulset-syncs"),
    valued("concurrent-ttl-after-finished-syncs"),
    valued("concurrent-validating-admission-policy-status-syncs"),
    switch("configure-cloud-routes"),
    switch("contention-profiling"),
    valued("controller-start-interval"),
    switch("disable-attach-detach-reconcile-sync"),
    switch("disable-force-detach-on-timeout"),
    switch("disable-http2-serving"),
    valued("disabled-metrics"),
    valued("emulated-version"),
    switch("enable-dynamic-provisioning"),
    switch("enable-garbage-collector"),
    switch("enable-hostpath-provisioner"),
    switch("enable-leader-migration"),
    valued("endpoint-updates-batch-period"),
    valued("endpointslice-updates-batch-period"),
    valued("external-cloud-volume-plugin"),
    valued("feature-gates"),
    valued("flex-volume-plugin-dir"),
    valued("horizontal-pod-autoscaler-cpu-initialization-period"),
    valued("horizontal-pod-autoscaler-downscale-stabilization"),
    valued("horizontal-pod-autoscaler-initial-readiness-delay"),
    valued("horizontal-pod-autoscaler-sync-period"),
    valued("horizontal-pod-autoscaler-tolerance"),
    valued("http2-max-streams-per-connection"),
    valued("kube-api-content-type"),
    valued("large-cluster-size-threshold"),
    valued("leader-migration-config"),
    valued("legacy-service-account-token-clean-up-period"),
    valued("log-flush-frequency"),
    valued("log-json-info-buffer-size"),
    switch("log-json-split-stream"),
    valued("log-text-info-buffer-size"),
    switch("log-text-split-stream"),
    valued("max-endpoints-per-slice"),
    valued("min-compatibility-version"),
    valued("min-resync-period"),
    valued("mirroring-concurrent-service-endpoint-syncs"),
    valued("mirroring-endpointslice-updates-batch-period"),
    valued("mirroring-max-endpoints-per-subset"),
    valued("namespace-sync-period"),
    valued("node-cidr-mask-size"),
    valued("node-cidr-mask-size-ipv4"),
    valued("node-cidr-mask-size-ipv6"),
    valued("node-eviction-rate"),
    valued("node-monitor-grace-period"),
    valued("node-monitor-period"),
    valued("node-startup-grace-period"),
    valued("node-sync-period"),
    switch("permit-address-sharing"),
    switch("permit-port-sharing"),
    switch("profiling"),
    valued("pv-recycler-increment-timeout-nfs"),
    valued("pv-recycler-minimum-timeout-hostpath"),
    valued("pv-recycler-minimum-timeout-nfs"),
    valued("pv-recycler-pod-template-filepath-hostpath"),
    valued("pv-recycler-pod-template-filepath-nfs"),
    valued("pv-recycler-timeout-increment-hostpath"),
    valued("pvclaimbinder-sync-period"),
    valued("requestheader-allowed-names"),
    valued("requestheader-client-ca-file"),
    valued("requestheader-extra-headers-prefix"),
    valued("requestheader-group-headers"),
    valued("requestheader-uid-headers"),
    valued("requestheader-username-headers"),
    valued("resource-quota-sync-period"),
    valued("root-ca-file"),
    valued("route-reconciliation-period"),
    valued("secondary-node-eviction-rate"),
    valued("service-account-private-key-file"),
    valued("show-hidden-metrics-for-version"),
    valued("terminated-pod-gc-threshold"),
    valued("tls-cipher-suites"),
    valued("tls-curve-preferences"),
    valued("tls-min-version"),
    valued("tls-sni-cert-key"),
    valued("unhealthy-zone-threshold"),
    valued("vmodule"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_flag_is_found() {
        assert!(KCM_FLAGS.is_sorted_by_key(|flag| flag.name));
        for flag in KCM_FLAGS {
            assert_eq!(find(flag.name), Some(flag));
        }
        assert_eq!(find("leader-elect"), None);
    }
}
