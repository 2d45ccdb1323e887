//! `make bench`: countersign and kube-controller-manager on one API server, in one run.

fn main() {}
