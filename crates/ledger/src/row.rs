//! A row of `entries` on its way to and from SQLite.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use rules::entry::{
    Alias, Certificate, Checks, Condition, Gone, Intent, LeftAlone, Mapped, Owned, OwnedAs, Proof,
    Routing, Step, Unseen, ZoneFails,
};
use rules::explain::Looked;
use rules::ledger::LedgerError;
use rules::twins::Twin;
use rules::{Entry, Reason, Stage, Time};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Serialize, Serializer};

use crate::finding::FindingState;

/// Why a row makes no entry.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error(
        "the entry of `{domain}` has `{value}` in the column `{column}`, which no closte-sync up to this one writes there"
    )]
    Unknown { domain: String, column: &'static str, value: String },
    #[error("the entry of `{domain}` is invalid")]
    Malformed { domain: String, source: serde_json::Error },
}

impl From<Unreadable> for LedgerError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Read(unreadable.into())
    }
}

macro_rules! row {
    ($($(#[$attribute:meta])* $column:ident: $kind:ty,)*) => {
        /// A row of `entries`, without its lease.
        #[derive(Deserialize)]
        pub(crate) struct Row<'a> {
            $($(#[$attribute])* pub(crate) $column: $kind,)*
        }

        /// Its columns, in the same order.
        pub(crate) const COLUMNS: &[&str] = &[$(stringify!($column)),*];

        /// As a list: SQLite finds a value by its place much sooner than by its name.
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_tuple(COLUMNS.len())?;
                $(list.serialize_element(&self.$column)?;)*
                list.end()
            }
        }
    };
}

row! {
    domain: &'a str,
    version: i64,
    mapping_id: Option<i64>,
    site_id: Option<i64>,
    #[serde(borrow)]
    twin: Option<&'a str>,
    #[serde(borrow)]
    stage: Option<&'a str>,
    alias: &'a str,
    #[serde(borrow)]
    owned: Option<&'a str>,
    owned_since: Option<i64>,
    intent_at: Option<i64>,
    intent_list_lacked: u8,
    next_step: i64,
    next_check: i64,
    not_after: Option<i64>,
    state: State<'a>,
}

/// Fields of the state. One that has its default is not written, as most have: the fewer pages of
/// the ledger a batch fills, the sooner it is on the disk. One that is missing has its default.
macro_rules! state {
    ($(#[$doc:meta])* struct $name:ident $(<$life:lifetime>)? {
        $($(#[$attribute:meta])* $field:ident: $kind:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Default, Deserialize, PartialEq, Serialize)]
        #[serde(default)]
        pub(crate) struct $name $(<$life>)? {
            $(#[serde(skip_serializing_if = "is_default")] $(#[$attribute])* $field: $kind,)*
        }
    };
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

state! {
    /// All of an entry that is in no column.
    struct State<'a> {
        first_seen: i64,
        other_rows: Cow<'a, [u64]>,
        secure: u8,
        #[serde(rename = "contested")]
        left_alone: u8,
        #[serde(borrow)]
        alias: Said<'a>,
        routing: Said<'a>,
        found: Cow<'a, [IpAddr]>,
        certificate: Said<'a>,
        issuer: Option<Cow<'a, str>>,
        proof: Said<'a>,
        shown: u8,
        confirmed: u8,
        tries: u32,
        checks: CheckState,
        gone: GoneState,
        tombstone: Option<i64>,
        rechecked_at: Option<i64>,
        muted_until: Option<i64>,
        findings: Vec<FindingState>,
        looked: Option<(i64, Cow<'a, str>)>,
    }
}

state! {
    /// One of the states of a domain; that of the alias is a column.
    struct Said<'a> {
        #[serde(borrow)]
        state: Option<&'a str>,
        #[serde(borrow)]
        reason: Option<&'a str>,
        detail: Option<Cow<'a, str>>,
        since: i64,
        #[serde(borrow)]
        unseen: Option<Missed<'a>>,
    }
}

state! {
    /// That it could not be observed.
    struct Missed<'a> {
        since: i64,
        seen: i64,
        #[serde(borrow)]
        reason: &'a str,
        detail: Option<Cow<'a, str>>,
    }
}

state! {
    /// Times in milliseconds since 1970, spans in milliseconds.
    struct CheckState {
        made: u32,
        last: Option<i64>,
        gap: i64,
        hot_until: i64,
        bad: u32,
        bad_since: Option<i64>,
        zone_fails: Option<(i64, i64)>,
    }
}

state! {
    /// Good reads without its mapping.
    struct GoneState {
        reads: u32,
        counted_at: Option<i64>,
    }
}

impl<'a> Row<'a> {
    /// The next version of `entry`.
    pub(crate) fn next_of(entry: &'a Entry) -> Self {
        let mapped = entry.mapped.as_ref();
        let intent = entry.step.intent.as_ref();
        Self {
            domain: entry.domain.as_str(),
            version: entry.version.saturating_add(1).cast_signed(),
            // The same bits: SQLite has no unsigned integers.
            mapping_id: mapped.map(|mapped| mapped.mapping_id.cast_signed()),
            site_id: mapped.map(|mapped| mapped.site_id.cast_signed()),
            twin: entry.twin.map(Twin::as_str),
            stage: mapped.and_then(|mapped| mapped.stage).map(Stage::as_str),
            alias: entry.alias.state.as_str(),
            owned: entry.owned.map(|owned| owned.how.as_str()),
            owned_since: entry.owned.map(|owned| owned.since.as_millis()),
            intent_at: intent.map(|intent| intent.at.as_millis()),
            intent_list_lacked: intent.is_some_and(|intent| intent.list_lacked).into(),
            next_step: entry.step.due.as_millis(),
            next_check: entry.checks.due.as_millis(),
            not_after: entry.not_after.map(Time::as_millis),
            state: State::of(entry),
        }
    }
}

impl<'a> State<'a> {
    fn of(entry: &'a Entry) -> Self {
        let mapped = entry.mapped.as_ref();
        Self {
            first_seen: entry.first_seen.as_millis(),
            secure: mapped.is_some_and(|mapped| mapped.secure).into(),
            left_alone: left_alone(mapped.and_then(|mapped| mapped.left_alone)),
            alias: Said::of(&entry.alias, None),
            routing: Said::of(&entry.routing, Some(entry.routing.state.as_str())),
            found: entry.found.as_slice().into(),
            certificate: Said::of(&entry.certificate, Some(entry.certificate.state.as_str())),
            issuer: entry.issuer.as_deref().map(Cow::from),
            proof: Said::of(&entry.proof, Some(entry.proof.state.as_str())),
            shown: entry.shown.into(),
            confirmed: entry.confirmed.into(),
            tries: entry.step.tries,
            checks: CheckState::from(&entry.checks),
            gone: GoneState::from(&entry.gone),
            tombstone: entry.tombstone.map(Time::as_millis),
            rechecked_at: entry.rechecked_at.map(Time::as_millis),
            muted_until: entry.muted_until.map(Time::as_millis),
            findings: entry.findings.iter().map(FindingState::from).collect(),
            looked: entry.looked.as_ref().map(|it| (it.at.as_millis(), Cow::from(&it.saw))),
            other_rows: Cow::from(&entry.other_rows),
        }
    }
}

/// A ledger that knew one reason only wrote 1 for it.
fn left_alone(why: Option<LeftAlone>) -> u8 {
    match why {
        None => 0,
        Some(LeftAlone::Contested) => 1,
        Some(LeftAlone::Misspelled) => 2,
    }
}

impl<'a> Said<'a> {
    fn of<S>(condition: &'a Condition<S>, state: Option<&'a str>) -> Self {
        let detail = condition.detail.as_deref().map(Cow::from);
        let since = condition.since.as_millis();
        let unseen = condition.unseen.as_ref().map(Missed::of);
        Self { state, reason: condition.reason.map(Reason::code), detail, since, unseen }
    }

    /// In `state`, whatever it says itself.
    fn into_condition<S>(self, state: S) -> Condition<S> {
        Condition {
            state,
            reason: self.reason.and_then(Reason::from_code),
            detail: self.detail.map(Cow::into_owned),
            since: Time::from_millis(self.since),
            unseen: self.unseen.and_then(Missed::into_unseen),
        }
    }
}

impl<'a> Missed<'a> {
    fn of(unseen: &'a Unseen) -> Self {
        let Unseen { since, seen, reason, detail } = unseen;
        let detail = detail.as_deref().map(Cow::from);
        let (since, seen) = (since.as_millis(), seen.as_millis());
        Self { since, seen, reason: reason.code(), detail }
    }

    /// None where its reason is not known to us.
    fn into_unseen(self) -> Option<Unseen> {
        let (since, seen) = (Time::from_millis(self.since), Time::from_millis(self.seen));
        let (reason, detail) = (Reason::from_code(self.reason)?, self.detail.map(Cow::into_owned));
        Some(Unseen { since, seen, reason, detail })
    }
}

impl From<&Checks> for CheckState {
    fn from(checks: &Checks) -> Self {
        let Checks { made, last, due: _, gap, hot_until, bad, bad_since, zone_fails } = checks;
        Self {
            made: *made,
            last: last.map(Time::as_millis),
            gap: i64::try_from(gap.as_millis()).unwrap_or(i64::MAX),
            hot_until: hot_until.as_millis(),
            bad: *bad,
            bad_since: bad_since.map(Time::as_millis),
            zone_fails: zone_fails.map(|it| (it.since.as_millis(), it.last.as_millis())),
        }
    }
}

impl CheckState {
    fn into_checks(self, due: i64) -> Checks {
        Checks {
            made: self.made,
            last: self.last.map(Time::from_millis),
            due: Time::from_millis(due),
            gap: Duration::from_millis(self.gap.cast_unsigned()),
            hot_until: Time::from_millis(self.hot_until),
            bad: self.bad,
            bad_since: self.bad_since.map(Time::from_millis),
            zone_fails: self.zone_fails.map(|(since, last)| ZoneFails {
                since: Time::from_millis(since),
                last: Time::from_millis(last),
            }),
        }
    }
}

impl From<&Gone> for GoneState {
    fn from(gone: &Gone) -> Self {
        let counted_at = gone.counted_at.map(Time::as_millis);
        Self { reads: gone.reads, counted_at }
    }
}

impl From<GoneState> for Gone {
    fn from(state: GoneState) -> Self {
        let counted_at = state.counted_at.map(Time::from_millis);
        Self { reads: state.reads, counted_at }
    }
}

impl TryFrom<Row<'_>> for Entry {
    type Error = Unreadable;

    fn try_from(row: Row<'_>) -> Result<Self, Unreadable> {
        let unknown = |column, value: &str| {
            let (domain, value) = (row.domain.to_owned(), value.to_owned());
            Unreadable::Unknown { domain, column, value }
        };
        let owned = match (row.owned, row.owned_since) {
            (Some(word), Some(since)) => {
                let how = OwnedAs::from_word(word).ok_or_else(|| unknown("owned", word))?;
                Some(Owned { how, since: Time::from_millis(since) })
            }
            _ => None,
        };
        let alias = Alias::from_word(row.alias).ok_or_else(|| unknown("alias", row.alias))?;
        let twin = row.twin.map(|word| Twin::from_word(word).ok_or_else(|| unknown("twin", word)));
        let state = row.state;
        let routing = state.routing.state.and_then(Routing::from_word);
        let certificate = state.certificate.state.and_then(Certificate::from_word);
        let proof = state.proof.state.and_then(Proof::from_word);
        Ok(Self {
            domain: row.domain.parse().map_err(|_| unknown("domain", row.domain))?,
            version: row.version.cast_unsigned(),
            mapped: row.mapping_id.zip(row.site_id).map(|(mapping_id, site_id)| Mapped {
                mapping_id: mapping_id.cast_unsigned(),
                site_id: site_id.cast_unsigned(),
                stage: row.stage.and_then(Stage::from_word),
                secure: state.secure != 0,
                left_alone: match state.left_alone {
                    0 => None,
                    2 => Some(LeftAlone::Misspelled),
                    _ => Some(LeftAlone::Contested),
                },
            }),
            twin: twin.transpose()?,
            first_seen: Time::from_millis(state.first_seen),
            alias: state.alias.into_condition(alias),
            routing: state.routing.into_condition(routing.unwrap_or(Routing::Unknown)),
            found: state.found.into_owned(),
            certificate: state
                .certificate
                .into_condition(certificate.unwrap_or(Certificate::Unknown)),
            issuer: state.issuer.map(Cow::into_owned),
            not_after: row.not_after.map(Time::from_millis),
            proof: state.proof.into_condition(proof.unwrap_or(Proof::Unproven)),
            owned,
            shown: state.shown != 0,
            confirmed: state.confirmed != 0,
            step: Step {
                intent: row.intent_at.map(|at| Intent {
                    at: Time::from_millis(at),
                    list_lacked: row.intent_list_lacked != 0,
                }),
                tries: state.tries,
                due: Time::from_millis(row.next_step),
            },
            checks: state.checks.into_checks(row.next_check),
            gone: state.gone.into(),
            tombstone: state.tombstone.map(Time::from_millis),
            rechecked_at: state.rechecked_at.map(Time::from_millis),
            muted_until: state.muted_until.map(Time::from_millis),
            findings: state.findings.into_iter().filter_map(FindingState::into_finding).collect(),
            looked: state
                .looked
                .map(|(at, saw)| Looked { at: Time::from_millis(at), saw: saw.into_owned() }),
            other_rows: state.other_rows.into_owned(),
        })
    }
}
