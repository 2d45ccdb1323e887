//! Every metric in one table: what is registered, and what `docs/metrics.md` says.

/// What Prometheus makes of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    /// Each label with the values it takes.
    pub(super) labels: &'static [(&'static str, &'static str)],
}

const SIGNER: (&str, &str) = ("signer", "signerNames of the configuration, `other`");
const STEP: (&str, &str) =
    ("step", "`read`, `ask`, `decide`, `approve`, `deny`, `sign`, `publish`, `fail`, `delete`");
const LANE: (&str, &str) = ("lane", "`fresh`, `late`, `retries`, `superseded`");
const REQUESTER: (&str, &str) = ("requester", "`node`, `bootstrap`, `other`");
const RECOGNIZER: (&str, &str) = ("recognizer", "`selfnodeclient`, `nodeclient`, `selfnodeserver`");
const STATE: (&str, &str) = ("state", "`pending`, `approved`, `denied`, `failed`, `issued`, `expired`");
const RULE: (&str, &str) = ("rule", "ids in [rules.md](rules.md)");

pub(super) static PASSES: Description = counter(
    "countersign_passes_total",
    "Things done for a CertificateSigningRequest, whatever came of them.",
    &[STEP],
);
pub(super) static PASS_DURATION: Description =
    histogram("countersign_pass_duration_seconds", "How long each of them took.", &[STEP]);
pub(super) static REVIEWS: Description = counter(
    "countersign_reviews_total",
    "SubjectAccessReviews answered.",
    &[RECOGNIZER, ("verdict", "`allowed`, `not_allowed`")],
);
pub(super) static APPROVED: Description = counter(
    "countersign_approved_total",
    "Requests approved.",
    &[("recognizer", "`selfnodeclient`, `nodeclient`, `group`, `selfnodeserver`, `other`")],
);
pub(super) static ISSUED: Description =
    counter("countersign_issued_total", "Certificates published.", &[SIGNER]);
pub(super) static REJECTED: Description = counter(
    "countersign_rejected_total",
    "Approved requests whose content is not acceptable: condition Failed was set.",
    &[SIGNER, ("reason", "the rejection, in snake case")],
);
pub(super) static CLEANED: Description = counter(
    "countersign_cleaned_total",
    "Finished or stale CertificateSigningRequests deleted.",
    &[("phase", "`issued`, `denied`, `failed`, `pending`, `expired`, `approved`")],
);
pub(super) static ERRORS: Description = counter(
    "countersign_errors_total",
    "Failures on our side. Each is retried.",
    &[("error", "the failure, in snake case")],
);
pub(super) static RETRIES: Description =
    counter("countersign_retries_total", "Retries after such failures.", &[]);
pub(super) static IN_FLIGHT: Description =
    gauge("countersign_in_flight", "API calls, decisions and signatures under way.", &[]);
pub(super) static CALLS: Description =
    gauge("countersign_calls_in_flight", "API calls under way, without deletes.", &[]);
pub(super) static CALL_LIMIT: Description = gauge(
    "countersign_calls_in_flight_limit",
    "API calls that may be under way at present: more while they are answered quickly, at most `--max-in-flight`.",
    &[],
);
pub(super) static INQUIRIES: Description = gauge(
    "countersign_inquiries_in_flight",
    "Name servers and kubelets that are being asked, 64 at most; they take no place from API calls.",
    &[],
);
pub(super) static QUEUE_DEPTH: Description =
    gauge("countersign_queue_depth", "Requests that wait for their turn.", &[LANE]);
pub(super) static QUEUE_AGE: Description = gauge(
    "countersign_queue_oldest_age_seconds",
    "How long ago the oldest of them was created; 0 when there are none.",
    &[LANE],
);
pub(super) static QUEUE_WAIT: Description = histogram(
    "countersign_queue_wait_seconds",
    "How long a request queued, each time before its turn came.",
    &[LANE, REQUESTER],
);
pub(super) static FIRST_CALL: Description = histogram(
    "countersign_first_call_seconds",
    "From the event that gave us something to do for a request to the first API call for it, shared ones included.",
    &[REQUESTER],
);
pub(super) static SHARED_ANSWERS: Description = counter(
    "countersign_shared_answers_total",
    "Answers that a request got without a question of its own.",
    &[],
);
pub(super) static BUDGET_EXCEEDED: Description = counter(
    "countersign_object_budget_exceeded_total",
    "Objects that did not fit the memory for them, and are read again at their turn.",
    &[],
);
pub(super) static CLEANING_DELAY: Description = gauge(
    "countersign_cleaning_delay_seconds",
    "For how long the object that is most overdue for cleaning has been so; cleaning yields to all else.",
    &[],
);
pub(super) static HELD: Description = gauge(
    "countersign_held",
    "Requests that a rule holds, until a permission is given or a fact changes.",
    &[RULE],
);
pub(super) static REQUESTS: Description = gauge(
    "countersign_requests",
    "CertificateSigningRequests there are, looked at every few seconds.",
    &[STATE, SIGNER],
);
pub(super) static OLDEST_REQUEST: Description = gauge(
    "countersign_requests_oldest_age_seconds",
    "How long ago the oldest of them was created; 0 when there are none.",
    &[STATE, SIGNER],
);
pub(super) static INSECURE_GROUP: Description = gauge(
    "countersign_insecure_group_approval",
    "1 while `--insecure-experimental-approve-all-kubelet-csrs-for-group` is in use.",
    &[],
);
pub(super) static LEADER: Description =
    gauge("countersign_leader", "1 while this process holds the Lease, or needs none.", &[]);
pub(super) static CA_RELOADS: Description = counter(
    "countersign_ca_reloads_total",
    "Changed CA files read again. After `failure` the last good pair stays in use.",
    &[("result", "`success`, `failure`")],
);
pub(super) static CA_LOADED: Description = gauge(
    "countersign_ca_loaded_timestamp_seconds",
    "When the CA files were last read with success, as Unix time.",
    &[SIGNER],
);
pub(super) static CA_EXPIRY: Description = gauge(
    "countersign_ca_expiry_timestamp_seconds",
    "When the CA certificate in use expires, as Unix time.",
    &[SIGNER],
);
pub(super) static CLIENT_EXPIRY: Description = gauge(
    "countersign_client_certificate_expiry_timestamp_seconds",
    "When the client certificate of the kubeconfig expires, as Unix time; absent without one.",
    &[],
);
pub(super) static WATCH_RESTARTS: Description =
    counter("countersign_watch_restarts_total", "Watches that had to be opened again.", &[]);
pub(super) static PANICS: Description =
    counter("countersign_panics_total", "Panics caught. Each is a bug, and backs off one request.", &[]);
pub(super) static CONFIG_RELOADS: Description = counter(
    "countersign_config_reloads_total",
    "Changed configuration files read again. After `failure` the last good one stays in use.",
    &[("result", "`success`, `failure`")],
);
pub(super) static CONFIG_LAST_RELOAD: Description = gauge(
    "countersign_config_last_reload_successful",
    "1 while the configuration file as it is now is in use, 0 while it cannot be used.",
    &[],
);
pub(super) static CONFIG_DIGEST: Description = gauge(
    "countersign_config_digest_info",
    "Always 1. Differs between replicas that do not work by the same configuration.",
    &[("digest", "SHA-256 of the effective configuration, as on `/configz`")],
);
pub(super) static INVENTORY: Description = gauge(
    "countersign_inventory_in_use",
    "0 until the ConfigMap of the inventory was read, and while it has mistakes or is missing; else 1, also where none is configured.",
    &[],
);
pub(super) static BUILD_INFO: Description =
    gauge("countersign_build_info", "Always 1.", &[("version", "of this build")]);

/// All of them, in the order of the documentation.
pub(super) static TABLE: [&Description; 36] = [
    &PASSES,
    &PASS_DURATION,
    &REVIEWS,
    &APPROVED,
    &ISSUED,
    &REJECTED,
    &CLEANED,
    &ERRORS,
    &RETRIES,
    &IN_FLIGHT,
    &CALLS,
    &CALL_LIMIT,
    &INQUIRIES,
    &QUEUE_DEPTH,
    &QUEUE_AGE,
    &QUEUE_WAIT,
    &FIRST_CALL,
    &SHARED_ANSWERS,
    &BUDGET_EXCEEDED,
    &CLEANING_DELAY,
    &HELD,
    &REQUESTS,
    &OLDEST_REQUEST,
    &INSECURE_GROUP,
    &LEADER,
    &CA_RELOADS,
    &CA_LOADED,
    &CA_EXPIRY,
    &CLIENT_EXPIRY,
    &CONFIG_RELOADS,
    &CONFIG_LAST_RELOAD,
    &CONFIG_DIGEST,
    &INVENTORY,
    &WATCH_RESTARTS,
    &PANICS,
    &BUILD_INFO,
];

const fn counter(
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, &'static str)],
) -> Description {
    Description { name, kind: Kind::Counter, help, labels }
}

const fn gauge(
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, &'static str)],
) -> Description {
    Description { name, kind: Kind::Gauge, help, labels }
}

const fn histogram(
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, &'static str)],
) -> Description {
    Description { name, kind: Kind::Histogram, help, labels }
}
