//! What the signer serves, and to whom.

use countersign_e2e::{ControlPlane, Options, TestResult};
use http::StatusCode;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

/// A control plane with somebody who may read metrics and somebody who may not.
async fn cluster() -> anyhow::Result<ControlPlane> {
    let options = Options::default().token_user("reader-token", "reader", &["readers"]);
    let cluster = ControlPlane::start(options.token_user("stranger-token", "stranger", &[])).await?;
    let admin = cluster.admin().await?;
    let role: ClusterRole = serde_json::from_value(json!({
        "metadata": { "name": "metrics-reader" },
        "rules": [{ "nonResourceURLs": ["/metrics"], "verbs": ["get"] }],
    }))?;
    Api::all(admin.clone()).create(&PostParams::default(), &role).await?;
    countersign_e2e::bindings::bind(&admin, "metrics-reader", ("metrics-reader", "readers")).await?;
    Ok(cluster)
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_those_the_api_server_says() -> TestResult {
    let cluster = cluster().await?;
    let signer = cluster.start_signer().await?;
    for (token, expected) in [
        (Some("reader-token"), StatusCode::OK),
        (Some("admin-token"), StatusCode::OK),
        (Some("stranger-token"), StatusCode::FORBIDDEN),
        (Some("no-such-token"), StatusCode::UNAUTHORIZED),
        (None, StatusCode::UNAUTHORIZED),
    ] {
        let (status, text) = signer.get("/metrics", token).await?;
        assert_eq!(status, expected, "{token:?}: {text}");
        assert_eq!(text.contains("process_start_time_seconds"), expected == StatusCode::OK, "{token:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_for_everybody() -> TestResult {
    let cluster = cluster().await?;
    let signer = cluster.start_signer().await?;
    for path in ["/healthz", "/livez", "/readyz"] {
        let (status, text) = signer.get(path, None).await?;
        assert_eq!((status, text.trim_end()), (StatusCode::OK, "ok"), "{path}");
    }
    let (status, text) = signer.get("/readyz?verbose", None).await?;
    assert_eq!(status, StatusCode::OK);
    assert!(text.lines().count() > 1, "{text}");
    Ok(())
}
