//! Against a name server on loopback.

use std::net::Ipv4Addr;

use countersign_e2e::dns::{Answer, NameServer};
use hickory_resolver::proto::rr::Name;

use super::*;

const NAME: &str = "a.example.com";

fn server() -> NameServer {
    NameServer::start(Ipv4Addr::LOCALHOST.into()).unwrap()
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

async fn resolution(answer: Answer) -> Resolution {
    let server = server();
    server.says(NAME, answer);
    Names::asking(&[server.address()]).resolve(NAME).await
}

#[tokio::test]
async fn a_name_has_its_addresses_of_both_versions() {
    for texts in [&["10.0.0.1"][..], &["fd00::1"], &["10.0.0.1", "10.0.0.2", "fd00::1"]] {
        let found = resolution(Answer::Addresses(addresses(texts))).await;
        assert_eq!(found, Resolution::Addresses(addresses(texts).into_iter().collect()));
    }
    let found = resolution(Answer::Addresses(addresses(&["::ffff:10.0.0.1"]))).await;
    assert_eq!(found, Resolution::Addresses(addresses(&["10.0.0.1"]).into_iter().collect()));
}

#[tokio::test]
async fn a_name_that_is_not_there_is_told_from_one_that_nobody_knows() {
    for (answer, expected) in [
        (Answer::NoSuchName, Resolution::NotFound),
        (Answer::Addresses(Vec::new()), Resolution::NotFound),
        (Answer::Failure, Resolution::Failed),
        (Answer::Refusal, Resolution::Failed),
        (Answer::Referral, Resolution::Failed),
        (Answer::OnlyOfVersion4(addresses(&["10.0.0.1"])), Resolution::Failed),
        (Answer::OnlyOfVersion4(Vec::new()), Resolution::Failed),
    ] {
        assert_eq!(resolution(answer.clone()).await, expected, "{answer:?}");
    }
}

/// Time stands still but for what is waited for.
#[tokio::test(start_paused = true)]
async fn silence_says_nothing_of_a_name() {
    assert_eq!(resolution(Answer::Silence).await, Resolution::Failed);
    assert_eq!(resolution(Answer::Garbage).await, Resolution::Failed);
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_server_nothing_is_known() {
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = nobody.local_addr().unwrap();
    drop(nobody);
    assert_eq!(Names::asking(&[at]).resolve(NAME).await, Resolution::Failed);
}

#[tokio::test]
async fn one_server_may_be_silent_where_there_is_another() {
    let (silent, good) = (server(), server());
    silent.says(NAME, Answer::Silence);
    good.says(NAME, Answer::Addresses(addresses(&["10.0.0.1"])));
    let found = Names::asking(&[silent.address(), good.address()]).resolve(NAME).await;
    assert_eq!(found, Resolution::Addresses(addresses(&["10.0.0.1"]).into_iter().collect()));
}

#[tokio::test]
async fn a_name_is_asked_for_as_it_is_and_anew_each_time() {
    let server = server();
    let names = Names::asking(&[server.address()]);
    assert_eq!(names.resolve("a").await, Resolution::NotFound);
    server.says("a", Answer::Addresses(addresses(&["10.0.0.1"])));
    assert_eq!(
        names.resolve("a").await,
        Resolution::Addresses(addresses(&["10.0.0.1"]).into_iter().collect())
    );
    assert!(server.asked().iter().all(|name| name == "a"), "{:?}", server.asked());
}

#[tokio::test]
async fn neither_a_search_list_nor_a_hosts_file_is_looked_at() {
    let server = server();
    for name in ["a.cluster.example", "a.svc.cluster.example"] {
        server.says(name, Answer::Addresses(addresses(&["10.96.0.1"])));
    }
    let (_, _, servers) = config(&[server.address()]).into_parts();
    let domain = |text: &str| Name::from_ascii(text).unwrap();
    let search = vec![domain("svc.cluster.example."), domain("cluster.example.")];
    let config = ResolverConfig::from_parts(Some(domain("cluster.example.")), search, servers);
    let names = Names::new(Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())));
    assert_eq!(names.resolve("a").await, Resolution::NotFound);

    let host = hosts_file_name().unwrap_or_else(|| "localhost.localdomain".to_owned());
    assert_eq!(names.resolve(&host).await, Resolution::NotFound);
    assert!(server.asked().iter().all(|name| name == "a" || *name == host), "{:?}", server.asked());
    assert!(server.asked().contains(&host), "{:?}", server.asked());
}

/// A name that the hosts file of this machine has an address for, beside `localhost`.
fn hosts_file_name() -> Option<String> {
    let text = std::fs::read_to_string("/etc/hosts").ok()?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut names = lines.flat_map(|line| line.split_whitespace().skip(1));
    names.find(|name| !name.starts_with("localhost")).map(str::to_lowercase)
}
