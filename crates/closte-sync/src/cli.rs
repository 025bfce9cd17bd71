//! The command line: a file a command, one line for each below.
//!
//! stdout is data, stderr is talk. Exit codes: 0 done, 1 the answer is no or a
//! person is needed, 2 could not answer, 3 (of `explain`) wait.

mod apply;
mod checks;
mod completions;
mod config;
mod console;
#[cfg(feature = "sandbox")]
mod demo;
mod disable;
mod doctor;
mod domains;
mod enable;
mod errand;
mod explain;
#[cfg(feature = "man")]
mod man;
mod plan;
mod plugin;
mod receivers;
mod report;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod setup;
mod status;
mod suggest;
mod sync;
mod test_connection;
mod whereabouts;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use rules::plain;

use tracing::Level;

use crate::config::{Environment, Loaded, Origin};
use crate::wiring::{Caller, Wiring};
pub(crate) use console::Console;
use engine::{Exit, Failure};

/// Keep the domains of a WordPress multisite network in step with Closte
///
/// On Closte nothing has to be set: run `closte-sync sync` in the folder of
/// WordPress. `closte-sync doctor` says what is missing elsewhere.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Args, Debug)]
struct Global {
    /// Where wp-config.php is
    #[arg(long, global = true, value_name = "FILE")]
    wp_config: Option<String>,

    /// Read this settings file and no other
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Set any setting, such as `--set checks.interval=10m`
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,

    /// How to answer
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,

    /// Leave the process that starts this one, and keep the secret shared with the plugin in order:
    /// for the plugin, which carries this program
    #[arg(long, global = true, hide = true)]
    carried: bool,
}

impl Arguments {
    /// Whether the plugin inside WordPress starts this process.
    pub(crate) fn is_carried(&self) -> bool {
        self.global.carried
    }
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For scripts
    Json,
}

#[derive(Subcommand, Debug)]
enum Command {
    Sync(sync::Args),
    Run(run::Args),
    Plan(plan::Args),
    Apply(apply::Args),
    Status(status::Args),
    Explain(explain::Args),
    Domains(domains::Args),
    Suggest(suggest::Args),
    TestConnection(test_connection::Args),
    Enable(enable::Args),
    Disable(disable::Args),
    Plugin(plugin::Args),
    Notify(receivers::Args),
    Doctor(doctor::Args),
    Setup(setup::Args),
    Config(config::Args),
    Where(whereabouts::Args),
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::Args),
    #[cfg(feature = "sandbox")]
    Demo(demo::Args),
    Completions(completions::Args),
    #[cfg(feature = "man")]
    #[command(hide = true)]
    Man(man::Args),
}

/// The exit code of a command that ended so.
pub(crate) fn code(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::No => 1,
        Exit::CouldNot => 2,
        Exit::Wait => 3,
    }
}

/// What every command is given.
pub(crate) struct Context {
    pub(crate) console: Console,
    pub(crate) loaded: Loaded,
    pub(crate) environment: Environment,
    caller: Caller,
    only: Option<PathBuf>,
    flags: Vec<(String, String)>,
}

impl Context {
    /// The settings as they are now.
    fn load_again(&self) -> Result<Loaded, Failure> {
        load(&self.environment, self.only.clone(), &self.flags)
    }

    /// The adapters, as the settings say.
    pub(crate) fn wiring(&self) -> Wiring<'_> {
        Wiring::new(&self.loaded, &self.environment, &self.caller)
    }
}

/// Run the command and say how it ended.
pub(crate) async fn run(arguments: Arguments, environment: Environment) -> Exit {
    let Arguments { global, command } = arguments;
    let console = Console::new(global.output, &environment);
    let mut flags = global.set;
    flags.extend(global.wp_config.map(|path| ("network.wp_config".to_owned(), path)));
    let loaded = match load(&environment, global.config.clone(), &flags) {
        Ok(loaded) => loaded,
        Err(failure) => return command.could_not_begin(console, &failure),
    };
    log_to_stderr(command.log_level(&loaded), loaded.settings.log_json);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let caller = command.caller(Caller { is_plugin: global.carried, ..Caller::default() });
    let context = Context { console, loaded, environment, caller, only: global.config, flags };
    match Box::pin(command.run(context)).await {
        Ok(exit) => exit,
        Err(failure) => console.fail(&failure),
    }
}

fn load(
    environment: &Environment,
    only: Option<PathBuf>,
    flags: &[(String, String)],
) -> Result<Loaded, Failure> {
    crate::config::load(environment, only, flags).map_err(|error| {
        let hint = error.hint();
        Failure::could_not(error).hint(hint)
    })
}

impl Command {
    async fn run(self, context: Context) -> Result<Exit, Failure> {
        let context = match self {
            Self::Run(args) => return Box::pin(args.run(context)).await,
            _ => &context,
        };
        match self {
            Self::Run(_) => unreachable!("it has returned"),
            Self::Sync(args) => args.run(context).await,
            Self::Plan(args) => args.run(context).await,
            Self::Apply(args) => args.run(context).await,
            Self::Status(args) => args.run(context).await,
            Self::Explain(args) => args.run(context).await,
            Self::Domains(args) => args.run(context).await,
            Self::Suggest(args) => args.run(context).await,
            Self::TestConnection(args) => args.run(context).await,
            Self::Enable(args) => args.run(context).await,
            Self::Disable(args) => args.run(context).await,
            Self::Plugin(args) => args.run(context).await,
            Self::Notify(args) => args.run(context).await,
            Self::Doctor(args) => args.run(context).await,
            Self::Setup(args) => args.run(context).await,
            Self::Config(args) => args.run(context).await,
            Self::Where(args) => Ok(args.run(context)),
            #[cfg(feature = "sandbox")]
            Self::Sandbox(args) => args.run(context).await,
            #[cfg(feature = "sandbox")]
            Self::Demo(args) => args.run(context).await,
            Self::Completions(args) => Ok(args.run(context)),
            #[cfg(feature = "man")]
            Self::Man(args) => args.run(),
        }
    }

    /// Say why the settings are of no use.
    fn could_not_begin(&self, console: Console, failure: &Failure) -> Exit {
        match self {
            Self::Sync(args) => args.could_not_begin(console, failure),
            Self::Where(args) => args.could_not_begin(console, failure),
            _ => console.fail(failure),
        }
    }

    /// Who started this process, and whether it waits for us.
    fn caller(&self, caller: Caller) -> Caller {
        match self {
            Self::Sync(args) if args.attached => caller.waits(),
            _ => caller,
        }
    }

    /// How much is logged: a quiet pass says errors only, and the resident
    /// program what it does, unless an operator set something.
    fn log_level(&self, loaded: &Loaded) -> Level {
        let set = loaded.settings.log_level;
        let by_default = loaded.written["log.level"].origin == Origin::Default;
        match self {
            Self::Sync(args) if args.quiet => Level::ERROR,
            Self::Run(_) if by_default => Level::INFO,
            _ => set,
        }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it has the form KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// Log to stderr.
fn log_to_stderr(level: Level, json: bool) {
    // What libraries log is theirs: only from `debug` on is it wanted here.
    let filter = match level {
        Level::DEBUG | Level::TRACE => level.to_string(),
        _ => ["closte_sync", "engine", "closte", "wordpress", "probe", "ledger", "notify"]
            .map(|ours| format!("{ours}={level}"))
            .join(","),
    };
    let builder = tracing_subscriber::fmt()
        .with_writer(|| console::Log(std::io::stderr()))
        .with_env_filter(filter)
        .with_ansi(false);
    let _ = if json { builder.json().try_init() } else { builder.with_target(false).try_init() };
}

/// Why the arguments cannot be used, as text: what they hold themselves is escaped, as it may have
/// been pasted.
pub(crate) fn refusal(error: &clap::Error, arguments: impl Iterator<Item = OsString>) -> String {
    let escaped = arguments.map(|it| plain::plain(&it.to_string_lossy()).into_owned());
    let error = Arguments::try_parse_from(escaped).err().map_or_else(
        || plain::plain(&error.render().to_string()).into_owned() + "\n",
        |error| error.render().to_string(),
    );
    plain::plain_lines(&error).into_owned()
}
