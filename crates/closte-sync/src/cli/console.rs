//! Where a command writes: data to stdout, talk to stderr.
//!
//! The one place that prints, and nothing leaves it that would act on a terminal but line ends
//! and our own colours. A reader that went away (`| head`) is no error.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write, stderr, stdin, stdout};

use rules::plain::{plain, plain_lines};
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

    /// `text` as it may be shown: its lines and, where there are colours, those stay.
    ///
    /// What foreign texts hold is escaped; in JSON it stays the same text, as all that JSON itself
    /// does not escape can only be in its strings.
    pub(crate) fn fit(self, text: &str) -> String {
        let mut fit = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('\x1b').filter(|_| self.colour) {
            fit += &plain_lines(&rest[..at]);
            let code = colour_code(&rest[at..]).unwrap_or_default();
            fit += code;
            rest = &rest[at + code.len()..];
            if code.is_empty() {
                let _ = write!(fit, "{}", plain("\x1b"));
                rest = &rest[1..];
            }
        }
        fit + &plain_lines(rest)
    }

    /// Write an answer for people.
    pub(crate) fn say(self, text: impl AsRef<str>) {
        let mut out = stdout().lock();
        let _ = writeln!(out, "{}", self.fit(text.as_ref().trim_end()));
    }

    /// Write an answer for scripts.
    pub(crate) fn json(self, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).expect("views have only string keys");
        self.say(text);
    }

    /// Write an answer for scripts that read one a line.
    pub(crate) fn json_line(self, value: &impl Serialize) {
        let text = serde_json::to_string(value).expect("views have only string keys");
        self.say(text);
    }

    /// Write a text that is ours to the last character, such as a program for a shell.
    #[expect(clippy::unused_self, reason = "only who has a console may print")]
    pub(crate) fn ours(self, text: &[u8]) {
        let _ = stdout().lock().write_all(text);
    }

    /// Tell something that is not the answer.
    pub(crate) fn tell(self, text: impl AsRef<str>) {
        let mut err = stderr().lock();
        let _ = writeln!(err, "{}", self.fit(text.as_ref().trim_end()));
    }

    /// Go on where somebody says so to this `question`, or with `--yes`.
    ///
    /// # Errors
    ///
    /// The answer is another one than yes, or nobody answers.
    pub(crate) fn confirm(self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes || self.is_agreed(question) {
            return Ok(());
        }
        Err(Failure::no("nothing was changed").hint("`--yes` does not ask"))
    }

    fn is_agreed(self, question: &str) -> bool {
        let mut err = stderr().lock();
        let _ = write!(err, "{} [y/N] ", self.fit(question));
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

/// The code of a colour that `text` begins with (SGR: `ESC [`, numbers, `m`).
fn colour_code(text: &str) -> Option<&str> {
    let end = text.strip_prefix("\x1b[")?.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    let code = &text[..end + 3];
    code.ends_with('m').then_some(code)
}

/// Where events are logged, each in one line.
pub(crate) struct Log<W>(pub(crate) W);

impl<W: Write> Write for Log<W> {
    /// Each call brings one event, which ends with a line end.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = plain(text.strip_suffix('\n').unwrap_or(&text));
        self.0.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;
    use rules::plain::is_plain;

    use super::*;

    fn console(colour: bool) -> Console {
        Console { output: Output::Text, colour, progress: false }
    }

    #[test]
    fn our_colours_stay_and_nothing_else_that_a_terminal_obeys() {
        let painted = console(true).paint("bad\u{9b}2J", Tone::Bad);
        let text = format!("{painted} \x1b[2J\x1b]0;title\x07\x1b[31\n\u{202e}end\r");
        let shown =
            "\x1b[31mbad\\u009b2J\x1b[0m \\u001b[2J\\u001b]0;title\\u0007\\u001b[31\n\\u202eend\\r";
        assert_eq!(console(true).fit(&text), shown);
        assert_eq!(console(false).fit("\x1b[31mbad\x1b[0m"), "\\u001b[31mbad\\u001b[0m");
    }

    /// What comes out of a log with an event whose message and field are `text`.
    fn logged(text: &str, json: bool) -> String {
        #[derive(Clone, Default)]
        struct Shared(Arc<Mutex<Vec<u8>>>);
        impl Write for Shared {
            fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(octets)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let shared = Shared::default();
        let writer = shared.clone();
        let builder =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || Log(writer.clone()));
        let log = || tracing::warn!(field = text, shown = %text, "it said {text}");
        if json {
            tracing::subscriber::with_default(builder.json().finish(), log);
        } else {
            tracing::subscriber::with_default(builder.finish(), log);
        }
        let octets = shared.0.lock().unwrap().clone();
        String::from_utf8(octets).unwrap()
    }

    /// Texts that are mostly what does not belong into one.
    fn nasty() -> impl Strategy<Value = String> {
        let wild = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{a0}'),
            prop::char::range('\u{2000}', '\u{206f}'),
        ];
        let pieces = prop_oneof![
            wild.prop_map(String::from),
            Just("\x1b[31m".to_owned()),
            Just("\r\nerror: ".to_owned()),
        ];
        prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_control_character_leaves(text in nasty()) {
            let fit = console(false).fit(&text);
            prop_assert!(fit.chars().all(|c| c == '\n' || is_plain(c)), "{fit:?}");
            let coloured = console(true).fit(&text);
            let bare = coloured.split('\x1b').map(|piece| piece.chars().all(|c| c == '\n' || is_plain(c)));
            prop_assert!(bare.into_iter().all(|is_bare| is_bare), "{coloured:?}");
            for code in coloured.match_indices('\x1b').map(|(at, _)| colour_code(&coloured[at..])) {
                prop_assert!(code.is_some(), "{coloured:?}");
            }

            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let read: Vec<String> = serde_json::from_str(&console(false).fit(&json)).unwrap();
            prop_assert_eq!(&read[0], &text, "JSON says the same");

            for json in [false, true] {
                let log = logged(&text, json);
                let line = log.strip_suffix('\n').unwrap();
                prop_assert!(line.chars().all(is_plain), "{line:?}");
            }
            let failure = Failure::could_not(text.clone()).hint(text).render();
            prop_assert!(failure.chars().all(|c| c == '\n' || is_plain(c)), "{failure:?}");
            prop_assert_eq!(failure.lines().count(), 2);
        }
    }
}
