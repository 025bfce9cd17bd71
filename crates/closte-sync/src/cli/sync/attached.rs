//! `closte-sync sync --attached`: a pass for the plugin that started it and waits for it.
//!
//! Standard output is the plugin's: calls to it, and as the last line how the pass ended.

use engine::Failure;
use engine::ops::Answer;
use rules::plain::plain;
use rules::request::Asked;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use super::super::errand::{self, Ended, Patience};
use super::super::report::{self, Verbosity};
use super::super::{Console, Context, Exit, code};

/// The last line.
#[derive(Serialize)]
struct LastLine {
    end: End,
}

/// How a pass ended.
#[derive(Serialize)]
struct End {
    exit: u8,
    /// For an older plugin, which mails it: what is told now is handed over by the call `mail`.
    told: &'static str,
    /// Why it could not run to its end, whether that is told now or not.
    error: Option<Error>,
    /// Whether another closte-sync is at work, so that nothing was done.
    busy: bool,
    /// The time of the processor that this process took, in milliseconds.
    cpu_ms: u64,
    /// The most memory that it had, in KiB; none where the system does not say.
    peak_kb: Option<u64>,
}

#[derive(Serialize)]
struct Error {
    what: String,
    hint: Option<String>,
}

/// Make a pass, and say how it ended. It never waits for the lock.
pub(super) async fn pass(context: &Context) -> Exit {
    let console = context.console;
    let made = errand::make_pass(context, Asked::Pass, Patience::None, Verbosity::None).await;
    let (ended, _) = match made {
        Ok(made) => made,
        Err(failure) => return failed(console, &failure),
    };
    match ended {
        Ended::Answered(answer) => {
            let failure = match &answer {
                Answer::Failed(failure) => Some(failure),
                _ => None,
            };
            if let Some(failure) = failure {
                console.fail(failure);
            }
            let error = failure.map(Error::of);
            end(console, report::exit_after(&answer), End { error, ..End::now() })
        }
        Ended::Busy(owner) => {
            console.tell(format!("{}; nothing was done", report::locked_by(owner.as_ref())));
            end(console, Exit::Done, End { busy: true, ..End::now() })
        }
        Ended::Left(exit) => end(console, exit, End::now()),
    }
}

/// Say that there was no pass.
pub(super) fn failed(console: Console, failure: &Failure) -> Exit {
    console.fail(failure);
    end(console, failure.exit(), End { error: Some(Error::of(failure)), ..End::now() })
}

fn end(console: Console, exit: Exit, end: End) -> Exit {
    let line = LastLine { end: End { exit: code(exit), ..end } };
    let mut line = serde_json::to_vec(&line).expect("it has only string keys");
    line.push(b'\n');
    console.ours(&line);
    exit
}

impl End {
    /// A good end, and what it took until now.
    fn now() -> Self {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let millis = cpu.tv_sec.saturating_mul(1000).saturating_add(cpu.tv_nsec / 1_000_000);
        Self {
            exit: 0,
            told: "",
            error: None,
            busy: false,
            cpu_ms: u64::try_from(millis).unwrap_or_default(),
            peak_kb: peak_kb(),
        }
    }
}

/// What the kernel counts for this program alone: what `getrusage` has may be PHP's, which it was
/// before.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix("kB")?.trim().parse().ok()
}

impl Error {
    fn of(failure: &Failure) -> Self {
        let (what, hint) = failure.in_one_line();
        let fit = |text: String| plain(&text).into_owned();
        Self { what: fit(what), hint: hint.map(fit) }
    }
}
