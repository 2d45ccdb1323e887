//! The harness itself.

use std::net::TcpStream;
use std::path::Path;
use std::{fs, io, process};

use countersign_e2e::{ControlPlane, Options, TestResult, User, nodes};

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

#[test]
fn a_kubelet_leaves_the_machine_as_it_was() -> TestResult {
    let before = settings()?;
    nodes::on_own_cluster(async |cluster| {
        let admin = cluster.admin().await?;
        let _signer = nodes::start_signer(cluster, &[]).await?;
        let token = cluster.bootstrap_token().await?;
        cluster.start_kubelet("guest", &token).await?.ready(&admin).await?;
        assert!(!cgroups()?.is_empty());
        Ok(())
    })?;
    assert_eq!(settings()?, before);
    assert_eq!(cgroups()?, Vec::<String>::new());
    Ok(())
}

/// What a kubelet sets as soon as its node is ready.
fn settings() -> io::Result<[String; 3]> {
    let read = |setting| fs::read_to_string(Path::new("/proc/sys").join(setting));
    Ok([read("vm/overcommit_memory")?, read("kernel/panic")?, read("kernel/panic_on_oops")?])
}

/// The cgroups that this program has made, at the two depths there can be.
fn cgroups() -> io::Result<Vec<String>> {
    let own = format!("countersign-{}-", process::id());
    let mut found = Vec::new();
    for entry in fs::read_dir("/sys/fs/cgroup")? {
        let entry = entry?;
        let inner = fs::read_dir(entry.path()).into_iter().flatten().flatten().map(|inner| inner.file_name());
        let names = inner.chain([entry.file_name()]).map(|name| name.to_string_lossy().into_owned());
        found.extend(names.filter(|name| name.starts_with(&own)));
    }
    Ok(found)
}
