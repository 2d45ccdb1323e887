//! A file that is written once: never in the place of something else.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Why what was made is not where it was to go.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// There is a file already, and it says something else.
    #[error("{} is there already and says something else: remove it, or name another file", .0.display())]
    Occupied(PathBuf),

    /// It could not be written.
    #[error("failed to write to {to}")]
    Write {
        /// The file, or standard output.
        to: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Writes `text` to a file that is new or says the same already, or to standard output.
pub(super) fn write(output: Option<&Path>, text: &str) -> Result<(), OutputError> {
    let Some(path) = output else {
        let written = io::stdout().write_all(text.as_bytes());
        return written.map_err(|source| OutputError::Write { to: "standard output".to_owned(), source });
    };
    let failed = |source| OutputError::Write { to: path.display().to_string(), source };
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let is_same = fs::read(path).map_err(failed)? == text.as_bytes();
            return if is_same { Ok(()) } else { Err(OutputError::Occupied(path.to_owned())) };
        }
        Err(error) => return Err(failed(error)),
    };
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|source| {
        // Half a file would be in the way of the next attempt. That it cannot be removed either is no better news.
        let _ = fs::remove_file(path);
        failed(source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_never_in_the_place_of_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.yaml");
        write(Some(&path), "a\n").unwrap();
        write(Some(&path), "a\n").unwrap();
        assert!(matches!(write(Some(&path), "b\n"), Err(OutputError::Occupied(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\n");
        assert!(matches!(write(Some(directory.path()), "a\n"), Err(OutputError::Write { .. })));
        let link = directory.path().join("link.yaml");
        std::os::unix::fs::symlink(directory.path().join("elsewhere"), &link).unwrap();
        assert!(write(Some(&link), "a\n").is_err(), "nor through a link to nowhere");
    }
}
