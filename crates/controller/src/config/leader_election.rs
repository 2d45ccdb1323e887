//! The Lease to hold while working, and how.

use time::Duration;

use crate::config::Problem;
use crate::config::given::Given;
use crate::kube::lease::{FOREIGN_NAME, JITTER, LeaseConfigError, Timing};

/// The Lease to hold while working, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeaderElection {
    /// Namespace of the Lease; never empty.
    pub namespace: String,
    /// Name of the Lease; never empty, and never kube-controller-manager's.
    pub name: String,
    /// How long the Lease lasts, and how it is kept.
    pub timing: Timing,
}

impl LeaderElection {
    /// As upstream, nothing is checked where no leader is elected, but for texts that mean nothing at all.
    pub(super) fn read(given: &mut Given<'_>) -> Option<Self> {
        let args = given.args;
        let elect = given.boolean("leader-elect", &args.leader_elect);
        let lease = given.duration("leader-elect-lease-duration", &args.leader_elect_lease_duration);
        let renew = given.duration("leader-elect-renew-deadline", &args.leader_elect_renew_deadline);
        let retry = given.duration("leader-elect-retry-period", &args.leader_elect_retry_period);
        if !elect {
            return None;
        }
        if args.leader_elect_resource_lock != "leases" {
            given.wrong(Problem::ResourceLock);
        }
        let name = &args.leader_elect_resource_name;
        let namespace = &args.leader_elect_resource_namespace;
        check_name(given, "leader-elect-resource-name", name);
        check_name(given, "leader-elect-resource-namespace", namespace);
        if name == FOREIGN_NAME {
            given.wrong(Problem::Lease(LeaseConfigError::Foreign));
        }
        let timing = timing([lease?, renew?, retry?]).map_err(|problems| given.problems.extend(problems));
        Some(Self { namespace: namespace.clone(), name: name.clone(), timing: timing.ok()? })
    }
}

/// The times of an election, checked by client-go's rules (`tools/leaderelection`, `NewLeaderElector`), then by our own.
fn timing(times: [Duration; 3]) -> Result<Timing, Vec<Problem>> {
    let [lease, renew, retry] = times;
    let rules = [
        (lease <= Duration::ZERO, Problem::LeaseDurationNotPositive),
        (renew <= Duration::ZERO, Problem::RenewDeadlineNotPositive),
        (retry <= Duration::ZERO, Problem::RetryPeriodNotPositive),
        (lease <= renew, Problem::LeaseDurationTooShort),
        (renew <= retry * JITTER, Problem::RenewDeadlineTooShort),
    ];
    let broken: Vec<Problem> =
        rules.into_iter().filter_map(|(broken, problem)| broken.then_some(problem)).collect();
    if !broken.is_empty() {
        return Err(broken);
    }
    let [lease, renew, retry] = times.map(Duration::unsigned_abs);
    Timing::new(lease, renew, retry).map_err(|error| vec![Problem::Lease(error)])
}

/// Names are DNS labels here, and a Lease's may have dots (`k8s.io/apimachinery/pkg/util/validation`).
fn check_name(given: &mut Given<'_>, flag: &'static str, name: &str) {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label = |label: &str| {
        label.starts_with(alphanumeric)
            && label.ends_with(alphanumeric)
            && label.chars().all(|c| alphanumeric(c) || c == '-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        let (origin, value) = (given.origin(flag), name.to_owned());
        given.wrong(Problem::LeaseName { origin, value });
    }
}
