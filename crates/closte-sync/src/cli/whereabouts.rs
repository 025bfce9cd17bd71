//! `closte-sync where`: which files are used.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Console, Context, Exit, Failure};

/// Say which files are used: wp-config.php, the settings and the ledger
///
/// Ends with 1 where wp-config.php cannot be read or the ledger cannot be kept
/// where it belongs, and says why. Opens no database and sends nothing.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

#[derive(Debug, Serialize)]
struct View {
    /// The version of this program.
    engine: &'static str,
    wp_config: Option<PathBuf>,
    /// The files that were read, the one that counts most last.
    settings: Vec<PathBuf>,
    ledger: Option<PathBuf>,
    /// What `ledger.url` may be set to so that it stays there.
    ledger_url: Option<String>,
    problem: Option<String>,
    hint: Option<String>,
}

impl Args {
    #[expect(clippy::unused_self, reason = "it has no arguments, as other commands do")]
    pub(super) fn run(self, context: &Context) -> Exit {
        let wiring = context.wiring();
        let wp = if wiring.is_remote() { Ok(None) } else { wiring.wp_config().map(Some) };
        let (wp_config, wp_problem) = match wp {
            Ok(wp) => (wp.map(|wp| absolute(&wp.path)), None),
            Err(failure) => (None, Some(failure)),
        };
        let (ledger, ledger_problem) = match wiring.ledger_path() {
            Ok(path) => {
                let problem = path.check_rights().err().map(Failure::from);
                (Some(path.file().to_owned()), problem)
            }
            Err(failure) => (None, Some(failure)),
        };
        let view = View {
            wp_config,
            settings: context.loaded.files.iter().map(|file| absolute(file)).collect(),
            ledger_url: ledger.as_ref().map(|file| format!("sqlite://{}", file.display())),
            ledger,
            ..View::of(wp_problem.or(ledger_problem).as_ref())
        };
        view.answer(context.console)
    }

    /// Say that the settings are of no use.
    #[expect(clippy::unused_self, reason = "only this command answers so")]
    pub(super) fn could_not_begin(&self, console: Console, failure: &Failure) -> Exit {
        View::of(Some(failure)).answer(console)
    }
}

impl View {
    /// Nothing but what is wrong, if anything.
    fn of(problem: Option<&Failure>) -> Self {
        let (problem, hint) = problem.map(Failure::in_one_line).unzip();
        Self {
            engine: env!("CARGO_PKG_VERSION"),
            wp_config: None,
            settings: Vec::new(),
            ledger: None,
            ledger_url: None,
            problem,
            hint: hint.flatten(),
        }
    }

    fn answer(&self, console: Console) -> Exit {
        if console.is_json() {
            console.json(self);
        } else {
            console.say(self.text());
        }
        if self.problem.is_none() { Exit::Done } else { Exit::No }
    }

    fn text(&self) -> String {
        let shown = |path: &Option<PathBuf>| {
            path.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string())
        };
        let settings: Vec<_> = self.settings.iter().map(|it| it.display().to_string()).collect();
        let settings = if settings.is_empty() { "none".to_owned() } else { settings.join(", ") };
        let mut text = format!(
            "wp-config.php: {}\nsettings: {settings}\nledger: {}\n",
            shown(&self.wp_config),
            shown(&self.ledger)
        );
        if let Some(problem) = &self.problem {
            let _ = writeln!(text, "problem: {problem}");
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "  hint: {hint}");
        }
        text
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
