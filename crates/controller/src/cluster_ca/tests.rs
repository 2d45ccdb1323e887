use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::*;

/// A CA of this name, made by another one or by itself.
fn authority(name: &str, issuer: Option<&Issuer<'_, KeyPair>>) -> (Arc<CertificateAuthority>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let params = params(name);
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    let pem = key.serialize_pem();
    (Arc::new(CertificateAuthority::from_pem(certificate.pem().as_bytes(), pem.as_bytes()).unwrap()), key)
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn configuration(allow: bool) -> Configuration {
    let text = format!(
        "apiVersion: countersign.dev/v1alpha1\nkind: CountersignConfiguration\nsigners:\n- name: example.com/a\n  \
         certificateAuthority: {{certificate: c, key: k}}\n  usages: [client auth]\n  allowClusterCA: {allow}\n"
    );
    ::config::parse(&text).unwrap()
}

#[test]
fn a_signer_signs_only_with_a_ca_that_the_cluster_does_not_trust() {
    let (own, _) = authority("own", None);
    let (cluster, cluster_key) = authority("kubernetes", None);
    let issuer = Issuer::new(params("kubernetes"), cluster_key);
    let (below, _) = authority("below", Some(&issuer));
    let (of_the_same_name, _) = authority("kubernetes", None);
    let known = |authority: &Arc<CertificateAuthority>| {
        Some(Arc::new(BTreeSet::from([authority.certificate_der().to_vec()])))
    };
    let built_in = SignerName::from(SignerName::KUBE_APISERVER_CLIENT);
    let rows = [
        ("another", &own, None, known(&cluster), None),
        ("the client CA", &cluster, None, known(&cluster), Some(Clash::Shared)),
        ("a CA below the client CA", &below, None, known(&cluster), Some(Clash::Shared)),
        ("one that has but its name", &of_the_same_name, None, known(&cluster), None),
        ("a built-in signer's", &own, Some(&own), known(&cluster), Some(Clash::Shared)),
        ("a built-in signer's, and nothing is known yet", &own, Some(&own), None, Some(Clash::Shared)),
        ("nothing is known yet", &own, None, None, Some(Clash::Unknown)),
        (
            "something unreadable is trusted",
            &own,
            None,
            Some(Arc::new([vec![0]].into())),
            Some(Clash::Shared),
        ),
    ];
    for (what, custom, also_built_in, cluster, expected) in rows {
        let name = SignerName::from("example.com/a");
        let mut authorities: Authorities = [(name.clone(), Arc::clone(custom))].into();
        authorities.extend(also_built_in.map(|authority| (built_in.clone(), Arc::clone(authority))));
        let found = clashes(&configuration(false), &authorities, cluster.as_ref());
        assert_eq!(found.get(&name).copied(), expected, "{what}");
        assert_eq!(clashes(&configuration(true), &authorities, cluster.as_ref()), BTreeMap::new(), "{what}");
    }
}
