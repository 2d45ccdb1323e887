//! What others keep in an object's metadata survives every write of ours.

use countersign_e2e::approval::{self, Verdict};
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::requests::{self, Draft};
use countersign_e2e::{Shared, TestResult};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource as _};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn it_survives_approval_and_signing() -> TestResult {
    let cluster = Shared::cluster().await?;
    survives(&cluster.admin().await?, requests::kubelet_client("kept")?, Outcome::Issued).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_survives_failure() -> TestResult {
    let cluster = Shared::cluster().await?;
    let draft = requests::user("kept")?.usages(&["client auth", "code signing"]);
    survives(&cluster.admin().await?, draft, Outcome::Failed).await
}

async fn survives(admin: &Client, mut draft: Draft, outcome: Outcome) -> TestResult {
    decorate(&mut draft.object.metadata, owner(admin).await?);
    let name = draft.create(admin).await?;
    if outcome == Outcome::Failed {
        approval::decide(admin, &name, Verdict::Approved).await?;
    }
    let done = outcome::reached(admin, &name, outcome).await?.metadata;
    let asked = draft.object.metadata;
    assert_eq!(done.labels, asked.labels);
    assert_eq!(done.annotations, asked.annotations);
    assert_eq!(done.finalizers, asked.finalizers);
    assert_eq!(done.owner_references, asked.owner_references);
    // Without this the object outlives the test that deletes it.
    let patch = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
    let objects = Api::<CertificateSigningRequest>::all(admin.clone());
    objects.patch(&name, &PatchParams::default(), &patch).await?;
    Ok(())
}

fn decorate(metadata: &mut ObjectMeta, owner: OwnerReference) {
    metadata.labels = Some([("example.com/team".to_owned(), "a".to_owned())].into());
    let note = ("example.com/note".to_owned(), "ä \"quoted\" \u{1f511} {}".to_owned());
    metadata.annotations = Some([note].into());
    metadata.finalizers = Some(vec!["example.com/kept".to_owned()]);
    metadata.owner_references = Some(vec![owner]);
}

/// A reference to an object that exists, so that no garbage collector would mind.
async fn owner(admin: &Client) -> anyhow::Result<OwnerReference> {
    let maps = Api::<ConfigMap>::namespaced(admin.clone(), "default");
    let metadata = ObjectMeta { generate_name: Some("owner-".to_owned()), ..Default::default() };
    let map = ConfigMap { metadata, ..Default::default() };
    let owner = maps.create(&PostParams::default(), &map).await?;
    owner.owner_ref(&()).ok_or_else(|| anyhow::anyhow!("an owner without a name"))
}
