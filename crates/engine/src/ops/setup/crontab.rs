//! The line of a crontab that makes the passes: written so that cron and `sh` read it as it is
//! meant, put into a crontab and taken out of it. All other bytes stay as they are.

use std::fmt;
use std::path::Path;

/// Ends each line that we wrote; a comment to the shell that cron starts.
const MARK: &str = " # written by closte-sync setup";

/// When a line runs: what is due is due to the minute, and five are what Ultimate Multisite checks by.
const SCHEDULE: &str = "*/5 * * * *";

/// A line that makes a pass every five minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronLine {
    program: String,
    wp_config: Option<String>,
    config: Option<String>,
    /// The path of wp-config.php as it is.
    network: Option<String>,
}

/// A crontab with our line in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub text: Vec<u8>,
    pub change: Change,
}

/// What becomes of our line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there as it should be.
    None,
    /// There is none yet.
    Add,
    /// It comes in place of these.
    Exchange(Vec<String>),
    /// These are taken away.
    Remove(Vec<String>),
}

impl CronLine {
    /// The line for the network of `wp_config`, or else of `config`.
    ///
    /// # Errors
    ///
    /// Why no crontab can hold one of the paths.
    pub fn of(
        program: &Path,
        wp_config: Option<&Path>,
        config: Option<&Path>,
    ) -> Result<Self, String> {
        let flag = |name: &str, path: Option<&Path>| match path {
            Some(path) => Ok::<_, String>(Some(format!(" --{name} {}", quoted(path)?))),
            None => Ok(None),
        };
        Ok(Self {
            program: quoted(program)?,
            wp_config: flag("wp-config", wp_config)?,
            config: flag("config", config)?,
            network: wp_config.map(|path| path.display().to_string()),
        })
    }

    /// Whether a line of `crontab` makes this network's passes already, whoever wrote it.
    pub fn is_known_in(&self, crontab: &[u8]) -> bool {
        self.is_kept_by_hand_in(crontab) || lines(crontab).any(|line| self.is_ours(&shown(line)))
    }

    /// Whether somebody wrote a line for this network by hand. One that names no wp-config.php
    /// finds it, as we did.
    pub fn is_kept_by_hand_in(&self, crontab: &[u8]) -> bool {
        let by_hand = |line: &String| is_a_pass(line) && !is_marked(line);
        lines(crontab).map(shown).filter(by_hand).any(|line| match wp_config_in(&line) {
            None => true,
            Some(named) if named.contains(['$', '~']) => true,
            Some(named) => self.network.as_ref().is_some_and(|path| path.starts_with(named)),
        })
    }

    /// `crontab` with this line in it, once, and with no line of ours of an older place. When it
    /// runs is left as somebody set it.
    pub fn written_into(&self, crontab: &[u8]) -> Edited {
        let command = self.command();
        let ours: Vec<String> =
            lines(crontab).map(shown).filter(|line| self.is_ours(line)).collect();
        if let [line] = &ours[..]
            && split(line).1 == command
        {
            return Edited { text: crontab.to_owned(), change: Change::None };
        }
        let schedule = ours.first().map_or(SCHEDULE, |line| split(line).0);
        let mut text = self.taken_out_of(crontab).text;
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend_from_slice(format!("{schedule} {command}\n").as_bytes());
        let change = if ours.is_empty() { Change::Add } else { Change::Exchange(ours) };
        Edited { text, change }
    }

    /// `crontab` without the lines that we wrote for this network.
    pub fn taken_out_of(&self, crontab: &[u8]) -> Edited {
        let (mut text, mut gone) = (Vec::new(), Vec::new());
        for whole in crontab.split_inclusive(|byte| *byte == b'\n') {
            let line = shown(whole.strip_suffix(b"\n").unwrap_or(whole));
            if self.is_ours(&line) {
                gone.push(line);
            } else {
                text.extend_from_slice(whole);
            }
        }
        let change = if gone.is_empty() { Change::None } else { Change::Remove(gone) };
        Edited { text, change }
    }

    /// Whether we wrote that line for this network, whatever program it names.
    fn is_ours(&self, line: &str) -> bool {
        if !is_marked(line) {
            return false;
        }
        let has = |flag: &Option<String>, name: &str| match flag {
            Some(flag) => line.contains(&format!("{flag} ")),
            None => !line.contains(name),
        };
        // What wp-config.php a line is for says enough; without one the settings file does.
        has(&self.wp_config, " --wp-config ")
            && (self.wp_config.is_some() || has(&self.config, " --config "))
    }

    fn command(&self) -> String {
        let flag = |flag: &Option<String>| flag.clone().unwrap_or_default();
        let (wp_config, config) = (flag(&self.wp_config), flag(&self.config));
        format!("{}{wp_config}{config} sync --quiet{MARK}", self.program)
    }
}

impl fmt::Display for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEDULE} {}", self.command())
    }
}

/// The lines that make passes, whoever wrote them.
pub(super) fn lines_of_passes(crontab: &[u8]) -> Vec<String> {
    lines(crontab).map(shown).filter(|line| is_a_pass(line)).collect()
}

fn lines(crontab: &[u8]) -> impl Iterator<Item = &[u8]> {
    crontab.split(|byte| *byte == b'\n')
}

fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

/// Whether we wrote that line, and nobody made a comment of it since.
fn is_marked(line: &str) -> bool {
    line.ends_with(MARK) && !line.trim_start().starts_with('#')
}

fn is_a_pass(line: &str) -> bool {
    let mut words = line.split(|c: char| c.is_whitespace() || "'\";&|".contains(c));
    let is_program = |word: &str| word == "closte-sync" || word.ends_with("/closte-sync");
    let by_name = words.any(is_program) && words.any(|word| word == "sync");
    is_marked(line) || by_name && !line.trim_start().starts_with('#')
}

/// When a line runs, and what.
fn split(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    let fields = if line.starts_with('@') { 1 } else { 5 };
    let mut at = 0;
    for _ in 0..fields {
        let rest = &line[at..];
        let field = rest.len() - rest.trim_start().len();
        at +=
            field + rest.trim_start().find(char::is_whitespace).unwrap_or(rest.trim_start().len());
    }
    (&line[..at], line[at..].trim_start())
}

/// The wp-config.php that a line names, up to the first blank in it.
fn wp_config_in(line: &str) -> Option<&str> {
    let value = line.split_once("--wp-config")?.1.trim_start_matches(['=', ' ']);
    Some(value.split(' ').next().unwrap_or_default().trim_matches(['\'', '"']))
}

/// `path` as one word of `sh`, in a crontab.
fn quoted(path: &Path) -> Result<String, String> {
    let refused = |why: &str| format!("`{}` {why}; move it", path.display());
    let text = path.to_str().ok_or_else(|| refused("is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(refused("has a character that no crontab can hold"));
    }
    if text.contains('\\') {
        return Err(refused("has a backslash, which not every cron reads alike"));
    }
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "/._-+:@,=".contains(c);
    if text.chars().all(is_safe) {
        return Ok(text.to_owned());
    }
    // Cron takes what follows a `%` as input for the command, unless a backslash comes before it.
    Ok(format!("'{}'", text.replace('\'', "'\"'\"'").replace('%', "\\%")))
}
