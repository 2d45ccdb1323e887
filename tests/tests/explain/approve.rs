//! `countersign approve`: the very request that was explained, and no other.

use anyhow::{Context as _, Result};
use countersign_e2e::nodes::on_own_cluster;
use countersign_e2e::outcome::{self, Outcome};
use countersign_e2e::{TestResult, requests};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::Api;
use kube::api::DeleteParams;
use serde_json::Value;

use crate::scene::{Scene, run, text};

/// A request that may be approved by hand, with the command that does it, as `explain` prints it.
struct Looked {
    name: String,
    uid: String,
    digest: String,
}

impl Looked {
    /// What `explain` says of a request.
    fn at(scene: &Scene<'_>, name: &str) -> Result<Self> {
        let explained: Value = serde_json::from_str(&text(&scene.explain(name, &["--output=json"])?)?)?;
        let field = |key: &str| explained[key].as_str().map(str::to_owned).context("a text");
        Ok(Self { name: name.to_owned(), uid: field("uid")?, digest: field("requestDigest")? })
    }

    fn words(&self) -> [String; 4] {
        let (uid, digest) = (format!("--uid={}", self.uid), format!("--digest={}", self.digest));
        ["approve".to_owned(), self.name.clone(), uid, digest]
    }

    /// The exit code of the approval, and what was said.
    fn approve(&self, scene: &Scene<'_>) -> Result<(Option<i32>, String)> {
        let words = self.words();
        let words: Vec<_> = words.iter().map(String::as_str).chain([scene.kubeconfig.as_str()]).collect();
        let output = run(&words)?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8(said)?))
    }
}

#[test]
fn what_explain_prints_approves_what_it_has_explained() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        let admin = cluster.admin().await?;
        let name = requests::user("jane")?.named("jane").create(&admin).await?;
        let explained: Value = serde_json::from_str(&text(&scene.explain(&name, &["--output=json"])?)?)?;
        let printed = explained["command"].as_str().context("a command")?;
        let words: Vec<_> = printed.split(' ').skip(1).chain([scene.kubeconfig.as_str()]).collect();
        let output = run(&words)?;
        assert_eq!(output.status.code(), Some(0), "{output:?}");

        let approved = outcome::reached(&admin, &name, Outcome::Approved).await?;
        let condition = outcome::condition(&approved, "Approved").context("no approval")?;
        assert_eq!(condition.reason.as_deref(), Some("ApprovedByOperator"));
        let (code, said) = Looked::at(&scene, &name)?.approve(&scene)?;
        assert_eq!(code, Some(2), "it is approved already: {said}");
        Ok(())
    })
}

#[test]
fn an_object_that_has_taken_anothers_name_is_not_approved() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        let admin = cluster.admin().await?;
        let objects: Api<CertificateSigningRequest> = Api::all(admin.clone());
        let draft = requests::user("jane")?.named("jane");
        let name = draft.create(&admin).await?;
        let looked = Looked::at(&scene, &name)?;
        objects.delete(&name, &DeleteParams::default()).await?;
        assert_eq!(looked.approve(&scene)?.0, Some(3), "there is none of this name");

        draft.create(&admin).await?;
        let (code, said) = looked.approve(&scene)?;
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("it is another object, with uid"), "{said}");
        let uid = Looked::at(&scene, &name)?.uid;
        let other_request = Looked { uid, digest: "00".to_owned(), ..looked };
        let (code, said) = other_request.approve(&scene)?;
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("it holds another request"), "{said}");
        assert_eq!(Outcome::of(&objects.get(&name).await?), Outcome::Pending);
        Ok(())
    })
}

#[test]
fn what_is_held_for_a_name_or_an_identity_is_refused() -> TestResult {
    on_own_cluster(async |cluster| {
        let scene = Scene::start(cluster).await?;
        let admin = cluster.admin().await?;
        let objects: Api<CertificateSigningRequest> = Api::all(admin.clone());
        let names = [
            scene.asks("reserved", &["10.96.0.1"]).await?,
            scene.asks("fine", &["good"]).await?,
            requests::user("system:kube-scheduler")?.named("identity").create(&admin).await?,
            requests::kubelet_client("good")?.named("node").create(&admin).await?,
            requests::user("odd")?.named("odd").usages(&["server auth"]).create(&admin).await?,
        ];
        for name in names {
            let (code, said) = Looked::at(&scene, &name)?.approve(&scene)?;
            assert_eq!(code, Some(2), "{name}: {said}");
            assert!(said.contains("Outcome:") && !said.contains("countersign approve"), "{name}: {said}");
            assert_eq!(Outcome::of(&objects.get(&name).await?), Outcome::Pending, "{name}");
        }
        Ok(())
    })
}
