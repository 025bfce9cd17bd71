//! A history: what happens in a world, and when. Its text is the story that people read.

use std::fmt;
use std::time::Duration;

/// One event of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long after the start.
    pub at: Duration,
    pub event: Event,
}

/// Something that happens. A `row` is a number that picks one of the rows that are there then, so
/// that a history makes sense whatever was left out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    // WordPress
    SiteComes {
        site: u64,
        domain: &'static str,
    },
    SiteHides {
        site: u64,
        hidden: bool,
    },
    SiteGoes {
        site: u64,
    },
    Mapped {
        site: u64,
        name: &'static str,
    },
    Renamed {
        row: u64,
        name: &'static str,
    },
    Moved {
        row: u64,
        site: u64,
    },
    Unmapped {
        row: u64,
    },
    Spoilt {
        row: u64,
    },
    Misspelled {
        row: u64,
    },
    /// The rows that were deleted last come back, as new ones.
    MappedAgain,
    Emptied,
    BackedUp,
    Restored,
    // The host
    Placed {
        name: &'static str,
    },
    Taken {
        name: &'static str,
    },
    Host(HostMood),
    List(ListMood),
    Database(DatabaseMood),
    Resolver(ResolverMood),
    // DNS and certificates
    Dns {
        name: &'static str,
        to: Dns,
    },
    Certificate {
        name: &'static str,
        is: Certificate,
    },
    // The machine
    ClockSet {
        minutes: i64,
    },
    Pass,
    RunStarts,
    RunStops,
    Nudge,
    Crash {
        effects: u64,
        after: bool,
    },
    // Other installations
    ClonePass,
    OtherPass,
    // People
    Adds {
        site: u64,
        name: &'static str,
    },
    Removes {
        name: &'static str,
    },
    Plans,
    Applies,
    Switches {
        on: bool,
    },
    Rechecks {
        name: Option<&'static str>,
    },
}

/// How the host answers calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostMood {
    Good,
    /// Answers get lost, come late or twice; each kind now and then.
    Flaky,
    /// Everything takes many seconds.
    Slow,
    /// Too many calls; with a time to wait or without.
    Limiting {
        wait: Option<u64>,
    },
    KeyRefused,
    /// It says no in words.
    SaysNo,
    /// HTTP 502, whether it did it or not.
    Down,
    Unreachable,
}

/// How the host lists its aliases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMood {
    Good,
    /// As it was so many minutes ago.
    Lags(u64),
    /// Some names are never on it.
    Omits,
    Empty,
    Fails,
}

/// How the network can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseMood {
    Good,
    Fails,
    /// It changes while it is read, and rows are missing.
    Moves,
    /// It can be read and not written.
    ReadOnly,
}

/// How DNS and web servers can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolverMood {
    Good,
    Silent,
    ServFail,
    WebSilent,
}

/// Where a name leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dns {
    Here,
    Elsewhere,
    /// The right address, and a wrong AAAA beside it.
    WrongAaaa,
    NoSuchName,
    ServFail,
}

/// What the network's address presents for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    Good,
    /// Good, and over in an hour.
    Ends,
    OtherName,
    None,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", clock(self.at), self.event)
    }
}

/// The time of day, of a history that begins at noon: `12:01:30`, `+1d 03:00:00`.
pub(crate) fn clock(at: Duration) -> String {
    let seconds = at.as_secs() + 12 * 3600;
    let (days, seconds) = (seconds / 86_400, seconds % 86_400);
    let day = if days == 0 { String::new() } else { format!("+{days}d ") };
    format!("{day}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SiteComes { site, domain } => write!(f, "site {site} comes as {domain}"),
            Self::SiteHides { site, hidden: true } => write!(f, "site {site} is archived"),
            Self::SiteHides { site, hidden: false } => write!(f, "site {site} is shown again"),
            Self::SiteGoes { site } => write!(f, "site {site} goes"),
            Self::Mapped { site, name } => write!(f, "site {site} mapped {name}"),
            Self::Renamed { row, name } => write!(f, "row {row} is renamed to {name}"),
            Self::Moved { row, site } => write!(f, "row {row} is moved to site {site}"),
            Self::Unmapped { row } => write!(f, "row {row} is deleted"),
            Self::Spoilt { row } => write!(f, "row {row} holds no domain name any more"),
            Self::Misspelled { row } => write!(f, "row {row} gets a final dot"),
            Self::MappedAgain => f.write_str("what was deleted last is mapped again"),
            Self::Emptied => f.write_str("all mappings are deleted"),
            Self::BackedUp => f.write_str("the database is backed up"),
            Self::Restored => f.write_str("the database is restored from the backup"),
            Self::Placed { name } => write!(f, "somebody adds {name} at the host"),
            Self::Taken { name } => write!(f, "somebody removes {name} at the host"),
            Self::Host(mood) => write!(f, "host: {mood:?}"),
            Self::List(mood) => write!(f, "host's list: {mood:?}"),
            Self::Database(mood) => write!(f, "database: {mood:?}"),
            Self::Resolver(mood) => write!(f, "resolver: {mood:?}"),
            Self::Dns { name, to } => write!(f, "DNS of {name}: {to:?}"),
            Self::Certificate { name, is } => write!(f, "certificate of {name}: {is:?}"),
            Self::ClockSet { minutes } => write!(f, "the clock is set by {minutes} min"),
            Self::Pass => f.write_str("pass"),
            Self::RunStarts => f.write_str("`run` starts"),
            Self::RunStops => f.write_str("`run` stops"),
            Self::Nudge => f.write_str("nudge"),
            Self::Crash { effects, after } => {
                let side = if *after { "after" } else { "before" };
                write!(f, "a crash {side} the {effects}. write from now")
            }
            Self::ClonePass => f.write_str("pass of a clone"),
            Self::OtherPass => f.write_str("pass with the wrong wp-config.php"),
            Self::Adds { site, name } => write!(f, "operator: domains add {name} --site {site}"),
            Self::Removes { name } => write!(f, "operator: domains remove {name}"),
            Self::Plans => f.write_str("operator: plan"),
            Self::Applies => f.write_str("operator: apply the plan"),
            Self::Switches { on: true } => f.write_str("operator: enable"),
            Self::Switches { on: false } => f.write_str("operator: disable"),
            Self::Rechecks { name: Some(name) } => write!(f, "operator: recheck {name}"),
            Self::Rechecks { name: None } => f.write_str("operator: recheck --all"),
        }
    }
}
