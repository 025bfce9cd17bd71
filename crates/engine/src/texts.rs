//! What people read of the engine's values: the one place where texts are made of them.
//!
//! Scripts read the values themselves. What is told of findings is in two languages, see [`findings`].

pub mod findings;

use rules::acting::{Copied, NotOurs};
use rules::budget::{A_WEEK, Budget, Suggestion};
use rules::entry::{Entry, Unseen, Why};
use rules::event::{Event, EventKind};
use rules::explain::{Headline, first_error};
use rules::finding::Actor;
use rules::host_state::HostState;
use rules::ledger::NotActing;
use rules::notice::{Digest, Happening, Item};
use rules::plain::plain;
use rules::targets::TargetSource;
use rules::telling::{Kind, Phase, Telling};
use rules::{DomainName, Identity, Reason, Targets, Time};

use self::findings::Language;
use crate::pass::Change;
use crate::rough::rough;

/// How WordPress' object cache is emptied. The command line has a memory of its
/// own, so it does not reach one that PHP keeps (`APCu`).
pub const FLUSH: &str = "`wp cache flush` shows it at once, but for a cache in APCu, which only \
                         WordPress' own pages or a restart of PHP empty";

/// What is told once where only the age of the ledger keeps twins from being added.
pub const TWINS_NOT_ADDED: &str = "`www` twins of mapped domains are not added at the host, as an \
    older closte-sync made this ledger; set `domains.www` to `when-dns-ready` to have them added, or \
    to `never` to keep it so";

/// What happened, without when and to whom: `wanted → present`.
pub fn event(event: &Event) -> String {
    let (from, to) = (event.from.as_deref(), event.to.as_deref());
    let detail = plain(event.detail.as_deref().unwrap_or_default());
    match (event.kind, from, to) {
        (EventKind::Mapping, None, Some(site)) => format!("mapped to site {site}"),
        (EventKind::Mapping, Some(_), None) => "its mapping is gone".to_owned(),
        (EventKind::Mapping, Some(old), Some(new)) => {
            format!("moved from site {old} to site {new}")
        }
        (EventKind::Recheck, ..) => "somebody asked for a check".to_owned(),
        (EventKind::Host, _, Some(action)) => format!("{action}: {detail}"),
        (EventKind::Note, ..) => detail.into_owned(),
        (_, Some(old), Some(Unseen::WORD)) => {
            format!("cannot be seen, and stays {old}{}", why_of(event))
        }
        (_, Some(Unseen::WORD), Some(new)) => format!("seen again: {new}"),
        (_, Some(old), Some(new)) if old == new => format!("still {new}{}", why_of(event)),
        (_, Some(old), Some(new)) => format!("{old} → {new}{}", why_of(event)),
        _ => why_of(event).trim_start().to_owned(),
    }
}

/// `add-alias shop.example: done`, with the reason where there is one.
pub fn change(change: &Change) -> String {
    format!("{} {}: {}{}", change.action, change.domain, change.outcome, why(change))
}

/// ` (code: words)` of a change, of that which there is; else nothing. Where it is a finding, with whose
/// turn it is: ` (proxied, owner: …)`.
pub fn why(change: &Change) -> String {
    let detail = change.detail.as_deref();
    match change.finding {
        None => in_parentheses(change.reason, detail),
        Some(code) => {
            let (turn, words) = (turn(code.actor()), plain(detail.unwrap_or_default()));
            format!(" ({}, {turn}: {words})", code.as_str())
        }
    }
}

/// Whose turn it is, in a word.
pub fn turn(actor: Actor) -> &'static str {
    match actor {
        Actor::Nobody => "wait",
        somebody => somebody.as_str(),
    }
}

/// Why a served domain is broken: what its last check found first, and whose turn it is; none where
/// that found nothing.
pub(crate) fn broken(entry: &Entry) -> Option<String> {
    let (finding, language) = (first_error(entry)?, Language::English);
    let turn = findings::turn(finding.actor(), language);
    let label = language.labels().whose_turn;
    Some(format!("{} ({label}: {turn})", findings::text(finding, language)))
}

/// What is told of a domain before all else. A reason of a state has one sentence, in English.
pub fn headline(headline: &Headline<'_>, language: Language) -> String {
    match headline {
        Headline::Found(finding) => findings::text(finding, language),
        Headline::State(why, _) => reason(why),
    }
}

/// The sentence of a reason, with what was seen or the host said.
fn reason(why: &Why<'_>) -> String {
    let detail = why.detail.map(|detail| format!(" ({})", plain(detail))).unwrap_or_default();
    format!("{}{detail}", why.reason.sentence())
}

/// Whose twin an entry is.
pub fn twin(entry: &Entry) -> Option<String> {
    entry.twin_of().map(|parent| format!("twin of {parent}"))
}

/// More of a kind than these are one line.
const NAMED: usize = 5;

/// What is told, a text each: where more than five are of a kind, one for all of them.
pub fn tellings(tellings: &[Telling]) -> Vec<String> {
    let same = |a: &Telling, b: &Telling| {
        (a.phase, a.topic.kind, a.is_good) == (b.phase, b.topic.kind, b.is_good)
            && (a.topic.kind != Kind::Domain || a.code == b.code)
    };
    let mut sorted: Vec<&Telling> = tellings.iter().collect();
    sorted.sort_by_key(|it| (it.phase, it.topic.kind, &it.code, it.is_good));
    let groups = sorted.chunk_by(|a, b| same(a, b));
    let texts = groups.flat_map(|group| match group {
        [first, ..] if NAMED < group.len() => vec![many(first, group)],
        few => few.iter().map(|it| telling(it)).collect(),
    });
    texts.collect()
}

fn telling(telling: &Telling) -> String {
    let Telling { topic, phase, code, what, .. } = telling;
    let (about, what) = (plain(&topic.about), plain(what));
    let lasted = rough(telling.lasted);
    match (topic.kind, phase) {
        (Kind::Alert, Phase::Begins) => format!("attention: {what}"),
        (Kind::Alert, Phase::Lasts) => format!("attention, for {lasted}: {what}"),
        (Kind::Alert, Phase::Ends) => format!("over after {lasted}: {what}"),
        (Kind::Domain, Phase::Begins) => format!("{about} is {code}: {what}"),
        (Kind::Domain, Phase::Lasts) => format!("{about} is {code} for {lasted}: {what}"),
        (Kind::Domain, Phase::Ends) if telling.is_good => {
            format!("{about} is good again after {lasted}; it was {code}")
        }
        (Kind::Domain, Phase::Ends) => format!("{about}, which was {code}, is not mapped any more"),
        (Kind::Refused, _) => format!("the host refuses {about} ({code}): {what}"),
        (Kind::Problem, _) => format!("problem: {what}"),
    }
}

/// One line for all of a `group`, which `first` is of.
fn many(first: &Telling, group: &[&Telling]) -> String {
    let (count, code) = (group.len(), &first.code);
    let what = match (first.topic.kind, first.phase) {
        (Kind::Alert, _) => "alerts".to_owned(),
        (Kind::Domain, Phase::Begins) => format!("domains are {code}"),
        (Kind::Domain, Phase::Lasts) => format!("domains are still {code}"),
        (Kind::Domain, Phase::Ends) if first.is_good => {
            format!("domains that were {code} are good again")
        }
        (Kind::Domain, Phase::Ends) => format!("domains that were {code} are not mapped any more"),
        (Kind::Refused, _) => "names are refused by the host".to_owned(),
        (Kind::Problem, _) => "new problems".to_owned(),
    };
    let named = group.iter().take(NAMED).map(|it| plain(&it.topic.about));
    let named = named.collect::<Vec<_>>().join(", ");
    let rest = count - NAMED;
    format!("{count} {what}: {named} and {rest} more; `closte-sync status` shows all of them")
}

/// What a digest tells, a line for all domains of which it tells the same.
pub fn digest(digest: &Digest) -> String {
    let groups = digest.items.chunk_by(|a, b| a.what == b.what);
    let line = |group: &[Item]| {
        let what = group.first().map(|it| it.what.as_str()).unwrap_or_default();
        let label = Happening::from_word(what).map_or("other", happening);
        let names: Vec<_> = group.iter().map(|it| plain(&it.domain)).collect();
        format!("{label}: {}", names.join(", "))
    };
    let mut lines: Vec<String> = groups.map(line).collect();
    if 0 < digest.more {
        lines.push(format!("and {} more; `closte-sync status` shows all of them", digest.more));
    }
    lines.join("\n")
}

fn happening(what: Happening) -> &'static str {
    match what {
        Happening::Mapped => "mapped",
        Happening::Moved => "moved to another site",
        Happening::Unmapped => "not mapped any more",
        Happening::Added => "added at the host",
        Happening::Removed => "removed from the host",
        Happening::Ready => "ready",
        Happening::WaitsForOwner => "waiting for its owner to change DNS",
    }
}

/// Why calls to the host rest, and until when, seen from `now`; none where they do not.
pub fn rests(host: &HostState, now: Time) -> Option<String> {
    match host {
        HostState::Ok => None,
        HostState::Paused { reason, until } => Some(format!(
            "calls to the host rest for another {}: {}",
            rough(until.since(now)),
            reason.sentence()
        )),
        HostState::KeyRefused { words } => Some(format!(
            "calls to the host rest until it accepts the key: {}; its answer: {}",
            Reason::KeyRefused.sentence(),
            plain(words)
        )),
    }
}

/// Why the last pass did not act for the network, and what to do about it.
pub fn not_acting(why: NotActing) -> &'static str {
    match why {
        NotActing::Copy => {
            "this is a copy of the installation that acts for the network: nothing is sent or written; where this is the network now, run `closte-sync enable --here`"
        }
        NotActing::OtherNetwork => {
            "the ledger was filled from another network: nothing is sent or written; point closte-sync at the right wp-config.php, or run `closte-sync enable --here` if this is the network now"
        }
        NotActing::SwitchedOff => {
            "the Closte integration is switched off: nothing is sent or written until `closte-sync enable`"
        }
        NotActing::MappingDisabled => {
            "domain mapping is switched off in Ultimate Multisite: nothing is sent or written"
        }
        NotActing::SwitchUnreadable => {
            "a switch of the network cannot be read: nothing is sent or written; `closte-sync doctor` names it"
        }
    }
}

/// That the certificates of a week may not be enough for the names of a registrable domain.
pub fn budget(name: &DomainName, budget: &Budget) -> String {
    let Budget { issued, waiting, .. } = budget;
    format!(
        "`{name}`: {issued} names got their first certificate within a week and {waiting} wait for \
         theirs, and Let's Encrypt gives a registrable domain {A_WEEK} a week; `closte-sync suggest` \
         says whether a wildcard would spare them"
    )
}

/// What a wildcard would spare, and how it is made; `link` is the page of the host for that.
pub fn suggestion(suggestion: &Suggestion, link: Option<&str>) -> String {
    let Suggestion { wildcard, spares } = suggestion;
    let at = link.map_or_else(|| "on Closte's dashboard".to_owned(), |link| format!("at {link}"));
    format!(
        "`{wildcard}` would have spared {spares} certificates within a week: let its DNS point to the \
         network (a record `*`), and add it {at} with a wildcard certificate"
    )
}

/// That no target is known, and why, `own` being the network's domain.
pub fn no_targets(targets: &Targets, own: Option<&DomainName>) -> String {
    let unknown = "it is not known where domains must point";
    if let Some(proxied) = proxied(targets) {
        return format!("{unknown}: {proxied}; set `checks.targets`");
    }
    let own = own.map(|own| match &targets.missed {
        Some(missed) => format!(": DNS did not tell of `{own}` ({})", plain(missed)),
        None => {
            format!(": `{own}` has no address in DNS and no address in CLOSTE_PUBLIC_IP_ADDRESS is known")
        }
    });
    format!("{unknown}{}; set `checks.targets`", own.unwrap_or_default())
}

/// Which addresses are no targets as they are a proxy's, if any.
pub fn proxied(targets: &Targets) -> Option<String> {
    let proxied: Vec<String> = targets.proxied.iter().map(ToString::to_string).collect();
    let why = "of Cloudflare's proxy, so no target";
    (!proxied.is_empty()).then(|| format!("{} is {why}", proxied.join(", ")))
}

/// Where domains must point, and how that is known.
pub fn targets(targets: &Targets) -> String {
    let addresses: Vec<String> = targets.addresses.iter().map(ToString::to_string).collect();
    let source = match &targets.source {
        TargetSource::Set => "by `checks.targets`".to_owned(),
        TargetSource::Own(Some(own)) if targets.is_as_own() => format!("as `{}` does", own.domain),
        TargetSource::Own(_) => "by CLOSTE_PUBLIC_IP_ADDRESS".to_owned(),
    };
    format!("domains must point to {}, {source}", addresses.join(", "))
}

/// Why the installation of `is` does not act for its network.
pub(crate) fn not_ours(is: &Identity, why: &NotOurs<'_>) -> String {
    let (home, how) = match why {
        NotOurs::OtherNetwork { differs } => {
            return format!("the ledger was filled from another network ({differs})");
        }
        NotOurs::Copy(home, how) => (home, how),
    };
    let app = |app: &Option<String>| app.clone().unwrap_or_else(|| "none".to_owned());
    let place = match home.place.to_string() {
        place if place.is_empty() => String::new(),
        place => format!(", at {place}"),
    };
    match how {
        Copied::Installation => format!(
            "this is a copy: the network belongs to the installation at `{}` (CLOSTE_APP_ID {}), and \
             this is `{}` (CLOSTE_APP_ID {})",
            home.domain,
            app(&home.app),
            is.domain,
            app(&is.app),
        ),
        Copied::Ledger => {
            format!("this is a copy: another ledger ({}{place}) acts for the network", home.ledger)
        }
        Copied::OldLedger => format!(
            "this is a copy: the ledger is older than what the network remembers of it{place}: an \
             old one was put back"
        ),
    }
}

/// What to do about it.
pub(crate) fn not_ours_hint(why: &NotOurs<'_>) -> &'static str {
    match why {
        NotOurs::Copy(..) => {
            "if this installation is the one that counts now, run `closte-sync enable --here`"
        }
        NotOurs::OtherNetwork { .. } => {
            "point closte-sync at the right wp-config.php, or at a ledger of its own (`ledger.url`); \
             if this is the network now, run `closte-sync enable --here`"
        }
    }
}

fn why_of(event: &Event) -> String {
    in_parentheses(event.reason, event.detail.as_deref().filter(|_| event.reason.is_some()))
}

fn in_parentheses(reason: Option<Reason>, detail: Option<&str>) -> String {
    match (reason, detail.map(plain)) {
        (Some(reason), Some(detail)) => format!(" ({reason}: {detail})"),
        (Some(reason), None) => format!(" ({reason})"),
        (None, Some(detail)) => format!(" ({detail})"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rules::action::{Action, Outcome};
    use rules::entry::{Alias, Mapped, Routing};
    use rules::finding::{Code, Finding};
    use rules::telling::Topic;

    use super::*;

    fn one(kind: Kind, number: u32, phase: Phase, is_good: bool) -> Telling {
        let topic = Topic { kind, about: format!("d{number}.example") };
        let (code, what) = ("broken".to_owned(), format!("text {number}"));
        Telling { topic, phase, code, what, lasted: Duration::from_hours(2), is_good }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn what_is_told_reads_as_a_sentence() {
        use Phase::{Begins, Ends, Lasts};
        let table = [
            (Kind::Alert,   Begins, false, "attention: text 1"),
            (Kind::Alert,   Lasts,  false, "attention, for 2 h: text 1"),
            (Kind::Alert,   Ends,   false, "over after 2 h: text 1"),
            (Kind::Domain,  Begins, false, "d1.example is broken: text 1"),
            (Kind::Domain,  Lasts,  false, "d1.example is broken for 2 h: text 1"),
            (Kind::Domain,  Ends,   true,  "d1.example is good again after 2 h; it was broken"),
            (Kind::Domain,  Ends,   false, "d1.example, which was broken, is not mapped any more"),
            (Kind::Refused, Begins, false, "the host refuses d1.example (broken): text 1"),
            (Kind::Problem, Begins, false, "problem: text 1"),
        ];
        for (kind, phase, is_good, text) in table {
            assert_eq!(tellings(&[one(kind, 1, phase, is_good)]), [text]);
        }
    }

    #[test]
    fn more_than_five_of_a_kind_are_one_line_with_their_count() {
        let some = |kind, count, phase, is_good| {
            (0..count).map(move |number| one(kind, number, phase, is_good))
        };
        let five: Vec<_> = some(Kind::Domain, 5, Phase::Begins, false).collect();
        assert_eq!(tellings(&five).len(), 5);
        let many = some(Kind::Domain, 6, Phase::Begins, false);
        let many = many.chain(some(Kind::Problem, 8, Phase::Begins, false));
        let many: Vec<_> = many.chain(some(Kind::Domain, 7, Phase::Ends, true)).collect();
        let named = "d0.example, d1.example, d2.example, d3.example, d4.example";
        let rest = "more; `closte-sync status` shows all of them";
        let want = [
            format!("7 domains that were broken are good again: {named} and 2 {rest}"),
            format!("6 domains are broken: {named} and 1 {rest}"),
            format!("8 new problems: {named} and 3 {rest}"),
        ];
        assert_eq!(tellings(&many), want);
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn an_event_reads_as_a_sentence_of_its_values() {
        use EventKind::{Alias, Host, Mapping, Note, Recheck, Stage};
        let table = [
            // kind   from             to               reason                     detail        text
            (Mapping, None,            Some("4"),       None,                      None,         "mapped to site 4"),
            (Mapping, Some("4"),       None,            None,                      None,         "its mapping is gone"),
            (Mapping, Some("4"),       Some("5"),       None,                      None,         "moved from site 4 to site 5"),
            (Alias,   Some("wanted"),  Some("present"), None,                      None,         "wanted → present"),
            (Alias,   Some("adding"),  Some("adding"),  Some(Reason::HostSaidNo),  Some("nein"), "still adding (host-said-no: nein)"),
            (Alias,   Some("present"), Some("wanted"),  Some(Reason::Vanished),    None,         "present → wanted (vanished)"),
            (Stage,   Some("failed"),  Some("done"),    None,                      None,         "failed → done"),
            (Recheck, None,            None,            None,                      None,         "somebody asked for a check"),
            (Host,    None,            Some("add-alias"), Some(Reason::HostSaidNo), Some("nein"), "add-alias: nein"),
            (Note,    None,            None,            None,                      Some("alias: wanted → present"), "alias: wanted → present"),
        ];
        for (kind, from, to, reason, detail, text) in table {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let (from, to, detail) = (owned(from), owned(to), owned(detail));
            let domain = "a.example".parse().unwrap();
            let at = Time::from_millis(0);
            assert_eq!(event(&Event { at, domain, kind, from, to, reason, detail }), text);
        }
    }

    #[test]
    fn a_step_says_what_was_found_and_whose_turn_it_is() {
        let step = |reason, finding, detail: Option<&str>| {
            let (action, outcome) = (Action::Check, Outcome::Waiting);
            let (domain, detail) = ("a.example".parse().unwrap(), detail.map(str::to_owned));
            change(&Change { action, domain, outcome, reason, finding, detail })
        };
        let (reason, words) = (Some(Reason::OtherAddress), Some("Change it."));
        let table = [
            (step(None, None, None), ""),
            (step(reason, None, words), " (other-address: Change it.)"),
            (step(reason, Some(Code::Proxied), words), " (proxied, owner: Change it.)"),
            (step(None, Some(Code::Issuing), words), " (issuing, wait: Change it.)"),
        ];
        for (text, want) in table {
            assert_eq!(text, format!("check a.example: waiting{want}"));
        }
    }

    #[test]
    fn a_headline_is_the_text_of_its_finding_in_that_language_or_the_sentence_of_a_reason() {
        let at = Time::from_millis(0);
        let mapped =
            Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, left_alone: None };
        let mut entry = Entry::new("a.example".parse().unwrap(), Some(mapped), at);
        entry.alias.set(at, Alias::Present, None, None);
        let (reason, seen) = (Some(Reason::OtherAddress), Some("192.0.2.7".to_owned()));
        entry.routing.set(at, Routing::Elsewhere, reason, seen);
        let text =
            |entry: &Entry, language| headline(&rules::explain::headline(entry).unwrap(), language);
        let sentence = "DNS points to another server; its owner must change it (192.0.2.7)";
        assert_eq!(text(&entry, Language::Dutch), sentence);
        assert_eq!(broken(&entry), None);
        let finding = Finding::new(Code::Proxied);
        entry.findings = vec![Finding::new(Code::ExpiresSoon), finding.clone()];
        for language in Language::ALL {
            assert_eq!(text(&entry, language), findings::text(&finding, language));
        }
        let told = broken(&entry).unwrap();
        assert!(told.ends_with("(whose turn: the owner of the domain must act)"), "{told}");
    }
}
