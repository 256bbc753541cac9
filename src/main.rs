//! Parses, runs, prints the error and its hint, and exits.

use std::process::ExitCode;

use clap::Parser;
use essor::cli::Cli;
use essor::commands;
use essor::ingest::apart;
use tracing_subscriber::EnvFilter;

/// Bitmaps are large and short-lived: given back to the system and asked for again they cost more than
/// their unions.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Keeps memory that was freed for what is asked for next, which for bitmaps is at once. The option
/// stands at this place in mimalloc's list; the allocator reads it once, here.
fn keep_memory() {
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: sets a number in the allocator, before any thread but this one is there.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
}

fn main() -> ExitCode {
    keep_memory();
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == apart::WORD) {
        return apart::serve(words.next().as_deref());
    }
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("ESSOR_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match commands::run(cli) {
        Ok(outcome) => outcome.into(),
        Err(error) => commands::report_error(&error),
    }
}
