//! What cron's mails tell: what begins, what becomes something else, what lasts once a day, and
//! what ends. What was told before is remembered; sameness is judged by code and by what it is
//! about, never by the text.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::entry::{Entry, Unseen};
use crate::network::Problem;
use crate::reason::Reason;
use crate::stage::Stage;
use crate::words::words;
use crate::{Time, plain};

/// What lasts is told again so often.
const AGAIN: Duration = Duration::from_hours(24);

/// A served domain is told as broken after so many bad checks in a row.
const BAD_CHECKS: u32 = 3;

/// The code of a domain that is served, and that checks find broken.
pub const BROKEN: &str = "broken";

/// The code of a domain that is served, and of which nothing can be seen.
pub const UNSEEN: &str = Unseen::WORD;

words! {
    /// What something told is about.
    Kind {
        /// The whole.
        Alert = "alert",
        /// A served domain.
        Domain = "domain",
        /// A name that the host refused.
        Refused = "refused",
        /// Something in the network that makes no sense or wants an eye.
        Problem = "problem",
    }
}

impl Kind {
    /// Whether it is told again while it lasts, and that it ended.
    fn is_followed(self) -> bool {
        matches!(self, Self::Alert | Self::Domain)
    }
}

/// What is told once, however often it is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    pub kind: Kind,
    /// The code of an alert, the name of a domain, the place of a problem.
    pub about: String,
}

/// What is remembered of something told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it was told as.
    pub code: String,
    /// The text, to say later what ended; empty where that is not told.
    pub what: String,
    /// When it was told first.
    pub since: Time,
    /// When it was told last.
    pub told_at: Time,
    /// When the first good check after it was made.
    pub good_at: Option<Time>,
}

/// What was told and is not over.
pub type Remembered = BTreeMap<Topic, Told>;

/// How it is with a topic now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It is so.
    Stands {
        /// As what it is told: another code is another matter.
        code: String,
        /// The same for people.
        what: String,
    },
    /// Not bad for long enough to be told, and not good either.
    Unsure,
    /// It is good.
    Good {
        /// When that was checked.
        checked: Time,
    },
}

/// How much a pass found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All: what it does not show is over.
    Everything,
    /// It was cut short: problems that the rest would show may last.
    NotAllProblems,
    /// Nothing but what it shows.
    OnlyThis,
}

words! {
    /// Why something is told now.
    Phase {
        /// It is over.
        Ends = "ends",
        /// It begins, or has become something else.
        Begins = "begins",
        /// It lasts.
        Lasts = "lasts",
    }
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    pub topic: Topic,
    pub phase: Phase,
    /// As what it is told; of what ends, as what it was.
    pub code: String,
    /// The same for people.
    pub what: String,
    /// How long ago it was told first.
    pub lasted: Duration,
    /// Whether a check found it good; not where it is only gone.
    pub is_good: bool,
}

/// How long a served domain must be so to be told: `report.broken_after`, `report.unseen_after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    pub broken: Duration,
    pub unseen: Duration,
}

impl Patience {
    /// Whether the first good check ends what was told as `code`; else the second does.
    fn is_none_of(&self, code: &str) -> bool {
        let after = if code == UNSEEN { self.unseen } else { self.broken };
        after.is_zero()
    }
}

/// Nothing is told of the domains that are `muted`, nor that something of them is over: what was told
/// of them is forgotten, so that what still stands when a mute ends begins then.
pub fn leave_out(
    muted: &BTreeSet<String>,
    told: &mut Remembered,
    found: &mut BTreeMap<Topic, Sign>,
) {
    let is_muted = |topic: &Topic| {
        matches!(topic.kind, Kind::Domain | Kind::Refused) && muted.contains(&topic.about)
    };
    told.retain(|topic, _| !is_muted(topic));
    found.retain(|topic, _| !is_muted(topic));
}

/// The pass after which something is told.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub scope: Scope,
    pub patience: Patience,
    pub now: Time,
}

/// What to tell after `pass` of what it `found`, after what was `told`; and what to remember.
pub fn tell(
    told: &Remembered,
    found: &BTreeMap<Topic, Sign>,
    pass: &Pass,
) -> (Vec<Telling>, Remembered) {
    let (mut tellings, mut remembered) = (Vec::new(), Remembered::new());
    let topics: BTreeSet<&Topic> = told.keys().chain(found.keys()).collect();
    for topic in topics {
        let before = told.get(topic).map(|before| before.not_after(pass.now));
        let sign = found.get(topic);
        let Some((phase, is)) = pass.next(topic.kind, before, sign) else { continue };
        if let Some(phase) = phase {
            let is_good = phase == Phase::Ends && sign.is_some();
            let (topic, lasted) = (topic.clone(), pass.now.since(is.since));
            let Told { code, what, .. } = is.clone();
            tellings.push(Telling { topic, phase, code, what, lasted, is_good });
        }
        if phase != Some(Phase::Ends) {
            let what = if topic.kind.is_followed() { is.what } else { String::new() };
            remembered.insert(topic.clone(), Told { what, ..is });
        }
    }
    tellings.sort_by_key(|telling| telling.phase);
    (tellings, remembered)
}

impl Pass {
    /// What to tell of one topic, if anything, and what is remembered of it, or was where it ends.
    /// None where there is neither.
    fn next(
        &self,
        kind: Kind,
        before: Option<Told>,
        sign: Option<&Sign>,
    ) -> Option<(Option<Phase>, Told)> {
        let now = self.now;
        let Some(before) = before else {
            let Some(Sign::Stands { code, what }) = sign else { return None };
            let (code, what) = (code.clone(), what.clone());
            let begun = Told { code, what, since: now, told_at: now, good_at: None };
            return Some((Some(Phase::Begins), begun));
        };
        let lasts = |is: Told| {
            let again = kind.is_followed() && AGAIN <= now.since(is.told_at);
            let told_at = if again { now } else { is.told_at };
            Some((again.then_some(Phase::Lasts), Told { told_at, good_at: None, ..is }))
        };
        match sign {
            Some(Sign::Stands { code, what }) if *code != before.code => {
                let (code, what) = (code.clone(), what.clone());
                let changed = Told { code, what, told_at: now, good_at: None, ..before };
                Some((Some(Phase::Begins), changed))
            }
            Some(Sign::Stands { what, .. }) => lasts(Told { what: what.clone(), ..before }),
            Some(Sign::Unsure) => lasts(before),
            Some(Sign::Good { checked }) => {
                let is_second = before.good_at.is_some_and(|first| first < *checked);
                if is_second || self.patience.is_none_of(&before.code) {
                    return Some((Some(Phase::Ends), before));
                }
                let good_at = before.good_at.or(Some(*checked));
                Some((None, Told { good_at, ..before }))
            }
            None => {
                let may_last = match self.scope {
                    Scope::Everything => false,
                    Scope::NotAllProblems => kind == Kind::Problem,
                    Scope::OnlyThis => true,
                };
                match (may_last, kind.is_followed()) {
                    (true, _) => Some((None, before)),
                    (false, true) => Some((Some(Phase::Ends), before)),
                    (false, false) => None,
                }
            }
        }
    }
}

impl Told {
    /// The same, where its times are ahead of `now` as by a clock that was wrong: then they are now.
    fn not_after(&self, now: Time) -> Self {
        Self {
            since: self.since.min(now),
            told_at: self.told_at.min(now),
            good_at: self.good_at.map(|at| at.min(now)),
            ..self.clone()
        }
    }
}

/// How it is with the domain of `entry` at `now`; none where it is not mapped, or was never
/// checked nor found unseen.
pub fn of_domain(entry: &Entry, patience: &Patience, now: Time) -> Option<(Topic, Sign)> {
    let mapped = entry.mapped.as_ref()?;
    let is_served = mapped.stage.is_some_and(Stage::is_served);
    let unseen = entry.unseen();
    let long_unseen = unseen.filter(|it| patience.unseen <= now.since(it.since));
    let stands = |code: &str, why: Option<crate::entry::Why<'_>>| {
        let why = why.map(|why| match why.detail {
            Some(detail) => format!("{} ({detail})", why.reason.sentence()),
            None => why.reason.sentence().to_owned(),
        });
        Sign::Stands { code: code.to_owned(), what: plain::kept(why.unwrap_or_default()) }
    };
    let sign = if let (true, Some(unseen)) = (is_served, long_unseen) {
        stands(UNSEEN, Some(unseen.why()))
    } else if is_served && is_broken(entry, patience) {
        stands(BROKEN, entry.observed_why(false))
    } else if unseen.is_some() || 0 < entry.checks.bad {
        Sign::Unsure
    } else {
        Sign::Good { checked: entry.checks.last? }
    };
    Some((Topic { kind: Kind::Domain, about: entry.domain.to_string() }, sign))
}

/// Whether checks in a row found it broken, often enough and for long enough.
fn is_broken(entry: &Entry, patience: &Patience) -> bool {
    let checks = &entry.checks;
    let (Some(since), Some(last)) = (checks.bad_since, checks.last) else { return false };
    let needed = if patience.broken.is_zero() { 1 } else { BAD_CHECKS };
    needed <= checks.bad && patience.broken <= last.since(since)
}

/// That the host refused what it was asked for `entry`; none where it did not.
pub fn of_refusal(entry: &Entry) -> Option<(Topic, Sign)> {
    let refusals = [Reason::InvalidDomain, Reason::HostSaidNo];
    let why = entry.alias.why().filter(|why| refusals.contains(&why.reason))?;
    let words = why.detail.unwrap_or_else(|| why.reason.sentence());
    let code = why.reason.code().to_owned();
    let topic = Topic { kind: Kind::Refused, about: entry.domain.to_string() };
    Some((topic, Sign::Stands { code, what: words.to_owned() }))
}

/// That there is this problem. The same is what is at the same place; without a place, what has the
/// same words, leaving out numbers and what follows the first colon.
pub fn of_problem(problem: &Problem) -> (Topic, Sign) {
    let about = if let (Some(table), Some(id)) = (&problem.table, problem.id) {
        format!("{table}.{} {id}", problem.column.as_deref().unwrap_or_default())
    } else {
        let words = problem.reason.split(": ").next().unwrap_or_default();
        words.chars().filter(|c| !c.is_ascii_digit()).collect()
    };
    let (code, what) = (Kind::Problem.to_string(), problem.to_string());
    (Topic { kind: Kind::Problem, about }, Sign::Stands { code, what })
}

/// That the whole needs a person, by the `code` of the alert.
pub fn of_alert(code: &str, what: &str) -> (Topic, Sign) {
    let (about, what) = (code.to_owned(), what.to_owned());
    (Topic { kind: Kind::Alert, about }, Sign::Stands { code: code.to_owned(), what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Mapped;

    const PATIENCE: Patience =
        Patience { broken: Duration::from_mins(10), unseen: Duration::from_hours(1) };
    const NONE: Patience = Patience { broken: Duration::ZERO, unseen: Duration::ZERO };

    fn at(minutes: i64) -> Time {
        Time::from_millis(minutes * 60_000)
    }

    fn topic(kind: Kind) -> Topic {
        Topic { kind, about: "a.example".to_owned() }
    }

    fn stands(code: &str) -> Sign {
        Sign::Stands { code: code.to_owned(), what: format!("it is {code}") }
    }

    fn good(minute: i64) -> Sign {
        Sign::Good { checked: at(minute) }
    }

    /// When a pass is, what it finds, how much of all, and what is told.
    type Row = (i64, Option<Sign>, Scope, &'static str);

    /// What is told of a topic in passes at these minutes, as `begins broken`.
    fn phases(
        kind: Kind,
        patience: &Patience,
        passes: &[(i64, Option<Sign>, Scope)],
    ) -> Vec<String> {
        let mut memory = Remembered::new();
        let tell = |(minute, sign, scope): &(i64, Option<Sign>, Scope)| {
            let found = sign.iter().map(|sign| (topic(kind), sign.clone())).collect();
            let pass = Pass { scope: *scope, patience: *patience, now: at(*minute) };
            let (tellings, after) = tell(&memory, &found, &pass);
            memory = after;
            let word = |it: &Telling| format!("{:?} {}", it.phase, it.code).to_lowercase();
            tellings.iter().map(word).collect::<String>()
        };
        passes.iter().map(tell).collect()
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn what_lasts_is_told_when_it_begins_and_changes_once_a_day_and_when_it_ends() {
        use Scope::{Everything, NotAllProblems, OnlyThis};
        let day = 24 * 60;
        let table: Vec<(&str, Kind, Patience, Vec<Row>)> = vec![
            ("an alert", Kind::Alert, PATIENCE, vec![
                (0, None, Everything, ""), (5, Some(stands("brake")), Everything, "begins brake"), (10, Some(stands("brake")), Everything, ""),
                (5 + day - 1, Some(stands("brake")), Everything, ""), (5 + day, Some(stands("brake")), Everything, "lasts brake"),
                (5 + day + 5, Some(stands("brake")), Everything, ""), (6 + 2 * day, Some(stands("brake")), Everything, "lasts brake"),
                (7 + 2 * day, None, OnlyThis, ""), (8 + 2 * day, None, NotAllProblems, "ends brake"), (9 + 2 * day, None, Everything, "")]),
            ("a domain", Kind::Domain, PATIENCE, vec![
                (0, Some(Sign::Unsure), Everything, ""), (5, Some(stands("broken")), Everything, "begins broken"),
                (10, Some(stands("unseen")), Everything, "begins unseen"), (15, Some(Sign::Unsure), Everything, ""),
                (20, Some(good(18)), Everything, ""), (25, Some(good(18)), Everything, ""), (30, Some(Sign::Unsure), Everything, ""),
                (35, Some(good(33)), Everything, ""), (40, Some(good(38)), Everything, "ends unseen"), (45, Some(good(43)), Everything, "")]),
            ("a domain, at once", Kind::Domain, NONE, vec![
                (0, Some(stands("broken")), Everything, "begins broken"), (5, Some(good(3)), Everything, "ends broken"),
                (10, Some(stands("broken")), Everything, "begins broken"), (15, None, Everything, "ends broken")]),
            ("bad for a day, and nobody is sure any more", Kind::Domain, PATIENCE, vec![
                (0, Some(stands("broken")), Everything, "begins broken"), (day, Some(Sign::Unsure), Everything, "lasts broken")]),
            ("a problem", Kind::Problem, PATIENCE, vec![
                (0, Some(stands("problem")), Everything, "begins problem"), (2 * day, Some(stands("problem")), Everything, ""),
                (2 * day + 1, None, NotAllProblems, ""), (2 * day + 2, Some(stands("problem")), Everything, ""),
                (2 * day + 3, None, Everything, ""), (2 * day + 4, Some(stands("problem")), Everything, "begins problem")]),
            ("a refusal", Kind::Refused, PATIENCE, vec![
                (0, Some(stands("host-said-no")), Everything, "begins host-said-no"), (9, Some(stands("host-said-no")), Everything, ""),
                (10, Some(stands("invalid-domain")), Everything, "begins invalid-domain"), (11, None, Everything, "")]),
            ("the clock was a year ahead", Kind::Alert, PATIENCE, vec![
                (365 * day, Some(stands("brake")), Everything, "begins brake"), (0, Some(stands("brake")), Everything, ""),
                (day, Some(stands("brake")), Everything, "lasts brake")]),
        ];
        for (shows, kind, patience, passes) in table {
            let want: Vec<_> = passes.iter().map(|(.., want)| *want).collect();
            let passes: Vec<_> = passes.into_iter().map(|(minute, sign, scope, _)| (minute, sign, scope)).collect();
            assert_eq!(phases(kind, &patience, &passes), want, "{shows}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_served_domain_is_told_once_it_was_bad_or_unseen_for_long_enough() {
        let now = 120;
        let dark = |since| Some((Reason::DnsFailed, since));
        let silent = |since| Some((Reason::NoWebAnswer, since));
        let table = [
            // what it shows                       stage            bad since last unseen, since   patience  sign
            ("all is well",                        Stage::Done,        0, None,      118, None,       PATIENCE, "good"),
            ("two bad checks",                     Stage::Done,        2, Some(100), 118, None,       PATIENCE, "unsure"),
            ("three within ten minutes",           Stage::Done,        3, Some(109), 118, None,       PATIENCE, "unsure"),
            ("three over ten minutes",             Stage::Done,        3, Some(108), 118, None,       PATIENCE, "broken"),
            ("two over an hour",                   Stage::Done,        2, Some(0),   118, None,       PATIENCE, "unsure"),
            ("served without a certificate",       Stage::DoneWithoutSsl, 3, Some(0), 118, None,      PATIENCE, "broken"),
            ("not served yet",                     Stage::CheckingDns, 9, Some(0),   118, None,       PATIENCE, "unsure"),
            ("the first bad check",                Stage::Done,        1, Some(118), 118, None,       NONE,     "broken"),
            ("unseen for less than an hour",       Stage::Done,        0, None,      60,  dark(61),   PATIENCE, "unsure"),
            ("unseen for an hour",                 Stage::Done,        0, None,      60,  dark(60),   PATIENCE, "unseen"),
            ("its web server is silent",           Stage::Done,        0, None,      118, silent(60), PATIENCE, "unseen"),
            ("it was broken, then unseen",         Stage::Done,        3, Some(0),   20,  dark(60),   PATIENCE, "unseen"),
            ("it was broken, then unseen shortly", Stage::Done,        3, Some(0),   70,  dark(80),   PATIENCE, "broken"),
            ("unseen and not served",              Stage::CheckingDns, 0, None,      60,  dark(0),    PATIENCE, "unsure"),
        ];
        for (shows, stage, bad, bad_since, last, unseen, patience, want) in table {
            let row = Mapped { mapping_id: 1, site_id: 2, stage: Some(stage), secure: true, left_alone: None };
            let mut entry = Entry::new("a.example".parse().unwrap(), Some(row), at(0));
            if let Some((reason, since)) = unseen {
                entry.certificate.miss(at(since), None, reason, Some("seen"));
            }
            (entry.checks.bad, entry.checks.bad_since) = (bad, bad_since.map(at));
            entry.checks.last = Some(at(last));
            let word = |sign: Sign| match sign {
                Sign::Stands { code, .. } => code,
                Sign::Unsure => "unsure".to_owned(),
                Sign::Good { .. } => "good".to_owned(),
            };
            let sign = of_domain(&entry, &patience, at(now)).map(|(_, sign)| word(sign));
            assert_eq!(sign.as_deref(), Some(want), "{shows}");
            entry.mapped = None;
            assert_eq!(of_domain(&entry, &patience, at(now)), None, "{shows}, and not mapped");
        }
    }

    #[test]
    fn a_problem_is_the_same_by_its_place_or_its_words_without_numbers_and_causes() {
        let same = |a: &Problem, b: &Problem| of_problem(a).0 == of_problem(b).0;
        let row = |id, text| Problem::in_row("wp_blogs", "domain", id, text);
        assert!(same(&row(7, "no name: `a b`"), &row(7, "another")));
        assert!(!same(&row(7, "no name"), &row(8, "no name")));
        let apart = |minutes| Problem::of_all(format!("the clocks are {minutes} minutes apart"));
        assert!(same(&apart(11), &apart(123)));
        let list = |why| Problem::of_all(format!("the list could not be read: {why}"));
        assert!(same(&list("timeout"), &list("reset")) && !same(&list("reset"), &apart(11)));
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_host() {
        let mut entry = Entry::new("a.example".parse().unwrap(), None, at(0));
        assert_eq!(of_refusal(&entry), None);
        let words = Some("nein".to_owned());
        entry.alias.set(at(0), entry.alias.state, Some(Reason::HostSaidNo), words);
        let sign = of_refusal(&entry).map(|(_, sign)| sign);
        let (code, what) = ("host-said-no".to_owned(), "nein".to_owned());
        assert_eq!(sign, Some(Sign::Stands { code, what }));
    }
}
