//! How the API server is reached.

use std::num::NonZeroU32;
use std::path::PathBuf;

use http::Uri;
use http::uri::Scheme;

use crate::config::given::{Given, non_empty};
use crate::config::{Origin, Problem};

/// How the API server is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientConfig {
    /// Kubeconfig file with address and credentials. Without it and without `master`, the pod's own are used.
    pub kubeconfig: Option<KubeconfigFile>,
    /// Address of the API server, before that of the kubeconfig file; a URL with a host.
    pub master: Option<String>,
    /// The limit on calls, where one was asked for.
    pub rate_limit: Option<RateLimit>,
    /// Whether to work as the service account `kube-system/certificate-controller`.
    pub use_service_account_credentials: bool,
}

/// A kubeconfig file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KubeconfigFile {
    /// Where it is.
    pub path: PathBuf,
    /// Where that was given, to be named in what is said of it.
    pub origin: Origin,
}

/// A token bucket on calls to the API server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Calls per second; finite and greater than zero.
    pub qps: f32,
    /// Calls that may be made at once.
    pub burst: NonZeroU32,
}

impl ClientConfig {
    pub(super) fn read(given: &mut Given<'_>) -> Self {
        let args = given.args;
        let credentials = &args.use_service_account_credentials;
        Self {
            kubeconfig: KubeconfigFile::read(given, "kubeconfig", &args.kubeconfig),
            master: master(given),
            rate_limit: RateLimit::read(given),
            use_service_account_credentials: given.boolean("use-service-account-credentials", credentials),
        }
    }
}

impl KubeconfigFile {
    pub(super) fn read(given: &Given<'_>, flag: &'static str, path: &Option<String>) -> Option<Self> {
        let path = non_empty(path)?.into();
        Some(Self { path, origin: given.origin(flag) })
    }
}

/// A host alone is taken for a URL by its grammar, and no call would ever arrive anywhere.
fn master(given: &mut Given<'_>) -> Option<String> {
    let address = non_empty(&given.args.master)?;
    let of_a_server = |url: &Uri| {
        let http = [Scheme::HTTP, Scheme::HTTPS].iter().any(|scheme| url.scheme() == Some(scheme));
        http && url.host().is_some_and(|host| !host.is_empty())
    };
    if !address.parse().is_ok_and(|url| of_a_server(&url)) {
        let (origin, value) = (given.origin("master"), address.to_owned());
        given.wrong(Problem::Master { origin, value });
    }
    Some(address.to_owned())
}

impl RateLimit {
    /// kube-controller-manager's defaults, which hold for the half that was not given.
    const DEFAULT_QPS: f32 = 20.0;
    const DEFAULT_BURST: i64 = 30;
    /// client-go's (`rest.DefaultQPS`, `rest.DefaultBurst`), which hold for a zero.
    const ZERO_QPS: f32 = 5.0;
    const ZERO_BURST: i64 = 10;

    /// As client-go (`rest.Config`) reads the two; a negative rate is no limit.
    fn read(given: &mut Given<'_>) -> Option<Self> {
        let args = given.args;
        let (qps, burst) = (non_empty(&args.kube_api_qps), non_empty(&args.kube_api_burst));
        if qps.is_none() && burst.is_none() {
            return None;
        }
        let qps = qps.map_or(Some(Self::DEFAULT_QPS), |text| given.number("kube-api-qps", text));
        let burst =
            burst.map_or(Some(Self::DEFAULT_BURST), |text| given.whole_number("kube-api-burst", text));
        let (qps, burst) = (qps?, burst?);
        if qps < 0.0 {
            return None;
        }
        // client-go takes a zero for "not set", but a burst of zero only beside a rate that is zero as well.
        let burst = if qps == 0.0 && burst == 0 { Self::ZERO_BURST } else { burst };
        let qps = if qps == 0.0 { Self::ZERO_QPS } else { qps };
        let Some(burst) = u32::try_from(burst).ok().and_then(NonZeroU32::new) else {
            let origin = given.origin("kube-api-burst");
            given.wrong(Problem::BurstOutOfRange { origin });
            return None;
        };
        Some(Self { qps, burst })
    }
}
