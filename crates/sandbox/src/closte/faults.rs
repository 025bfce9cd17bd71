//! Bad days of the host: which call they hit, how often, and what they do to it.
//!
//! A fault is data. What it does on the wire is in `server`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::log::CallKind;

/// One rule. The first rule that matches a call and is not used up hits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens instead of the answer.
    pub act: Act,
    /// The kind of call it hits; any, when absent.
    #[serde(default)]
    pub call: Option<CallKind>,
    /// The domain it hits; any, when absent.
    #[serde(default)]
    pub domain: Option<String>,
    /// How many calls it still hits; always, when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// Whether the alias is added or removed all the same.
    #[serde(default)]
    pub effect: bool,
    /// How long the call waits before that.
    #[serde(default, with = "crate::seconds")]
    pub delay: Duration,
}

/// What a fault does to the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Nothing: the true answer, after the delay.
    Answer,
    /// Another HTTP answer.
    Status {
        /// The HTTP status code.
        status: u16,
        /// Headers to send with it.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body, sent as it is.
        #[serde(default)]
        body: String,
    },
    /// 429, with or without `Retry-After` (RFC 9110, 10.2.3).
    RateLimited {
        /// What the header says.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
    },
    /// A page for people, with status 200.
    Html,
    /// Status 200 and no body.
    Empty,
    /// The first half of the true answer, well framed: half a JSON.
    HalfJson,
    /// The connection closes in the middle of the body.
    Cut,
    /// The connection is reset before the answer.
    Reset,
    /// The connection closes before the answer.
    Close,
    /// No answer ever comes; the connection stays open.
    Hang,
}

/// The two forms of `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// A date, so many seconds from the answer on.
    DateIn(u64),
}

impl Fault {
    /// A fault that hits every call forever, without effect.
    pub fn new(act: Act) -> Self {
        Self { act, call: None, domain: None, times: None, effect: false, delay: Duration::ZERO }
    }

    /// The true answer, with its effect, but late.
    pub fn slow(delay: Duration) -> Self {
        Self { delay, effect: true, ..Self::new(Act::Answer) }
    }

    /// A bare HTTP status, such as 500 or 503.
    pub fn status(status: u16) -> Self {
        Self::body(status, "")
    }

    /// An HTTP status with a body.
    pub fn body(status: u16, body: &str) -> Self {
        Self::new(Act::Status { status, headers: Vec::new(), body: body.to_owned() })
    }

    /// A redirect (302) to another address.
    pub fn redirect(to: &str) -> Self {
        let headers = vec![("location".to_owned(), to.to_owned())];
        Self::new(Act::Status { status: 302, headers, body: String::new() })
    }

    /// 429.
    pub fn rate_limited(retry_after: Option<RetryAfter>) -> Self {
        Self::new(Act::RateLimited { retry_after })
    }

    /// Hit only calls of this kind.
    #[must_use]
    pub fn on(mut self, call: CallKind) -> Self {
        self.call = Some(call);
        self
    }

    /// Hit only calls about this domain.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_owned());
        self
    }

    /// Hit this many calls, then be over.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Hit one call.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Apply the effect of the call first.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.effect = true;
        self
    }

    fn hits(&self, call: CallKind, domain: Option<&str>) -> bool {
        self.times != Some(0)
            && self.call.is_none_or(|mine| mine == call)
            && self
                .domain
                .as_deref()
                .is_none_or(|mine| domain.is_some_and(|domain| mine.eq_ignore_ascii_case(domain)))
    }
}

/// Take the fault that hits a call, and count it.
pub(super) fn take(faults: &mut Vec<Fault>, call: CallKind, domain: Option<&str>) -> Option<Fault> {
    let at = faults.iter().position(|fault| fault.hits(call, domain))?;
    let hit = faults[at].clone();
    match &mut faults[at].times {
        Some(1) => drop(faults.remove(at)),
        Some(times) => *times -= 1,
        None => {}
    }
    Some(hit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_what_it_names_and_as_often_as_it_says() {
        let mut faults = vec![
            Fault::status(500).on(CallKind::Add).domain("a.test").times(2),
            Fault::status(503).on(CallKind::List),
        ];
        let mut hit = |call, domain| take(&mut faults, call, domain).map(|fault| fault.act);
        let broken = |status| Some(Fault::status(status).act);

        assert_eq!(hit(CallKind::Add, Some("b.test")), None);
        assert_eq!(hit(CallKind::Delete, Some("a.test")), None);
        assert_eq!(hit(CallKind::Add, Some("a.test")), broken(500));
        assert_eq!(hit(CallKind::Add, Some("a.test")), broken(500));
        assert_eq!(hit(CallKind::Add, Some("a.test")), None);
        assert_eq!(hit(CallKind::List, None), broken(503));
        assert_eq!(hit(CallKind::List, None), broken(503));
    }
}
