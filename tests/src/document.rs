//! Documents whose commands are played as they stand there.

use std::fs;

use anyhow::{Context as _, Result};

use crate::binaries;

/// A document, with the commands in it that have a name: blocks that begin with ` ```sh NAME `. Others are examples.
#[derive(Clone, Debug)]
pub struct Document {
    path: String,
    blocks: Vec<(String, String)>,
}

impl Document {
    /// Reads one of the repository's documents.
    ///
    /// # Errors
    /// When there is no such file, or a block has no end.
    pub fn open(path: &str) -> Result<Self> {
        let text = fs::read_to_string(binaries::workspace().join(path)).context(path.to_owned())?;
        let mut blocks = Vec::new();
        let mut rest = text.as_str();
        while let Some((_, block)) = rest.split_once("\n```sh ") {
            let (name, block) = block.split_once('\n').context("a document ends in a fence")?;
            let (commands, after) = block.split_once("```").with_context(|| format!("{name} has no end"))?;
            blocks.push((name.to_owned(), commands.to_owned()));
            rest = after;
        }
        Ok(Self { path: path.to_owned(), blocks })
    }

    /// The names of all commands, in order: a test plays them all, or the document drifts.
    pub fn names(&self) -> Vec<&str> {
        self.blocks.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The commands with this name.
    ///
    /// # Errors
    /// When there are none.
    pub fn commands(&self, name: &str) -> Result<&str> {
        let found = self.blocks.iter().find(|(known, _)| known == name);
        found
            .map(|(_, commands)| commands.as_str())
            .with_context(|| format!("{} has no commands {name:?}", self.path))
    }
}
