//! `mezhved schemas export`: the catalogue's schemas as files for other programs.
//!
//! Promises: writes every file or says which one it could not. Never: deletes anything.

use crate::catalogue::Catalogue;
use anyhow::Context as _;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Arguments of `mezhved schemas`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the schemas.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Write the JSON Schemas and XSDs of all message types
    Export {
        /// The folder to write to; it is made if it is missing
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// A folder of message types, <type>/<version>/, beside the built-in ones
        #[arg(long, value_name = "DIR")]
        catalogue: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// A faulty catalogue, or a file that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let Action::Export { folder, catalogue } = &args.action;
    let catalogue = match catalogue {
        Some(types) => Arc::new(Catalogue::load(types)?),
        None => Arc::clone(Catalogue::builtin()),
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let files = catalogue.export()?;
    for (name, text) in &files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    writeln!(out, "{} files written to {}", files.len(), folder.display())?;
    writeln!(out, "check XML:  xmllint --noout --schema {}/message.xsd FILE.xml", folder.display())?;
    writeln!(out, "check JSON: any JSON Schema 2020-12 validator with {}/message.schema.json", folder.display())?;
    Ok(ExitCode::SUCCESS)
}
