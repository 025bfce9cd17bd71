//! Where a command writes: data to stdout, talk to stderr.
//!
//! The one place that prints. A reader that went away (`| head`) is no error.

use std::io::{IsTerminal, Write, stderr, stdin, stdout};

use serde::Serialize;

use super::{Exit, Failure, Output};
use crate::config::Environment;

/// Where a command writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    output: Output,
    colour: bool,
    progress: bool,
}

/// How a word is meant, for those who see colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Waiting,
    Warn,
    Bad,
}

impl Console {
    /// The console of this process, as `NO_COLOR` and its terminal allow.
    pub(crate) fn new(output: Output, environment: &Environment) -> Self {
        let dumb = environment.value("TERM") == Some("dumb");
        let wanted = environment.value("NO_COLOR").is_none() && !dumb;
        let colour = wanted && stdout().is_terminal() && output == Output::Text;
        Self { output, colour, progress: stderr().is_terminal() && !dumb }
    }

    /// Whether somebody watches stderr.
    pub(crate) fn shows_progress(self) -> bool {
        self.progress
    }

    /// Whether the answer is for a script.
    pub(crate) fn is_json(self) -> bool {
        self.output == Output::Json
    }

    /// `text` in the colour of `tone`, where there are colours.
    pub(crate) fn paint(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Waiting => 36,
            Tone::Warn => 33,
            Tone::Bad => 31,
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Write an answer for people.
    #[expect(clippy::unused_self, reason = "only who has a console may print")]
    pub(crate) fn say(self, text: impl AsRef<str>) {
        let mut out = stdout().lock();
        let _ = writeln!(out, "{}", text.as_ref().trim_end());
    }

    /// Write an answer for scripts.
    pub(crate) fn json(self, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).expect("views have only string keys");
        self.say(text);
    }

    /// Tell something that is not the answer.
    #[expect(clippy::unused_self, reason = "only who has a console may print")]
    pub(crate) fn tell(self, text: impl AsRef<str>) {
        let mut err = stderr().lock();
        let _ = writeln!(err, "{}", text.as_ref().trim_end());
    }

    /// Ask what can be answered by yes or no; no where nobody answers.
    #[expect(clippy::unused_self, reason = "only who has a console may print")]
    pub(crate) fn confirm(self, question: &str) -> bool {
        let mut err = stderr().lock();
        let _ = write!(err, "{question} [y/N] ");
        let _ = err.flush();
        let mut answer = String::new();
        let _ = stdin().read_line(&mut answer);
        if !answer.ends_with('\n') {
            let _ = writeln!(err);
        }
        matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Tell why a command failed; how it ends.
    pub(crate) fn fail(self, failure: &Failure) -> Exit {
        self.tell(failure.render());
        failure.exit()
    }
}
