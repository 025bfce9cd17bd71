//! `closte-sync man`: the manual pages, for whoever packs the program.

use std::path::PathBuf;

use clap::CommandFactory;
use engine::Failure;

use super::{Arguments, Exit};

/// Write the manual pages, one a command, into a folder
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder; it must exist
    folder: PathBuf,
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, Failure> {
        clap_mangen::generate_to(Arguments::command(), &self.folder).map_err(|error| {
            let what =
                format!("could not write manual pages into `{}`: {error}", self.folder.display());
            Failure::could_not(what).hint("name a folder that exists and that you may write to")
        })?;
        Ok(Exit::Done)
    }
}
