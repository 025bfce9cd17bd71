//! What is the same of each state: why it is so, since when, and that it could not be observed.

use crate::reason::Reason;
use crate::{Time, plain};

/// One of the states of a domain, with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition<S> {
    /// The state.
    pub state: S,
    /// Why, as a code.
    pub reason: Option<Reason>,
    /// Why, for people; for the alias the host's own words.
    pub detail: Option<String>,
    /// Since when it has been in this state.
    pub since: Time,
    /// That it could not be observed when it was last looked at: it is as it was seen before.
    pub unseen: Option<Unseen>,
}

/// Since when a state could not be observed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Since when.
    pub since: Time,
    /// When it was last observed before that; the same where it never was.
    pub seen: Time,
    /// Why the last time, as a code.
    pub reason: Reason,
    /// Why, for people.
    pub detail: Option<String>,
}

impl Unseen {
    /// What stands for it in the place of a state.
    pub const WORD: &str = "unseen";

    /// Why it could not be observed.
    pub fn why(&self) -> Why<'_> {
        Why { reason: self.reason, detail: self.detail.as_deref(), since: Some(self.since) }
    }
}

/// Why something is as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Why<'a> {
    pub reason: Reason,
    /// In words: the host's own, or what was seen.
    pub detail: Option<&'a str>,
    /// Since when it is as it is; none where that is not remembered.
    pub since: Option<Time>,
}

impl<S> Condition<S> {
    /// Why it is so, where there is a reason.
    pub fn why(&self) -> Option<Why<'_>> {
        let detail = self.detail.as_deref();
        self.reason.map(|reason| Why { reason, detail, since: Some(self.since) })
    }
}

impl<S: Copy + PartialEq> Condition<S> {
    /// `state`, entered at `since`, with nothing to say about it.
    pub fn new(state: S, since: Time) -> Self {
        Self { state, reason: None, detail: None, since, unseen: None }
    }

    /// Be in `state` for `reason`; `since` changes only where the state does. Of the detail
    /// [`plain::kept`] is kept.
    pub fn set(&mut self, now: Time, state: S, reason: Option<Reason>, detail: Option<String>) {
        if self.state != state {
            self.since = now;
        }
        (self.state, self.reason, self.detail) = (state, reason, detail.map(plain::kept));
    }

    /// The same, as it was observed to be.
    pub fn see(&mut self, now: Time, state: S, reason: Option<Reason>, detail: Option<String>) {
        self.set(now, state, reason, detail);
        self.unseen = None;
    }

    /// It could not be observed, for `reason`: it stays as it was when it was last `seen`.
    pub fn miss(&mut self, now: Time, seen: Option<Time>, reason: Reason, detail: Option<&str>) {
        let detail = detail.map(|detail| plain::kept(detail.to_owned()));
        let before = self.unseen.as_ref();
        let since = before.map_or(now, |unseen| unseen.since.min(now));
        let seen = before.map_or(seen.unwrap_or(since), |unseen| unseen.seen).min(since);
        self.unseen = Some(Unseen { since, seen, reason, detail });
    }
}
