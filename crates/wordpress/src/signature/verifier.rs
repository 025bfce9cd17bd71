//! Whether a request came from the other side, just now, and for the first time.
//!
//! Nothing about a request is stored before its signature is right, except for the count of
//! refusals.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hmac::Mac;
use rules::Time;

use super::{Headers, Message, Secret, code};

/// How much the other side's clock may differ, in seconds.
const SKEW: u64 = 60;

/// How long a nonce is remembered: as long as its time can be valid.
const MEMORY: Duration = Duration::from_mins(2);

/// More good requests than this in two minutes mean that something is wrong.
const MOST_NONCES: usize = 10_000;

/// So many refusals in a minute are counted one by one.
const MOST_REFUSALS: u32 = 10;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A header is missing or invalid.
    Unsigned,
    /// The signature is not of this request with our secret.
    Forged,
    /// Its time differs from ours, or is before we started.
    Late,
    /// It was received before.
    Replayed,
    /// We have no secret.
    NoSecret,
    /// Too many bad requests in this minute.
    TooMany,
}

impl Refusal {
    /// The code that the other side reads.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unsigned => "closte_sync_unsigned",
            Self::Forged => "closte_sync_forged",
            Self::Late => "closte_sync_late",
            Self::Replayed => "closte_sync_replayed",
            Self::NoSecret => "closte_sync_no_secret",
            Self::TooMany => "closte_sync_too_many",
        }
    }

    /// Its HTTP status.
    pub fn status(self) -> u16 {
        if self == Self::TooMany { 429 } else { 401 }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unsigned => "the request is not signed",
            Self::Forged => "the signature is wrong",
            Self::Late => "the time of the request is not now",
            Self::Replayed => "the request was here before",
            Self::NoSecret => "there is no secret to check it with",
            Self::TooMany => "too many bad requests",
        })
    }
}

/// What checks the requests that come in.
#[derive(Debug)]
pub struct Verifier {
    secret: Option<Secret>,
    /// Nonces from before are forgotten, so nothing signed before may pass.
    started: i64,
    /// When each was seen.
    nonces: BTreeMap<String, Time>,
    refused: u64,
    last: Option<(Refusal, Time)>,
    /// Since 1970, and how many were refused in it.
    minute: (i64, u32),
}

impl Verifier {
    /// One that begins at `now`; without a secret it refuses everything.
    pub fn new(secret: Option<Secret>, now: Time) -> Self {
        let (nonces, last) = (BTreeMap::new(), None);
        Self { secret, started: seconds(now), nonces, refused: 0, last, minute: (0, 0) }
    }

    /// Accept `message` with its `headers`, or refuse it.
    ///
    /// # Errors
    ///
    /// Why it must not be acted upon.
    pub fn check(
        &mut self,
        message: &Message<'_>,
        headers: Option<&Headers>,
        now: Time,
    ) -> Result<(), Refusal> {
        self.judge(message, headers, now).map_err(|refusal| self.refuse(refusal, now))
    }

    /// How many requests were refused, without those that were too many.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// The last of them.
    pub fn last_refusal(&self) -> Option<(Refusal, Time)> {
        self.last
    }

    fn judge(
        &mut self,
        message: &Message<'_>,
        headers: Option<&Headers>,
        now: Time,
    ) -> Result<(), Refusal> {
        let headers = headers.ok_or(Refusal::Unsigned)?;
        let (time, signature) = headers.parse().ok_or(Refusal::Unsigned)?;
        let secret = self.secret.as_ref().ok_or(Refusal::NoSecret)?;
        let right = code(secret, message, &headers.time, &headers.nonce);
        right.verify_slice(&signature).map_err(|_| Refusal::Forged)?;
        if SKEW < seconds(now).abs_diff(time) || time < self.started {
            return Err(Refusal::Late);
        }
        self.remember(&headers.nonce, now)
    }

    fn remember(&mut self, nonce: &str, now: Time) -> Result<(), Refusal> {
        self.nonces.retain(|_, seen| now.since(*seen) <= MEMORY);
        if self.nonces.contains_key(nonce) {
            return Err(Refusal::Replayed);
        }
        if MOST_NONCES <= self.nonces.len() {
            return Err(Refusal::TooMany);
        }
        self.nonces.insert(nonce.to_owned(), now);
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal, now: Time) -> Refusal {
        let minute = seconds(now).div_euclid(60);
        if self.minute.0 != minute {
            self.minute = (minute, 0);
        }
        if refusal == Refusal::TooMany || MOST_REFUSALS <= self.minute.1 {
            return Refusal::TooMany;
        }
        self.minute.1 += 1;
        self.refused += 1;
        self.last = Some((refusal, now));
        refusal
    }
}

fn seconds(time: Time) -> i64 {
    time.as_millis().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::{Direction, sign};

    const START: Time = Time::from_millis(1_795_000_000_000);
    const BODY: &[u8] = b"{}";

    fn secret(digit: &str) -> Secret {
        Secret::parse(&digit.repeat(64)).unwrap()
    }

    fn message(direction: Direction, path: &str) -> Message<'_> {
        Message { direction, method: "POST", path, body: BODY }
    }

    fn nudge() -> Message<'static> {
        message(Direction::ToEngine, "/v1/nudge")
    }

    fn signed(now: Time, nonce: u8) -> Headers {
        sign(&secret("a"), &nudge(), now, [nonce; 16])
    }

    fn after(seconds: u64) -> Time {
        START + Duration::from_secs(seconds)
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn only_what_the_other_side_signed_just_now_passes() {
        let now = after(600);
        let good = signed(now, 1);
        let with = |time: &str, nonce: &str, signature: &str| Headers { time: time.into(), nonce: nonce.into(), signature: signature.into() };
        let signature = &good.signature;
        let table = [
            ("as it was signed",            Some(good.clone()),                                            Ok(())),
            ("no headers",                  None,                                                          Err(Refusal::Unsigned)),
            ("no time",                     Some(with("", &good.nonce, signature)),                        Err(Refusal::Unsigned)),
            ("a time that is none",         Some(with("+1795000600", &good.nonce, signature)),             Err(Refusal::Unsigned)),
            ("a time beyond all times",     Some(with(&"9".repeat(13), &good.nonce, signature)),           Err(Refusal::Unsigned)),
            ("a short nonce",               Some(with(&good.time, "01", signature)),                       Err(Refusal::Unsigned)),
            ("a nonce in capitals",         Some(with(&good.time, &"A".repeat(32), signature)),            Err(Refusal::Unsigned)),
            ("another version",             Some(with(&good.time, &good.nonce, &signature.replace("v1", "v2"))), Err(Refusal::Unsigned)),
            ("half a signature",            Some(with(&good.time, &good.nonce, &signature[..40])),         Err(Refusal::Unsigned)),
            ("another time",                Some(with("1795000601", &good.nonce, signature)),              Err(Refusal::Forged)),
            ("another nonce",               Some(with(&good.time, &"0".repeat(32), signature)),            Err(Refusal::Forged)),
            ("another secret",              Some(sign(&secret("b"), &nudge(), now, [1; 16])),              Err(Refusal::Forged)),
            ("the other direction",         Some(sign(&secret("a"), &message(Direction::ToPlugin, "/v1/nudge"), now, [1; 16])), Err(Refusal::Forged)),
            ("another path",                Some(sign(&secret("a"), &message(Direction::ToEngine, "/v1/x"), now, [1; 16])), Err(Refusal::Forged)),
            ("another method",              Some(sign(&secret("a"), &Message { method: "GET", ..nudge() }, now, [1; 16])), Err(Refusal::Forged)),
            ("another body",                Some(sign(&secret("a"), &Message { body: b"{} ", ..nudge() }, now, [1; 16])), Err(Refusal::Forged)),
            ("a minute ago",                Some(signed(after(540), 1)),                                   Ok(())),
            ("longer ago",                  Some(signed(after(539), 1)),                                   Err(Refusal::Late)),
            ("a minute ahead",              Some(signed(after(660), 1)),                                   Ok(())),
            ("further ahead",               Some(signed(after(661), 1)),                                   Err(Refusal::Late)),
        ];
        for (shows, headers, want) in table {
            let mut verifier = Verifier::new(Some(secret("a")), START);
            assert_eq!(verifier.check(&nudge(), headers.as_ref(), now), want, "{shows}");
            assert_eq!(verifier.refused(), u64::from(want.is_err()), "{shows}");
            assert_eq!(verifier.last_refusal(), want.err().map(|why| (why, now)), "{shows}");
        }
        let mut without = Verifier::new(None, START);
        assert_eq!(without.check(&nudge(), Some(&good), now), Err(Refusal::NoSecret));
    }

    #[test]
    fn nothing_passes_twice_as_long_as_its_time_could() {
        let mut verifier = Verifier::new(Some(secret("a")), START);
        let ahead = signed(after(160), 1);
        assert_eq!(verifier.check(&nudge(), Some(&ahead), after(100)), Ok(()));
        for seconds in [100, 160, 220] {
            let again = verifier.check(&nudge(), Some(&ahead), after(seconds));
            assert_eq!(again, Err(Refusal::Replayed), "{seconds}");
        }
        assert_eq!(verifier.check(&nudge(), Some(&ahead), after(221)), Err(Refusal::Late));
    }

    #[test]
    fn nothing_passes_that_was_signed_before_it_started() {
        let before = signed(after(9), 1);
        let mut fresh = Verifier::new(Some(secret("a")), after(10));
        assert_eq!(fresh.check(&nudge(), Some(&before), after(11)), Err(Refusal::Late));
        assert_eq!(fresh.check(&nudge(), Some(&signed(after(10), 2)), after(11)), Ok(()));
    }

    #[test]
    fn after_ten_refusals_in_a_minute_bad_requests_leave_no_trace_and_good_ones_pass() {
        let mut verifier = Verifier::new(Some(secret("a")), START);
        let now = after(60);
        for _ in 0..10 {
            assert_eq!(verifier.check(&nudge(), None, now), Err(Refusal::Unsigned));
        }
        assert_eq!(verifier.check(&nudge(), None, after(61)), Err(Refusal::TooMany));
        assert_eq!((verifier.refused(), verifier.last_refusal().unwrap().1), (10, now));
        assert_eq!(verifier.check(&nudge(), Some(&signed(after(61), 1)), after(61)), Ok(()));
        let later = START + Duration::from_mins(3);
        assert_eq!(verifier.check(&nudge(), None, later), Err(Refusal::Unsigned));
    }

    #[test]
    fn it_never_remembers_more_than_so_many() {
        let mut verifier = Verifier::new(Some(secret("a")), START);
        let full = (0..MOST_NONCES).map(|number| (format!("{number:032x}"), START));
        verifier.nonces.extend(full);
        let one_more = verifier.check(&nudge(), Some(&signed(START, 255)), START);
        assert_eq!(one_more, Err(Refusal::TooMany));
        let later = after(121);
        assert_eq!(verifier.check(&nudge(), Some(&signed(later, 255)), later), Ok(()));
        assert_eq!(verifier.nonces.len(), 1, "what cannot come again is forgotten");
    }
}
