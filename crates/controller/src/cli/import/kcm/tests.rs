use std::path::Path;

use super::*;

fn made(text: &str, form: Form) -> Migration {
    kube_controller_manager(&Source::Text(text.to_owned()), form, "countersign:test").unwrap()
}

fn refusal(text: &str) -> String {
    let refused = kube_controller_manager(&Source::Text(text.to_owned()), Form::Manifest, "countersign:test");
    refused.expect_err(text).to_string()
}

const KUBEADM: &str = include_str!("goldens/kubeadm.in.yaml");
const LINE: &str = include_str!("goldens/line.in.sh");

#[test]
fn what_is_made_is_as_it_was_before() {
    for (name, input, form) in [
        ("kubeadm.manifest.yaml", KUBEADM, Form::Manifest),
        ("kubeadm.flags.sh", KUBEADM, Form::Flags),
        ("line.manifest.yaml", LINE, Form::Manifest),
        ("line.flags.sh", LINE, Form::Flags),
    ] {
        let found = made(input, form).text;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/import/kcm/goldens").join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, found).unwrap();
            continue;
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == golden, "{name}: BLESS=1 writes it\n{found}");
    }
}

#[test]
fn both_forms_have_the_flags_that_our_own_parser_accepted() {
    for input in [KUBEADM, LINE] {
        let (flags, manifest) = (made(input, Form::Flags), made(input, Form::Manifest));
        assert_eq!(flags.flags, manifest.flags);
        let of_script = words(&flags.text).unwrap();
        assert_eq!(of_script[..2], ["countersign", "run"]);
        assert_eq!(of_script[2..], flags.flags);
        let of_pod = container(&manifest.text, "countersign").unwrap().unwrap();
        assert_eq!(of_pod.words, of_script);
        let args = cli::run(flags.flags.iter().map(Into::into).collect()).unwrap();
        assert_eq!(args.ignored_flags, [""; 0], "nothing is carried over that has no effect");
        let config = Config::try_from(args).unwrap();
        assert!(
            !config.signing.is_empty() && config.duties.sign && config.duties.approve && config.duties.clean
        );
        assert_eq!(config.serving.unwrap().address.port(), 10270, "both run on one host");
    }
}

#[test]
fn every_flag_is_carried_over_or_explained() {
    let migration = made(KUBEADM, Form::Flags);
    let all = container(KUBEADM, "kube-controller-manager").unwrap().unwrap().words;
    for word in &all[1..] {
        let name = word.split('=').next().unwrap();
        let is_carried = migration.flags.contains(word);
        let is_explained = migration.remarks.iter().any(|remark| remark.setting == name);
        assert!((is_carried ^ is_explained) || name == "--controllers", "{word}");
    }
    let after = "*,bootstrapsigner,tokencleaner,-csrsigning,-csrapproving,-csrcleaner";
    assert_eq!(migration.change.after, after);
    assert!(migration.text.contains(&format!("- --controllers={after}")), "{}", migration.text);
}

#[test]
fn a_line_that_is_changed_already_gives_the_same_and_stays() {
    let change = made(KUBEADM, Form::Manifest).change;
    let changed = KUBEADM.replace(&change.before.unwrap(), &change.after);
    let again = made(&changed, Form::Manifest);
    assert!(again.change.is_done());
    assert_eq!(again.change.after, change.after);
    assert_eq!(again.flags, made(KUBEADM, Form::Manifest).flags, "we run all three all the same");
}

#[test]
fn files_are_mounted_from_where_they_are_on_the_host() {
    let moved = KUBEADM.replace("path: /etc/kubernetes/pki", "path: /srv/pki");
    let pod = container(&made(&moved, Form::Manifest).text, "countersign").unwrap().unwrap();
    let mounts = pod.mounts.iter().map(|mount| {
        let host = mount.host.as_ref().unwrap();
        (&*mount.path, &*host.path, host.is_file)
    });
    let conf = "/etc/kubernetes/controller-manager.conf";
    assert_eq!(mounts.collect::<Vec<_>>(), [(conf, conf, true), ("/etc/kubernetes/pki", "/srv/pki", false)]);
    let deeper = KUBEADM.replace("/etc/kubernetes/pki/ca.key", "/etc/kubernetes/pki/ca/ca.key");
    let pod = container(&made(&deeper, Form::Manifest).text, "countersign").unwrap().unwrap();
    assert!(pod.mounts.iter().any(|mount| mount.path == "/etc/kubernetes/pki/ca"), "{:?}", pod.mounts);
    let secret = KUBEADM
        .replace("hostPath:\n      path: /etc/kubernetes/pki\n      type: DirectoryOrCreate", "secret: {}");
    let said = |text: &str| {
        made(text, Form::Manifest).remarks.iter().any(|remark| remark.text.contains("no volume of the host"))
    };
    assert!(said(&secret) && !said(KUBEADM));
}

#[test]
fn what_is_missing_is_said() {
    let settings = |text: &str| {
        let remarks = made(text, Form::Manifest).remarks.into_iter();
        let other = remarks.filter(|remark| remark.difference == Difference::Other);
        other.map(|remark| remark.setting).collect::<Vec<_>>()
    };
    let missing = ["--cluster-signing-cert-file", "--use-service-account-credentials", "--kubeconfig"];
    assert_eq!(settings("--leader-elect=true"), missing);
    assert_eq!(settings(KUBEADM), ["--cluster-signing-cert-file"], "its whole directory");
    let closed = "--kubeconfig=/k --use-service-account-credentials --authorization-always-allow-paths=/x \
                  --cluster-signing-cert-file=/ca.crt --cluster-signing-key-file=ca.key";
    assert_eq!(settings(closed), ["--authorization-always-allow-paths"], "no probe would be let in");
}

#[test]
fn what_could_not_run_is_refused() {
    for (text, expected) in [
        ("", "no flag of kube-controller-manager is in it"),
        ("kube-controller-manager", "no flag of kube-controller-manager is in it"),
        ("--kubeconfig 'x", "a quote (') is opened and never closed"),
        (
            "kind: Pod\nspec: {containers: []}",
            "no object in it has a container called kube-controller-manager",
        ),
        ("kind: [", "not readable as YAML"),
        ("--cluster-signing-duration=1d", "countersign does not start with these flags either"),
    ] {
        let found = refusal(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn nothing_that_is_quoted_gets_out_of_its_place() {
    let hostile =
        ["--cluster-name=a\nkind: x", "--kubeconfig=/a\n/b'\"", "--nope\n=1", "--controllers=*,ttl\n- --x"];
    let words = hostile.map(str::to_owned).to_vec();
    for form in [Form::Flags, Form::Manifest] {
        let migration = kube_controller_manager(&Source::Words(words.clone()), form, "a\n  b: c").unwrap();
        let comments = migration.text.lines().take_while(|line| line.starts_with('#')).count();
        let rest: Vec<_> = migration.text.lines().skip(comments).collect();
        match form {
            Form::Flags => {
                assert_eq!(::config::import::words(&rest.join("\n")).unwrap()[2..], migration.flags)
            }
            Form::Manifest => {
                let pod: serde_json::Value = serde_saphyr::from_str(&rest.join("\n")).unwrap();
                assert_eq!(pod["kind"], "Pod");
                assert_eq!(pod["spec"]["containers"][0]["image"], "a\n  b: c");
            }
        }
    }
}
