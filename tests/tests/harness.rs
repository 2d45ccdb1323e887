//! The harness itself.

use std::net::TcpStream;

use countersign_e2e::{ControlPlane, Options, TestResult, User};

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_knows_its_users_and_leaves_nothing_behind() -> TestResult {
    let cluster = ControlPlane::start(Options::default()).await?;
    let bootstrap = cluster.bootstrap_token().await?;
    for user in [User::admin(), User::node("a"), User::controller_manager(), bootstrap] {
        cluster.client_for(&user).await?.apiserver_version().await?;
    }
    let stranger = User::with_token("stranger", "no-such-token");
    assert!(cluster.client_for(&stranger).await?.list_api_groups().await.is_err());
    assert!(cluster.kubectl(&["get", "clusterrolebindings"])?.contains("kubeadm:node-autoapprove-bootstrap"));

    let address = cluster.url().trim_start_matches("https://").to_owned();
    let directory = cluster.directory().to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(cluster);
    assert!(TcpStream::connect(&address).is_err());
    assert!(!directory.exists());
    Ok(())
}
