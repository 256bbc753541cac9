//! `essor init`: makes a project.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Outcome;

/// `essor init`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  essor init my-messenger && cd my-messenger")]
pub struct Args {
    /// The folder to make; its name becomes the platform's
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The platform's name, where the folder is called otherwise
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
}

/// What a new project holds: the files' paths and texts.
const FILES: [(&str, &str); 7] = [
    ("essor.toml", include_str!("init/essor.toml")),
    ("data/README.md", include_str!("init/data.md")),
    ("data/disclosures.csv", include_str!("init/disclosures.csv")),
    ("queries/README.md", include_str!("../../queries/README.md")),
    (
        "queries/views/README.md",
        include_str!("../../queries/views/README.md"),
    ),
    (
        "queries/messages_by_weekday.sql",
        include_str!("init/messages_by_weekday.sql"),
    ),
    (".gitignore", "/.essor\n/essor.key\n"),
];

/// Makes a project: essor.toml, data/, queries/, reports/, with comments that teach.
pub fn run(args: Args, here: &Path) -> Result<Outcome> {
    let folder = here.join(&args.folder);
    if folder.join(crate::project::FILE).exists() {
        bail!(
            "`{}` is a project already; choose another folder",
            args.folder.display()
        );
    }
    let named = folder.file_name().map(|n| n.to_string_lossy().into_owned());
    let platform = args
        .platform
        .or(named)
        .unwrap_or_else(|| "My Messenger".to_owned());
    for (path, text) in FILES {
        let file = folder.join(path);
        if file.exists() {
            bail!(
                "`{}` is there already and would be overwritten; move it away",
                file.display()
            );
        }
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("can't make `{}`", parent.display()))?;
        }
        let text = text.replace(
            "\"PLATFORM\"",
            &toml::Value::from(platform.as_str()).to_string(),
        );
        fs::write(&file, text).with_context(|| format!("can't write `{}`", file.display()))?;
    }
    crate::pseudonym::Key::make(&folder)?;
    fs::create_dir_all(folder.join("reports")).context("can't make `reports`")?;
    let mut out = anstream::stdout();
    writeln!(out, "made a project in {}:", args.folder.display())?;
    writeln!(
        out,
        "  essor.toml   the platform, its rivals, how files are read"
    )?;
    writeln!(
        out,
        "  data/        your files, and disclosures.csv for what rivals say in public"
    )?;
    writeln!(out, "  queries/     your own questions, in SQL")?;
    writeln!(out, "  reports/     what `essor report` writes")?;
    writeln!(
        out,
        "  essor.key    what users' pseudonyms are made with: keep it, and keep it to yourself"
    )?;
    writeln!(
        out,
        "\nNext: put a daily file into data/ (date,messages,signups,dau,mau), then\n  cd {} && essor report YYYY-MM",
        args.folder.display()
    )?;
    Ok(Outcome::Done)
}
