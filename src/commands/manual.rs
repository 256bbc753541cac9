//! `essor completions SHELL` and `essor man`.

use std::io::{self, Write};

use anyhow::Result;
use clap::CommandFactory;

use super::Outcome;
use crate::cli::Cli;

/// `essor completions`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  essor completions bash > ~/.local/share/bash-completion/completions/essor"
)]
pub struct CompletionArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Prints the completions of a shell.
pub fn completions(args: CompletionArgs) -> Result<Outcome> {
    // Gathered first: the generator panics where it can't write, as into a closed pipe.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "essor", &mut text);
    io::stdout().write_all(&text)?;
    Ok(Outcome::Done)
}

/// Prints the manual page, with a section for each command.
pub fn man() -> Result<Outcome> {
    let mut text = Vec::new();
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    for sub in command.get_subcommands() {
        let name = format!("essor {}", sub.get_name());
        let page = clap_mangen::Man::new(sub.clone().name(name.clone()));
        writeln!(text, ".SH \"{}\"", name.to_uppercase())?;
        page.render_description_section(&mut text)?;
        page.render_synopsis_section(&mut text)?;
        page.render_options_section(&mut text)?;
    }
    io::stdout().write_all(&text)?;
    Ok(Outcome::Done)
}
