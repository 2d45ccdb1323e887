use super::*;
use crate::config::Problem;

fn args(line: &str) -> Args {
    let words = std::iter::once("countersign").chain(line.split(' ').filter(|word| !word.is_empty()));
    match parse(words.map(Into::into)) {
        Ok(Verb::Run(args)) => *args,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_line_that_begins_with_a_flag_is_one_of_run() {
    for line in ["run --kubeconfig=k", "--kubeconfig=k", "--kubeconfig k", "run --kubeconfig k"] {
        assert_eq!(args(line).kubeconfig.as_deref(), Some("k"), "{line}");
    }
}

#[test]
fn values_are_taken_in_every_spelling_of_upstreams_parser() {
    let rows = [
        ("--kubeconfig --leader-elect", "--leader-elect"),
        ("--kubeconfig -v", "-v"),
        ("--kubeconfig --", "--"),
        ("--kubeconfig=a=b", "a=b"),
        ("--kubeconfig=", ""),
        ("--kubeconfig=a --kubeconfig b", "b"),
    ];
    for (line, value) in rows {
        let args = args(&format!("run {line}"));
        assert_eq!(args.kubeconfig.as_deref(), Some(value), "{line}");
        assert_eq!(args.problems, [], "{line}");
    }
}

#[test]
fn a_boolean_stands_alone_or_has_its_value_behind_the_sign() {
    let rows = [
        ("", "true"),
        ("--leader-elect", "true"),
        ("--leader-elect=false", "false"),
        ("--leader-elect=F", "F"),
        ("--leader-elect=0 --leader-elect", "true"),
        ("--leader_elect=0", "0"),
    ];
    for (line, value) in rows {
        assert_eq!(args(&format!("run {line}")).leader_elect, value, "{line}");
    }
}

#[test]
fn underscores_in_names_are_dashes_and_in_values_are_kept() {
    let args = args("--cluster_signing-cert_file=/a_b --kubeconfig --x_y --concurrent_rc_syncs=1");
    assert_eq!(args.cluster_signing_cert_file.as_deref(), Some("/a_b"));
    assert_eq!(args.kubeconfig.as_deref(), Some("--x_y"));
    assert_eq!(args.ignored_flags, ["concurrent-rc-syncs"]);
}

#[test]
fn lists_add_up_and_replace_their_default() {
    assert_eq!(args("run").controllers, ["*"]);
    let args = args("--controllers=*,-ttl --controllers -csrsigning");
    assert_eq!(args.controllers, ["*,-ttl", "-csrsigning"]);
}

#[test]
fn flags_without_bearing_take_their_values_with_them_and_are_listed_once() {
    let args =
        args("--cluster-cidr --v --profiling false --profiling --cluster-cidr=x --feature-gates A=true -v 2");
    assert_eq!(args.ignored_flags, ["cluster-cidr", "profiling", "feature-gates"]);
    let arguments = vec!["false".to_owned()];
    assert_eq!(args.problems, [Problem::StrayArguments { arguments }]);
    assert_eq!(args.v, "2");
}

#[test]
fn every_flag_of_kube_controller_manager_is_accepted() {
    for flag in kcm_flags::KCM_FLAGS {
        let line = match flag.takes_value {
            true => format!("--{} value", flag.name),
            false => format!("--{}", flag.name),
        };
        let args = args(&line);
        assert_eq!(args.ignored_flags, [flag.name]);
        assert_eq!(args.problems, [], "{line}");
    }
}

#[test]
fn no_flag_of_ours_is_in_the_table_of_those_without_bearing() {
    let ours = run_command();
    for arg in ours.get_arguments().filter_map(clap::Arg::get_long) {
        assert_eq!(kcm_flags::find(arg), None);
    }
}

#[test]
fn every_flag_of_ours_has_its_variable() {
    for arg in run_command().get_arguments() {
        let flag = arg.get_long().expect("every flag has a long name");
        let variable = environment_variable(flag);
        assert_eq!(arg.get_env(), Some(variable.as_ref()), "{flag}");
    }
    assert_eq!(environment_variable("leader-elect"), "COUNTERSIGN_LEADER_ELECT");
}

#[test]
fn help_and_version_end_well_and_a_line_of_nothing_does_not() {
    let code = |line: &str| {
        let words = std::iter::once("countersign").chain(line.split_whitespace());
        parse(words.map(Into::into)).unwrap_err().exit_code()
    };
    for line in
        ["--help", "-h", "run -h", "run --kubeconfig=x --help", "--kubeconfig=x --version", "--version"]
    {
        assert_eq!(code(line), 0, "{line}");
    }
    for line in ["", "runn", "sing"] {
        assert_eq!(code(line), 2, "{line}");
    }
}

#[test]
fn the_command_is_well_formed() {
    command().debug_assert();
}

#[cfg(unix)]
#[test]
fn words_that_are_not_text_are_a_problem_like_any_other() {
    use std::os::unix::ffi::OsStringExt;
    let word = OsString::from_vec(b"--kubeconfig=\xff".to_vec());
    let Ok(Verb::Run(args)) = parse(["countersign".into(), word]) else {
        panic!("not a line of run");
    };
    let argument = "--kubeconfig=\u{fffd}".to_owned();
    assert_eq!(args.problems, [Problem::NotUnicode { argument }]);
}
