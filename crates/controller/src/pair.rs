//! A certificate and its key as two files, read together and watched by reading them again.
//!
//! Polling sees what notifications miss: a mounted Secret is swapped by a symbolic link two directories up, and network and
//! overlay file systems send none at all. The content of both files is hashed as one, so a swap of one file after the
//! other shows as two states, of which the first does not fit together and is passed over.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use zeroize::Zeroizing;

/// More than any chain or key: a device file given by mistake must not fill the memory.
const LIMIT: u64 = 1 << 20;

/// Permission bits that let others than owner and group at the key, or the group write it. A group may read: it is how a
/// mounted Secret reaches a process that is not root.
const TOO_OPEN: u32 = 0o027;

/// Where a pair is.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PairFiles {
    /// The certificate's file.
    pub cert: PathBuf,
    /// The key's file. It may be the same one.
    pub key: PathBuf,
}

/// Which file of a pair.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The certificate.
    Certificate,
    /// The key.
    Key,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        })
    }
}

/// Why a pair cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// Missing, or not ours to read.
    #[error("failed to read the {part} file {}", path.display())]
    Unreadable {
        /// Which file.
        part: Part,
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Nothing in it, as for a moment when a file is written in place.
    #[error("the {part} file {} is empty", path.display())]
    Empty {
        /// Which file.
        part: Part,
        /// Where it is.
        path: PathBuf,
    },
    /// Far longer than a certificate or a key.
    #[error("the {part} file {} is longer than 1 MiB", path.display())]
    TooLong {
        /// Which file.
        part: Part,
        /// Where it is.
        path: PathBuf,
    },
}

impl PairError {
    /// Which file is at fault.
    #[must_use]
    pub fn part(&self) -> Part {
        match self {
            Self::Unreadable { part, .. } | Self::Empty { part, .. } | Self::TooLong { part, .. } => *part,
        }
    }
}

/// The bytes of a pair, wiped when it is dropped: the key may be in the certificate's file too.
pub struct Pair {
    /// What the certificate's file holds.
    pub cert: Zeroizing<Vec<u8>>,
    /// What the key's file holds.
    pub key: Zeroizing<Vec<u8>>,
    /// The permission bits of the key's file, when they are more open than they should be.
    pub too_open: Option<u32>,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("too_open", &self.too_open).finish_non_exhaustive()
    }
}

impl PairFiles {
    /// Reads both files, in which PEM is expected but not looked for. Blocks.
    ///
    /// # Errors
    /// When one of them cannot be read, is empty, or is absurdly long.
    pub fn read(&self) -> Result<Pair, PairError> {
        let (cert, _) = read(Part::Certificate, &self.cert)?;
        let (key, mode) = read(Part::Key, &self.key)?;
        let too_open = (mode & TOO_OPEN != 0).then_some(mode & 0o777);
        Ok(Pair { cert, key, too_open })
    }
}

fn read(part: Part, path: &Path) -> Result<(Zeroizing<Vec<u8>>, u32), PairError> {
    let unreadable = |source| PairError::Unreadable { part, path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    // Room for all of it from the start: a buffer that grows leaves copies of the key behind.
    let room = usize::try_from(metadata.len().min(LIMIT)).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() {
        0 => Err(PairError::Empty { part, path: path.to_owned() }),
        len if len as u64 > LIMIT => Err(PairError::TooLong { part, path: path.to_owned() }),
        _ => Ok((bytes, metadata.mode())),
    }
}

/// A pair of files, and what they held when last looked at.
#[derive(Debug)]
pub struct WatchedPair {
    files: PairFiles,
    seen: Option<[u8; 32]>,
}

impl WatchedPair {
    /// A pair that nobody has looked at.
    #[must_use]
    pub fn new(files: PairFiles) -> Self {
        Self { files, seen: None }
    }

    /// Where it is.
    #[must_use]
    pub fn files(&self) -> &PairFiles {
        &self.files
    }

    /// What the files hold, or why they cannot be read; `None` when that is the same as at the last look. Blocks.
    pub fn look(&mut self) -> Option<Result<Pair, PairError>> {
        let found = self.files.read();
        let hash = Some(fingerprint(&found));
        if self.seen == hash {
            return None;
        }
        self.seen = hash;
        Some(found)
    }
}

fn fingerprint(found: &Result<Pair, PairError>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    match found {
        Ok(pair) => {
            context.update(&pair.cert.len().to_be_bytes());
            context.update(&pair.cert);
            context.update(&pair.key);
        }
        Err(error) => context.update(error.to_string().as_bytes()),
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn pair(dir: &tempfile::TempDir) -> PairFiles {
        PairFiles { cert: dir.path().join("tls.crt"), key: dir.path().join("tls.key") }
    }

    fn write(files: &PairFiles, cert: &str, key: &str) {
        fs::write(&files.cert, cert).unwrap();
        fs::write(&files.key, key).unwrap();
        fs::set_permissions(&files.key, fs::Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn a_file_that_is_missing_empty_or_endless_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let files = pair(&dir);
        assert!(files.read().unwrap_err().to_string().ends_with("tls.crt"));
        write(&files, "cert", "");
        assert!(matches!(files.read(), Err(PairError::Empty { part: Part::Key, .. })));
        let endless = PairFiles { cert: files.cert.clone(), key: PathBuf::from("/dev/zero") };
        assert!(matches!(endless.read(), Err(PairError::TooLong { part: Part::Key, .. })));
        let directory = PairFiles { cert: dir.path().to_owned(), key: files.key };
        assert!(matches!(directory.read(), Err(PairError::Unreadable { part: Part::Certificate, .. })));
    }

    #[test]
    fn a_key_that_others_may_read_is_read_and_remarked_on() {
        let dir = tempfile::tempdir().unwrap();
        let files = pair(&dir);
        write(&files, "cert", "key");
        for (mode, too_open) in
            [(0o600, None), (0o400, None), (0o640, None), (0o644, Some(0o644)), (0o660, Some(0o660))]
        {
            fs::set_permissions(&files.key, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(files.read().unwrap().too_open, too_open, "{mode:o}");
        }
    }

    #[test]
    fn a_look_tells_only_what_is_new() {
        let dir = tempfile::tempdir().unwrap();
        let files = pair(&dir);
        write(&files, "cert", "key");
        let mut watched = WatchedPair::new(files.clone());
        assert!(watched.look().is_some_and(|found| found.is_ok()));
        assert!(watched.look().is_none());
        write(&files, "certk", "ey");
        assert!(watched.look().is_some(), "the same bytes, cut elsewhere");
        fs::remove_file(&files.key).unwrap();
        assert!(watched.look().is_some_and(|found| found.is_err()));
        assert!(watched.look().is_none(), "the same fault is told once");
        write(&files, "certk", "ey");
        assert!(watched.look().is_some_and(|found| found.is_ok()), "healed");
    }

    #[test]
    fn a_swap_of_the_directory_under_a_mounted_secret_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("..data");
        for (version, content) in [("..1", "one"), ("..2", "two")] {
            fs::create_dir(dir.path().join(version)).unwrap();
            let inside = dir.path().join(version);
            write(&PairFiles { cert: inside.join("tls.crt"), key: inside.join("tls.key") }, content, content);
        }
        std::os::unix::fs::symlink("..1", &data).unwrap();
        let files = PairFiles { cert: data.join("tls.crt"), key: data.join("tls.key") };
        let mut watched = WatchedPair::new(files);
        assert_eq!(*watched.look().unwrap().unwrap().cert, b"one");
        std::os::unix::fs::symlink("..2", dir.path().join("..new")).unwrap();
        fs::rename(dir.path().join("..new"), &data).unwrap();
        assert_eq!(*watched.look().unwrap().unwrap().cert, b"two");
    }

    #[test]
    fn a_key_is_not_printed() {
        let dir = tempfile::tempdir().unwrap();
        let files = pair(&dir);
        write(&files, "cert", "SECRET");
        let printed = format!("{:?}", files.read().unwrap());
        assert!(!printed.contains("SECRET") && !printed.contains("83, 69"), "{printed}");
    }
}
