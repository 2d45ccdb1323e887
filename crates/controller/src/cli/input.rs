//! Files that a command is given: objects in YAML or JSON, and PEM.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It cannot be read.
    #[error("failed to read {}", path.display())]
    Unreadable {
        /// The file, or `-`.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },

    /// Longer than the objects of any cluster.
    #[error("{} is longer than 256 MiB", path.display())]
    TooLong {
        /// The file, or `-`.
        path: PathBuf,
    },

    /// Not JSON, though it begins as such.
    #[error("{} is not JSON", path.display())]
    Json {
        /// The file, or `-`.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },

    /// Neither JSON nor YAML.
    #[error("{} is not YAML: {reason}", path.display())]
    Yaml {
        /// The file, or `-`.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// No certificate in PEM.
    #[error("{} holds no certificate in PEM", path.display())]
    NoCertificate {
        /// The file, or `-`.
        path: PathBuf,
    },
}

/// An object in YAML or JSON.
///
/// # Errors
/// When it cannot be read as either.
pub fn object(path: &Path) -> Result<Value, InputError> {
    let (bytes, path) = (read(path)?, path.to_owned());
    if bytes.trim_ascii_start().starts_with(b"{") {
        return serde_json::from_slice(&bytes).map_err(|source| InputError::Json { path, source });
    }
    serde_saphyr::from_slice(&bytes).map_err(|error| InputError::Yaml { path, reason: error.to_string() })
}

/// The first certificate of a file, in DER.
///
/// # Errors
/// When there is none.
pub fn certificate(path: &Path) -> Result<Vec<u8>, InputError> {
    Ok(certificates(path)?.swap_remove(0))
}

/// Every certificate of a file, in DER; there is at least one.
///
/// # Errors
/// When there is none.
pub fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, InputError> {
    let bytes = read(path)?;
    let found = csr::pem::blocks(&bytes).filter(|block| block.label == b"CERTIFICATE");
    let certificates: Vec<_> = found.map(|block| block.contents.to_vec()).collect();
    if certificates.is_empty() {
        Err(InputError::NoCertificate { path: path.to_owned() })
    } else {
        Ok(certificates)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, InputError> {
    let unreadable = |source| InputError::Unreadable { path: path.to_owned(), source };
    let input: Box<dyn Read> = match path.as_os_str().as_encoded_bytes() {
        b"-" => Box::new(io::stdin()),
        _ => Box::new(File::open(path).map_err(unreadable)?),
    };
    let mut bytes = Vec::new();
    input.take(LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    match bytes.len() as u64 {
        ..=LIMIT => Ok(bytes),
        _ => Err(InputError::TooLong { path: path.to_owned() }),
    }
}

/// Room for the Nodes of the largest clusters.
const LIMIT: u64 = 256 << 20;
