//! The flags of `countersign run`, as typed.
//!
//! Everything is text here, so that a command line with three mistakes gets three answers: [`crate::config::Config`] reads the
//! values and reports all that is wrong with them at once. Names and defaults are kube-controller-manager's where it has the
//! flag. The first paragraph of each comment is what `--help` and `docs/flags.md` say.

use std::collections::BTreeSet;

use clap::ArgAction::Append;

use crate::config::Problem;

/// The flags of `countersign run`.
///
/// A flag without value, or with an empty one, counts as not given where `None` would. Each is also read from the
/// environment, as `COUNTERSIGN_` and its name; the command line wins.
#[derive(Clone, Debug, clap::Args)]
#[command(next_line_help = true)]
pub struct Args {
    /// CA certificate (PEM) that signs for all four signerNames. No more specific --cluster-signing-* file may be given
    /// beside it
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_cert_file: Option<String>,
    /// Private key (PEM) of --cluster-signing-cert-file
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_key_file: Option<String>,
    /// CA certificate (PEM) that signs for kubernetes.io/kubelet-serving
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_kubelet_serving_cert_file: Option<String>,
    /// Private key (PEM) of --cluster-signing-kubelet-serving-cert-file
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_kubelet_serving_key_file: Option<String>,
    /// CA certificate (PEM) that signs for kubernetes.io/kube-apiserver-client-kubelet
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_kubelet_client_cert_file: Option<String>,
    /// Private key (PEM) of --cluster-signing-kubelet-client-cert-file
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_kubelet_client_key_file: Option<String>,
    /// CA certificate (PEM) that signs for kubernetes.io/kube-apiserver-client
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_kube_apiserver_client_cert_file: Option<String>,
    /// Private key (PEM) of --cluster-signing-kube-apiserver-client-cert-file
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_kube_apiserver_client_key_file: Option<String>,
    /// CA certificate (PEM) that signs for kubernetes.io/legacy-unknown
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_legacy_unknown_cert_file: Option<String>,
    /// Private key (PEM) of --cluster-signing-legacy-unknown-cert-file
    #[arg(long, value_name = "FILE", help_heading = SIGNING)]
    pub cluster_signing_legacy_unknown_key_file: Option<String>,
    /// Longest lifetime of a certificate, and that of one whose request asks for none
    #[arg(long, value_name = "DURATION", default_value = "8760h0m0s", help_heading = SIGNING)]
    pub cluster_signing_duration: String,

    /// Configuration file, for what has no flag. It is read again when it changes
    #[arg(long, value_name = "FILE", help_heading = WORK)]
    pub config: Option<String>,
    /// Controllers to run, separated by commas: '*' for all that are on by default, 'name' for one, '-name' for all but one;
    /// the first that matches decides. Every controller of kube-controller-manager may be named; those that act here are
    /// csrsigning, csrapproving and csrcleaner
    #[arg(long, value_name = "NAMES", default_value = "*", action = Append, help_heading = WORK)]
    pub controllers: Vec<String>,
    /// Approve the serving certificates of kubelets (requires the permission selfnodeserver). Names and addresses must be in the
    /// Node's status and be nobody else's: not the API server's, not of Services, not another Node's. A Node writes its own
    /// status, so this needs the admission plugin NodeRestriction. What others approve is not signed for reserved names either
    #[arg(long, value_name = "BOOL", default_value = "false", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", help_heading = WORK)]
    pub approve_kubelet_serving: String,
    /// Ranges, separated by commas, from which Services get their addresses: no kubelet's serving certificate may have one. They are
    /// needed where the API server has no ServiceCIDR objects, and go together with those and with serviceRanges in the
    /// configuration file
    #[arg(long, value_name = "RANGES", help_heading = WORK)]
    pub service_cluster_ip_range: Option<String>,
    /// Insecure: approve the client certificate of any node for members of this group, without the permission nodeclient. It is
    /// kube-controller-manager's flag of old; give the group the permission instead
    #[arg(long, value_name = "GROUP", help_heading = WORK)]
    pub insecure_experimental_approve_all_kubelet_csrs_for_group: Option<String>,
    /// Calls to the API server that may be under way at once. How many there are below it follows the API server's answers:
    /// more while they come quickly, fewer while they are slow or fail
    #[arg(long, value_name = "NUMBER", default_value = "64", help_heading = WORK)]
    pub max_in_flight: String,
    /// How long a stopping process may take to finish what is under way
    #[arg(long, value_name = "DURATION", default_value = "10s", help_heading = WORK)]
    pub controller_shutdown_timeout: String,
    /// Check the configuration and the files it names, report what is wrong, and exit
    #[arg(long, value_name = "BOOL", default_value = "false", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", help_heading = WORK)]
    pub check: String,
    /// Refuse flags of kube-controller-manager that have no effect here, instead of listing them in a warning
    #[arg(long, value_name = "BOOL", default_value = "false", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", help_heading = WORK)]
    pub strict_flags: String,

    /// Kubeconfig file with address and credentials. Without it and without --master, those of the pod are used
    #[arg(long, value_name = "FILE", help_heading = API)]
    pub kubeconfig: Option<String>,
    /// Address of the API server; goes before that of the kubeconfig file
    #[arg(long, value_name = "URL", help_heading = API)]
    pub master: Option<String>,
    /// Work as the service account kube-system/certificate-controller, with tokens requested for it
    #[arg(long, value_name = "BOOL", default_value = "false", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", help_heading = API)]
    pub use_service_account_credentials: String,
    /// Calls per second to the API server; negative for no limit [default: no limit; 20 where --kube-api-burst is given]
    #[arg(long, value_name = "NUMBER", help_heading = API)]
    pub kube_api_qps: Option<String>,
    /// Calls that may exceed --kube-api-qps at once [default: 30 where --kube-api-qps is given]
    #[arg(long, value_name = "NUMBER", help_heading = API)]
    pub kube_api_burst: Option<String>,

    /// Work only while holding the Lease, so that one of several replicas works
    #[arg(long, value_name = "BOOL", default_value = "true", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", help_heading = LEADER)]
    pub leader_elect: String,
    /// How long a Lease that is not renewed keeps others from taking it
    #[arg(long, value_name = "DURATION", default_value = "15s", help_heading = LEADER)]
    pub leader_elect_lease_duration: String,
    /// How long the holder tries to renew before it gives up
    #[arg(long, value_name = "DURATION", default_value = "10s", help_heading = LEADER)]
    pub leader_elect_renew_deadline: String,
    /// Time between two attempts to take or to renew the Lease
    #[arg(long, value_name = "DURATION", default_value = "2s", help_heading = LEADER)]
    pub leader_elect_retry_period: String,
    /// Kind of object that is held; there is one kind
    #[arg(long, value_name = "KIND", default_value = "leases", help_heading = LEADER)]
    pub leader_elect_resource_lock: String,
    /// Name of the Lease. That of kube-controller-manager is refused
    #[arg(long, value_name = "NAME", default_value = "countersign", help_heading = LEADER)]
    pub leader_elect_resource_name: String,
    /// Namespace of the Lease
    #[arg(long, value_name = "NAMESPACE", default_value = "kube-system", help_heading = LEADER)]
    pub leader_elect_resource_namespace: String,

    /// Address to serve metrics and health on; unspecified (0.0.0.0, ::) or empty for all
    #[arg(long, value_name = "IP", default_value = "0.0.0.0", help_heading = SERVING)]
    pub bind_address: String,
    /// Port to serve metrics and health on, over TLS; 0 for none
    #[arg(long, value_name = "PORT", default_value = "10270", help_heading = SERVING)]
    pub secure_port: String,
    /// Serving certificate (PEM), with its chain. Without it a self-signed one is made in memory
    #[arg(long, value_name = "FILE", help_heading = SERVING)]
    pub tls_cert_file: Option<String>,
    /// Private key (PEM) of --tls-cert-file
    #[arg(long, value_name = "FILE", help_heading = SERVING)]
    pub tls_private_key_file: Option<String>,
    /// Kubeconfig file of an identity that may create TokenReviews, to know who asks for metrics [default: that of
    /// the API server's flags]
    #[arg(long, value_name = "FILE", help_heading = SERVING)]
    pub authentication_kubeconfig: Option<String>,
    /// Kubeconfig file of an identity that may create SubjectAccessReviews, to know who may have metrics [default: that of
    /// the API server's flags]
    #[arg(long, value_name = "FILE", help_heading = SERVING)]
    pub authorization_kubeconfig: Option<String>,
    /// Paths, separated by commas, that are served to anyone; one that ends in '*' stands for all that begin so
    #[arg(long, value_name = "PATHS", default_value = "/healthz,/readyz,/livez", action = Append, help_heading = SERVING)]
    pub authorization_always_allow_paths: Vec<String>,

    /// Verbosity as kube-controller-manager counts it: 4 and 5 for debug, 6 and more for trace, less for info
    #[arg(short = 'v', long = "v", value_name = "NUMBER", default_value = "0", help_heading = LOGGING)]
    pub v: String,
    /// Level of logs (error, warn, info, debug, trace), or a list such as info,kube=debug; goes before --v
    #[arg(long, value_name = "LEVEL", help_heading = LOGGING)]
    pub log_level: Option<String>,
    /// Form of logs: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = LOGGING)]
    pub logging_format: String,

    /// Flags of kube-controller-manager that were given and have no bearing here, in the order given, each once.
    #[arg(skip)]
    pub ignored_flags: Vec<String>,
    /// Flags whose value is from the environment.
    #[arg(skip)]
    pub from_environment: BTreeSet<String>,
    /// What is wrong with the command line before any value is read: unknown flags, missing values, stray arguments.
    #[arg(skip)]
    pub problems: Vec<Problem>,
}

const SIGNING: &str = "Signing";
const WORK: &str = "Work";
const API: &str = "API server";
const LEADER: &str = "Leader election";
const SERVING: &str = "Metrics and health";
const LOGGING: &str = "Logging";
