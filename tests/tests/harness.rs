//! The harness itself.

use anyhow::Result;
use countersign_e2e::{ControlPlane, Options, User};

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_knows_its_users() -> Result<()> {
    let started = std::time::Instant::now();
    let cluster = ControlPlane::start(Options::default()).await?;
    println!("ready after {:?}", started.elapsed());
    let said = cluster.kubectl(&["auth", "whoami", "-o", "name"])?;
    println!("{said}");
    let boot = cluster.bootstrap_token().await?;
    cluster.client_for(&boot).await?.apiserver_version().await?;
    cluster.client_for(&User::node("n1")).await?.apiserver_version().await?;
    println!("all after {:?}", started.elapsed());
    Ok(())
}
