//! Effects that need no API server: decide and sign.

use std::sync::Arc;

use approver::{Answer as Known, Question, Recognizer, Verdict};
use controller::executor::{Effect, Outcome};
use controller::policy::Policy;
use csr::{ConditionType, IssuedCertificate};
use serde_json::json;

use crate::api::{Answer, Api};
use crate::objects::{decoded, object, policy, request};
use crate::{Comes, comes_to, executor, fixed};

const NODE: &str = "system:node:n";

async fn execute(effect: Effect, policy: Policy) -> Outcome {
    let (api, caller) = Api::answering(Answer::Silence);
    let outcome = executor(caller, fixed(policy)).0.execute(effect).await;
    assert_eq!(api.asked(), []);
    outcome
}

async fn decide(answers: &[(Recognizer, Verdict)]) -> Outcome {
    let object = decoded(&object(&request(NODE), false));
    let requester = Arc::clone(&object.spec().requester);
    let answer = |(recognizer, verdict): &(Recognizer, Verdict)| {
        let permission = approver::Permission { requester: Arc::clone(&requester), recognizer: *recognizer };
        (Question::Review(permission), Known::Review(*verdict))
    };
    let answers = answers.iter().map(answer).collect();
    execute(Effect::Decide { object, answers }, Policy::default()).await
}

#[tokio::test]
async fn a_decision_asks_then_approves_or_holds() {
    use Recognizer::{NodeClient, SelfNodeClient};
    use Verdict::{Allowed, NotAllowed};
    assert!(matches!(decide(&[]).await, Outcome::Asks(questions) if questions.len() == 1));
    let approved = decide(&[(SelfNodeClient, Allowed)]).await;
    let Outcome::Approves(condition) = approved else { panic!("{approved:?}") };
    assert_eq!((condition.kind, condition.reason), (ConditionType::Approved, "AutoApproved"));
    assert!(matches!(decide(&[(SelfNodeClient, NotAllowed)]).await, Outcome::Asks(_)));
    let held = decide(&[(SelfNodeClient, NotAllowed), (NodeClient, NotAllowed)]).await;
    assert!(matches!(held, Outcome::Holds { on, .. } if on.len() == 2));
}

#[tokio::test]
async fn what_cannot_be_read_is_left_to_others() {
    let long = "garbage".repeat(10_000);
    for pem in [
        "",
        "garbage",
        &long,
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    ] {
        let object = decoded(&object(pem, false));
        let outcome = execute(Effect::Decide { object, answers: Vec::new() }, Policy::default()).await;
        assert_eq!(comes_to(&outcome), Comes::To("no_opinion"), "{pem}");
    }
}

#[tokio::test]
async fn an_approved_request_is_signed_with_the_policy_of_the_moment() {
    let outcome =
        execute(Effect::Sign { object: decoded(&object(&request(NODE), true)), answers: vec![] }, policy())
            .await;
    let Outcome::Signed(pem) = outcome else { panic!("{outcome:?}") };
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, pem);
    assert!(matches!(IssuedCertificate::from_base64(&encoded), IssuedCertificate::NotAfter(_)));
}

#[tokio::test]
async fn a_request_that_is_wrong_is_rejected_with_upstreams_condition() {
    let before = time::OffsetDateTime::now_utc();
    let outcome = execute(
        Effect::Sign { object: decoded(&object(&request("alice"), true)), answers: vec![] },
        policy(),
    )
    .await;
    let Outcome::Rejected { condition, rejection } = outcome else { panic!("{outcome:?}") };
    assert_eq!((condition.kind, condition.reason), (ConditionType::Failed, "SignerValidationFailure"));
    assert_eq!(rejection, "common_name");
    assert_eq!(condition.message, "subject common name does not begin with system:node:");
    assert!(condition.last_update_time.is_some_and(|at| at >= before));
}

#[tokio::test]
async fn what_is_our_failure_is_tried_again_and_says_nothing_to_the_requester() {
    let approved = object(&request(NODE), true);
    let mut unknown_usage = approved.clone();
    unknown_usage["spec"]["signerName"] = json!("kubernetes.io/legacy-unknown");
    for (what, object, policy) in [
        ("unreadable", object("garbage", true), policy()),
        ("nobody signs for it", approved, Policy::default()),
        ("another signer", unknown_usage, policy()),
        ("not approved", object(&request(NODE), false), policy()),
    ] {
        let outcome = execute(Effect::Sign { object: decoded(&object), answers: vec![] }, policy).await;
        assert_eq!(comes_to(&outcome), Comes::NotDone, "{what}");
    }
}

/// Nothing follows the cluster in these tests, so its indexes say that nothing is known; whoever takes an answer that was found
/// before in place of theirs approves and signs.
#[tokio::test]
async fn an_answer_of_the_indexes_is_of_the_moment_it_is_used() {
    let mut params = rcgen::CertificateParams::new(["n".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "system:nodes");
    params.distinguished_name.push(rcgen::DnType::CommonName, NODE);
    let pem = params.serialize_request(&rcgen::KeyPair::generate().unwrap()).unwrap().pem().unwrap();
    for approved in [false, true] {
        let mut object = object(&pem, approved);
        object["spec"]["signerName"] = json!(csr::SignerName::KUBELET_SERVING);
        object["spec"]["usages"] = json!(["digital signature", "server auth"]);
        let object = decoded(&object);
        let name = approver::San::dns("n").unwrap();
        let node = approver::Node { addresses: [name.clone()].into(), listed: 1, is_control_plane: false };
        let requester = Arc::clone(&object.spec().requester);
        let permission = approver::Permission { requester, recognizer: Recognizer::SelfNodeServer };
        let answers = vec![
            (Question::Review(permission), Known::Review(Verdict::Allowed)),
            (Question::Node("n".into()), Known::Node(Some(Arc::new(node)))),
            (Question::Claims(name), Known::Claims(Arc::default())),
        ];
        let serving = config::Configuration {
            kubelet_serving: Some(config::KubeletServing::default()),
            ..Default::default()
        };
        let policy = Policy {
            approval: serving.approval(),
            kubelet_serving: serving.kubelet_serving.map(Arc::new),
            ..policy()
        };
        let effect = match approved {
            false => Effect::Decide { object, answers },
            true => Effect::Sign { object, answers },
        };
        let outcome = execute(effect, policy).await;
        let Outcome::Holds { rule, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(rule.id, "kubelet-serving/facts", "approved: {approved}");
    }
}
