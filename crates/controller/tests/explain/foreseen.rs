//! What the signer will say, said before.

use controller::explain::{Explanation, Outcome};
use time::Duration;

use crate::desk::{Desk, FACTS, NOW, Sample};

const CLIENT: &str = "kubernetes.io/kube-apiserver-client";

/// What a human sends for a client certificate of the cluster, which nobody approves by himself.
fn client() -> Sample {
    Sample { signer: CLIENT, usages: &["digital signature", "client auth"], ..Sample::foreign() }
}

fn approved(sample: Sample) -> Sample {
    sample.with("Approved", "KubectlApprove", "fine")
}

fn end(explanation: &Explanation) -> Option<&str> {
    explanation.preview.as_ref()?.not_after.as_deref()
}

#[test]
fn what_the_signer_will_refuse_is_approved_by_nobody() {
    let desk = Desk::new();
    for (sample, outcome, rule) in [
        (client(), Outcome::NoOpinion, "node-client/signer-name"),
        (
            Sample { usages: &["server auth"], ..client() },
            Outcome::NoOpinion,
            "kube-apiserver-client/permitted-usages",
        ),
        (
            Sample { usages: &["digital signature"], ..client() },
            Outcome::NoOpinion,
            "kube-apiserver-client/client-auth",
        ),
        (
            approved(Sample { usages: &["server auth"], ..client() }),
            Outcome::Fail,
            "kube-apiserver-client/permitted-usages",
        ),
        (
            approved(Sample { common_name: "worker-1", ..Sample::joining() }),
            Outcome::Fail,
            "kubelet-client/common-name",
        ),
    ] {
        let explanation = desk.explain(&sample, &[]);
        let advice = &explanation.advice;
        assert_eq!((advice.outcome, advice.rule), (outcome, Some(rule)), "{sample:?}");
        let is_sound = rule == "node-client/signer-name";
        assert_eq!((advice.approvable, advice.command.is_some()), (is_sound, is_sound), "{sample:?}");
        assert_eq!(advice.next_actor, if is_sound { "administrator" } else { "requester" }, "{sample:?}");
        assert_eq!(end(&explanation).is_some(), is_sound, "{sample:?}");
    }
}

#[test]
fn a_guard_on_subjects_is_foreseen_before_anybody_approves() {
    let desk = Desk::new();
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";
    let guard = "guards: {reservedSubjects: {enabled: true, groups: [developers]}}\n";
    std::fs::write(desk.path("guards.yaml"), format!("{head}{guard}")).unwrap();
    let config = format!("--config={}", desk.path("guards.yaml").display());
    let rule = "kube-apiserver-client/reserved-subject";
    for (sample, outcome) in [(client(), Outcome::NoOpinion), (approved(client()), Outcome::Fail)] {
        let explanation = desk.explain(&sample, &[&config]);
        let advice = &explanation.advice;
        assert_eq!((advice.outcome, advice.rule), (outcome, Some(rule)));
        assert!(!advice.approvable && advice.command.is_none() && end(&explanation).is_none());
        assert!(explanation.text(false).contains("the reserved group \"developers\""));
        let other = desk.explain(&Sample { organization: "testers", ..sample }, &[&config]);
        assert!(end(&other).is_some_and(|_| other.text(false).contains(&format!("pass         {rule}"))));
    }
}

#[test]
fn a_guard_on_nodes_is_explained_as_far_as_files_tell() {
    let desk = Desk::new();
    let head = "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\n";
    std::fs::write(desk.path("guards.yaml"), format!("{head}guards: {{nodeTakeover: {{enabled: true}}}}\n"))
        .unwrap();
    let config = format!("--config={}", desk.path("guards.yaml").display());
    let allowed = "--allowed=nodeclient";
    let there = desk.explain(&Sample::joining(), &[&config, allowed, FACTS]);
    assert_eq!((there.advice.outcome, there.advice.rule), (Outcome::NotKnown, Some("node-client/takeover")));
    let new = Sample { common_name: "system:node:new", ..Sample::joining() };
    assert_eq!(desk.explain(&new, &[&config, allowed, FACTS]).advice.outcome, Outcome::Approve);
    let nobody = Sample { common_name: "system:node:worker-1/status", ..Sample::joining() };
    let held = desk.explain(&nobody, &[&config, allowed, FACTS]);
    assert_eq!((held.advice.outcome, held.advice.rule), (Outcome::Hold, Some("node-client/node-name")));
    assert_eq!(held.advice.command, None);

    let group = "--insecure-experimental-approve-all-kubelet-csrs-for-group=system:bootstrappers";
    let member = desk.explain(&Sample::joining(), &["--allowed=none", group]);
    assert_eq!((member.advice.outcome, member.advice.rule), (Outcome::Approve, Some("node-client/group")));
}

#[test]
fn what_the_signer_cannot_do_is_said_to_whoever_can_mend_it() {
    let desk = Desk::new();
    let expired = desk.ca_until(NOW - Duration::days(1));
    for (sample, flag, actor, words) in [
        (Sample { is_forged: true, ..client() }, "", "requester", "Ed25519 verification failure"),
        (
            Sample { signer: "kubernetes.io/legacy-unknown", usages: &["telepathy"], ..client() },
            "",
            "requester",
            "telepathy",
        ),
        (client(), &*expired, "operator", "the signer has expired"),
    ] {
        let flags: Vec<_> = [flag].into_iter().filter(|flag| !flag.is_empty()).collect();
        for (sample, outcome) in [(sample.clone(), Outcome::NoOpinion), (approved(sample), Outcome::Hold)] {
            let explanation = desk.explain(&sample, &flags);
            let advice = &explanation.advice;
            assert_eq!(
                (advice.outcome, advice.next_actor, advice.approvable),
                (outcome, actor, false),
                "{words}"
            );
            assert!(advice.remedy.contains(words) && advice.command.is_none(), "{advice:?}");
            assert_eq!(end(&explanation), None, "{words}");
        }
    }
}

#[test]
fn the_end_of_a_certificate_is_the_signers() {
    let desk = Desk::new();
    let near = desk.ca_until(NOW + Duration::hours(3));
    let day: &str = "--cluster-signing-duration=24h";
    for (lasting, flags, end, limit) in [
        (None, &[][..], "2027-11-22T07:55:00Z", "no lifetime is asked for: --cluster-signing-duration"),
        (None, &[day], "2026-11-23T07:55:00Z", "no lifetime is asked for: --cluster-signing-duration"),
        (Some(172_800), &[day], "2026-11-23T07:55:00Z", "longer is asked for: --cluster-signing-duration"),
        (Some(3600), &[day], "2026-11-22T09:00:00Z", "as asked for"),
        (Some(60), &[day], "2026-11-22T08:10:00Z", "shorter is asked for than any certificate lasts"),
    ] {
        let explanation = desk.explain(&Sample { lasting, ..client() }, flags);
        assert_eq!(self::end(&explanation), Some(end), "{lasting:?} {flags:?}");
        let expected = format!("{limit}, unless its CA expires before");
        assert_eq!(explanation.preview.unwrap().limit, expected, "{lasting:?} {flags:?}");
    }
    let explanation = desk.explain(&client(), &[&near]);
    assert_eq!(end(&explanation), Some("2026-11-22T11:00:00Z"));
    assert_eq!(explanation.preview.unwrap().limit, "when its CA does");
}

#[test]
fn of_what_is_held_or_another_signers_nothing_is_foreseen() {
    let desk = Desk::new();
    for sample in [Sample::foreign(), approved(Sample::foreign()), Sample::joining()] {
        assert!(desk.explain(&sample, &["--allowed=none"]).preview.is_none(), "{sample:?}");
    }
}

#[test]
fn a_configured_signers_profile_is_foreseen_too() {
    let desk = Desk::new();
    let config = format!("--config={}", desk.path("countersign.yaml").display());
    let rest = "certificateAuthority: {certificate: c, key: k}\n  subject: {attributes: {commonName: pass, organization: pass}}\n  \
                lifetime: {max: 1h}";
    for (usages, failed, limit) in [
        (
            "[client auth]",
            None,
            "no lifetime is asked for: the signer's in the configuration file, unless its CA expires before",
        ),
        ("[server auth]", Some("profile/usages"), ""),
    ] {
        let text = format!(
            "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nsigners:\n- name: example.com/vpn\n  usages: {usages}\n  \
             {rest}\n"
        );
        std::fs::write(desk.path("countersign.yaml"), text).unwrap();
        let explanation = desk.explain(&Sample::foreign().with("Approved", "ByHand", ""), &[&config]);
        let preview = explanation.preview.unwrap();
        let found = preview.findings.iter().find(|found| found.holds == Some(false)).map(|found| found.rule);
        assert_eq!((found, preview.limit.as_str()), (failed, limit));
    }
}
