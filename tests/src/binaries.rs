//! Where the programs under test are found.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// A program that `tests/controlplane/build.sh` builds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Binary {
    /// Prints a seeded corpus of CertificateSigningRequests, one a line.
    Corpus,
    /// The store behind the API server.
    Etcd,
    /// A container runtime without containers, for kubelets.
    FakeCri,
    /// The API server.
    KubeApiserver,
    /// What countersign replaces, and the oracle of the differential.
    KubeControllerManager,
    /// The command line of humans.
    Kubectl,
    /// The agent of a node.
    Kubelet,
    /// All there is in a container.
    Tiny,
}

impl Binary {
    /// The name of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Corpus => "corpus",
            Self::Etcd => "etcd",
            Self::FakeCri => "fakecri",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Kubelet => "kubelet",
            Self::Tiny => "tiny",
        }
    }

    /// Its path: in `$KUBEBUILDER_ASSETS` where that has it, else in `controlplane/bin` of the target directory.
    ///
    /// # Errors
    /// When it has not been built; the message says which command builds it.
    pub fn locate(self) -> Result<PathBuf> {
        let assets = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let built = target_directory()?.join("controlplane/bin");
        let found = assets.into_iter().chain([built]).map(|d| d.join(self.name())).find(|p| p.is_file());
        found.with_context(|| format!("{} has not been built: run `make controlplane` first", self.name()))
    }
}

/// The program `countersign`: `$COUNTERSIGN_BIN`, else the one cargo built beside this test.
///
/// # Errors
/// When neither exists.
pub fn countersign() -> Result<PathBuf> {
    let path = match env::var_os("COUNTERSIGN_BIN") {
        Some(path) => PathBuf::from(path),
        None => profile_directory()?.join("countersign"),
    };
    ensure!(path.is_file(), "no countersign at {}: run `cargo build` first", path.display());
    Ok(path)
}

/// The root of the workspace this crate was compiled in.
pub fn workspace() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// `target/<profile>`: programs are in it, test programs in its `deps`.
fn profile_directory() -> Result<PathBuf> {
    let this = env::current_exe().context("failed to find the path of this program")?;
    let mut directories = this.ancestors().skip(1).filter(|directory| !directory.ends_with("deps"));
    Ok(directories.next().context("this program is not in a target directory")?.to_owned())
}

fn target_directory() -> Result<PathBuf> {
    let profile = profile_directory()?;
    Ok(profile.parent().context("the target directory has no parent")?.to_owned())
}
