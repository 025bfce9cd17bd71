//! What one message says of one name, by a resolver or by an authoritative server.
//!
//! Pure. The addresses of a name are asked for twice, as A and as AAAA: [`together`] and
//! [`authority_of`] say what both say.

use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use rules::evidence::{Answer, Authority};

use crate::dns::answer::{self, Path, word_of, written};

/// A name that is followed through CNAME records, and how long what was learned on the way may be kept.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    pub(super) path: Path,
    /// It is not followed out of this zone.
    zone: Name,
    ttl: Option<Duration>,
}

/// What a message says of the end of a trail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading<T> {
    /// This.
    Said(T),
    /// Nothing yet: ask for the new end.
    LedOn,
}

use Reading::{LedOn, Said};

impl Trail {
    /// Of `name`, as long as it stays within `zone`.
    pub(super) fn within(zone: Name, name: Name) -> Self {
        Self { path: Path::from(name), zone, ttl: None }
    }

    /// Follow the CNAME records of `message`.
    ///
    /// # Errors
    ///
    /// They lead in a circle or on and on.
    pub(super) fn follow(&mut self, message: &Message) -> Result<(), Answer> {
        while self.zone.zone_of(self.path.end())
            && let Some((target, ttl)) = cname(message, self.path.end())
        {
            self.keep(ttl);
            if self.path.lead(target.clone()).is_err() {
                let mut through = self.path.through();
                through.push(written(&target));
                return Err(Answer::Circle { through });
            }
        }
        Ok(())
    }

    fn keep(&mut self, ttl: Duration) {
        self.ttl = Some(self.ttl.map_or(ttl, |before| before.min(ttl)));
    }

    /// The smallest time to live of it and of these.
    fn ttl(mut self, ttls: impl IntoIterator<Item = Duration>) -> Duration {
        ttls.into_iter().for_each(|ttl| self.keep(ttl));
        self.ttl.unwrap_or_default()
    }

    fn addresses(self, message: &Message, kind: RecordType) -> Option<Answer> {
        let found = answer::addresses(message, kind, self.path.end()).collect();
        let through = self.path.through();
        let records = answer::answers(message, self.path.end());
        let ttls: Vec<_> =
            records.filter(|record| record.record_type() == kind).map(ttl_of).collect();
        (!ttls.is_empty()).then(|| Answer::Addresses { found, through, ttl: self.ttl(ttls) })
    }

    fn nothing(self, message: &Message) -> Answer {
        let through = self.path.through();
        Answer::NoAddress { through, ttl: self.ttl([negative_ttl(message)]) }
    }

    /// NXDOMAIN is about the last name of a chain (RFC 6604).
    fn no_such_name(self, message: &Message) -> Answer {
        if self.path.has_led_on() {
            return Answer::Dangling { through: self.path.through() };
        }
        Answer::NoSuchName { ttl: self.ttl([negative_ttl(message)]) }
    }
}

/// What a resolver says.
pub(super) fn of_resolver(
    message: &Message,
    kind: RecordType,
    trail: &mut Trail,
) -> Reading<Answer> {
    let code = message.metadata.response_code;
    if !is_answer(code) {
        return Said(Answer::Failed { code: word_of(code) });
    }
    let before = trail.path.clone();
    if let Err(circle) = trail.follow(message) {
        return Said(circle);
    }
    if let Some(addresses) = trail.clone().addresses(message, kind) {
        return Said(addresses);
    }
    let led = before != trail.path;
    match code {
        ResponseCode::NXDomain => Said(trail.clone().no_such_name(message)),
        _ if led && !answer::is_final(message) => LedOn,
        _ if answer::is_referral(message) => {
            Said(Answer::Failed { code: "a referral: it does not ask others for us".to_owned() })
        }
        _ => Said(trail.clone().nothing(message)),
    }
}

/// What a server to which the trail's zone is delegated says.
pub(super) fn of_authority(
    message: &Message,
    kind: RecordType,
    trail: &mut Trail,
) -> Reading<Authority> {
    let code = message.metadata.response_code;
    if !is_answer(code) {
        return Said(unable(code));
    }
    if !message.metadata.authoritative {
        return Said(without_authority(message, trail));
    }
    let before = trail.path.clone();
    if let Err(circle) = trail.follow(message) {
        return Said(Authority::Answered(circle));
    }
    let (through, zone) = (trail.path.through(), &trail.zone);
    if !zone.zone_of(trail.path.end()) {
        return Said(Authority::Answered(Answer::LedOut { through }));
    }
    if let Some(addresses) = trail.clone().addresses(message, kind) {
        return Said(Authority::Answered(addresses));
    }
    let led = before != trail.path;
    Said(Authority::Answered(match code {
        ResponseCode::NXDomain => trail.clone().no_such_name(message),
        _ if led && below(message, zone, trail.path.end()).is_some() => Answer::LedOut { through },
        _ if led && !answer::has_authority(message, RecordType::SOA) => return LedOn,
        _ => trail.clone().nothing(message),
    }))
}

/// What A and AAAA say together. Addresses count, no matter what the other question gave; without any,
/// A decides, since every server knows that; but "no A record" says nothing while AAAA is unknown.
pub(super) fn together(a: Answer, aaaa: Answer) -> Answer {
    use Answer::{Addresses, Failed, NoAddress, Silent};
    match (a, aaaa) {
        (
            Addresses { mut found, through, ttl },
            Addresses { found: more, through: other, ttl: at_most },
        ) => {
            found.extend(more);
            let through = if through.is_empty() { other } else { through };
            Addresses { found, through, ttl: ttl.min(at_most) }
        }
        (it @ Addresses { .. }, _)
        | (_, it @ Addresses { .. })
        | (Silent { .. }, it @ Failed { .. })
        | (NoAddress { .. }, it @ (Failed { .. } | Silent { .. })) => it,
        (a, _) => a,
    }
}

/// The same of a delegated server.
pub(super) fn authority_of(a: Authority, aaaa: Authority) -> Authority {
    use Authority::{Answered, Silent};
    match (a, aaaa) {
        (Answered(a), Answered(aaaa)) => Answered(together(a, aaaa)),
        (_, Answered(it @ Answer::Addresses { .. })) => Answered(it),
        (Answered(Answer::NoAddress { .. }) | Silent { .. }, it) if !is_word(&it) => it,
        (a, _) => a,
    }
}

/// Whether it is an answer to the question.
fn is_word(said: &Authority) -> bool {
    matches!(said, Authority::Answered(_))
}

pub(super) fn is_answer(code: ResponseCode) -> bool {
    matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
}

/// A server that gives an error in the place of an answer.
fn unable(code: ResponseCode) -> Authority {
    match code {
        ResponseCode::Refused | ResponseCode::NotAuth => Authority::Lame { detail: word_of(code) },
        _ => Authority::Failed { code: word_of(code) },
    }
}

/// What a message without AA is: the server does not know its zone, or what it led to is delegated on.
fn without_authority(message: &Message, trail: &Trail) -> Authority {
    let (zone, path) = (&trail.zone, &trail.path);
    if path.has_led_on() && below(message, zone, path.end()).is_some() {
        return Authority::Answered(Answer::LedOut { through: path.through() });
    }
    Authority::Lame { detail: not_authoritative(message, zone, path.end()) }
}

/// How a message without AA puts it: upwards, downwards, or as if it knew.
pub(super) fn not_authoritative(message: &Message, zone: &Name, name: &Name) -> String {
    let referred = message.authorities.iter().find(|it| it.record_type() == RecordType::NS);
    match referred {
        Some(_) if below(message, zone, name).is_some() => "refers to a zone below".to_owned(),
        Some(record) if record.name.is_root() => "refers upwards, to the root".to_owned(),
        Some(record) => {
            let way = if record.name.zone_of(zone) { "upwards" } else { "elsewhere" };
            format!("refers {way}, to `{}`", written(&record.name))
        }
        None => "answers without authority".to_owned(),
    }
}

/// The zone below `zone` that a message refers to for `name`.
pub(super) fn below(message: &Message, zone: &Name, name: &Name) -> Option<Name> {
    let leads = |record: &&Record| {
        record.record_type() == RecordType::NS
            && zone.zone_of(&record.name)
            && *zone != record.name
            && record.name.zone_of(name)
    };
    message.authorities.iter().find(leads).map(|record| record.name.clone())
}

fn cname(message: &Message, name: &Name) -> Option<(Name, Duration)> {
    answer::answers(message, name).find_map(|record| match &record.data {
        RData::CNAME(target) => Some((target.0.clone(), ttl_of(record))),
        _ => None,
    })
}

/// One with the first bit set is none (RFC 2181, section 8).
pub(super) fn ttl_of(record: &Record) -> Duration {
    Duration::from_secs(u64::from(i32::try_from(record.ttl).map_or(0, i32::unsigned_abs)))
}

/// How long a "no" may be kept: as its SOA record says (RFC 2308); without one not at all.
fn negative_ttl(message: &Message) -> Duration {
    let of = |record: &Record| match &record.data {
        RData::SOA(soa) => Some(ttl_of(record).min(Duration::from_secs(u64::from(soa.minimum)))),
        _ => None,
    };
    message.authorities.iter().find_map(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use hickory_proto::op::OpCode;
    use hickory_proto::rr::rdata::{A, CNAME, NS, SOA};

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    /// A message in words: its code, `aa`, `ra`, records of the answer, and behind `;` of the authority.
    /// `www 60 CNAME b` is below `shop.test.`; a name with a final dot stands as it is.
    fn message(code: ResponseCode, flags: &str, records: &str) -> Message {
        let mut message = Message::response(0, OpCode::Query);
        message.metadata.response_code = code;
        message.metadata.authoritative = flags.contains("aa");
        message.metadata.recursion_available = flags.contains("ra");
        let (answers, authorities) = records.split_once(';').unwrap_or((records, ""));
        message.add_answers(answers.split(',').filter_map(record));
        message.add_authorities(authorities.split(',').filter_map(record));
        message
    }

    fn whole(text: &str) -> Name {
        match text {
            "@" => name("shop.test."),
            it if it.ends_with('.') => name(it),
            it => name(&format!("{it}.shop.test.")),
        }
    }

    fn record(text: &str) -> Option<Record> {
        let words: Vec<_> = text.split_whitespace().collect();
        let [owner, ttl, kind, value] = words[..] else {
            assert!(words.is_empty(), "{text}");
            return None;
        };
        let data = match kind {
            "A" => RData::A(A(value.parse().unwrap())),
            "CNAME" => RData::CNAME(CNAME(whole(value))),
            "NS" => RData::NS(NS(whole(value))),
            _ => {
                let zone = name("shop.test.");
                RData::SOA(SOA::new(zone.clone(), zone, 1, 1, 1, 1, value.parse().unwrap()))
            }
        };
        Some(Record::from_rdata(whole(owner), ttl.parse().unwrap(), data))
    }

    fn through(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn addresses(found: &str, names: &str, ttl: u64) -> Answer {
        let found = found.split_whitespace().map(|it| it.parse::<IpAddr>().unwrap()).collect();
        Answer::Addresses { found, through: through(names), ttl: Duration::from_secs(ttl) }
    }

    fn no_address(names: &str, ttl: u64) -> Answer {
        Answer::NoAddress { through: through(names), ttl: Duration::from_secs(ttl) }
    }

    fn gone(ttl: u64) -> Answer {
        Answer::NoSuchName { ttl: Duration::from_secs(ttl) }
    }

    fn failed(code: &str) -> Answer {
        Answer::Failed { code: code.to_owned() }
    }

    #[test]
    fn a_resolver_says() {
        use ResponseCode::{NXDomain, NoError, Refused, ServFail};
        const REFERRAL: &str = "a referral: it does not ask others for us";
        #[rustfmt::skip] // One case a line.
        let table = [
            ("an address",                NoError,  "ra", "www 60 A 192.0.2.1",                       Said(addresses("192.0.2.1", "", 60))),
            ("the smallest time",         NoError,  "ra", "www 60 A 192.0.2.1, www 50 A 192.0.2.2",   Said(addresses("192.0.2.1 192.0.2.2", "", 50))),
            ("of the chain too",          NoError,  "ra", "www 7 CNAME b, b 60 A 192.0.2.1",          Said(addresses("192.0.2.1", "b.shop.test", 7))),
            ("a time that is none",       NoError,  "ra", "www 2147483648 A 192.0.2.1",               Said(addresses("192.0.2.1", "", 0))),
            ("out of the zone",           NoError,  "ra", "www 7 CNAME x.test., x.test. 9 A 192.0.2.1", Said(addresses("192.0.2.1", "x.test", 7))),
            ("the first link",            NoError,  "ra", "www 7 CNAME b",                            LedOn),
            ("a chain to nothing",        NoError,  "ra", "www 7 CNAME b; @ 60 SOA 30",               Said(no_address("b.shop.test", 7))),
            ("a chain that dangles",      NXDomain, "ra", "www 7 CNAME b; @ 60 SOA 30",               Said(Answer::Dangling { through: through("b.shop.test") })),
            ("a circle",                  NoError,  "ra", "www 7 CNAME b, b 7 CNAME www",             Said(Answer::Circle { through: through("b.shop.test www.shop.test") })),
            ("itself",                    NoError,  "ra", "www 7 CNAME www",                          Said(Answer::Circle { through: through("www.shop.test") })),
            ("no record: SOA's minimum",  NoError,  "ra", "; @ 60 SOA 30",                            Said(no_address("", 30))),
            ("no record: SOA's own time", NoError,  "ra", "; @ 20 SOA 30",                            Said(no_address("", 20))),
            ("no record, and no SOA",     NoError,  "ra", "",                                         Said(no_address("", 0))),
            ("no such name",              NXDomain, "ra", "; @ 60 SOA 30",                            Said(gone(30))),
            ("an error",                  ServFail, "ra", "",                                         Said(failed("SERVFAIL"))),
            ("a refusal",                 Refused,  "ra", "",                                         Said(failed("REFUSED"))),
            ("others to ask",             NoError,  "",   "; test. 60 NS ns",                         Said(failed(REFERRAL))),
        ];
        for (shows, code, flags, records, want) in table {
            let mut trail = Trail::within(Name::root(), name("www.shop.test."));
            let message = message(code, flags, records);
            assert_eq!(of_resolver(&message, RecordType::A, &mut trail), want, "{shows}");
        }
    }

    #[test]
    fn an_authoritative_server_says() {
        use Authority::Answered;
        use ResponseCode::{NXDomain, NoError, NotImp, Refused};
        let lame = |detail: &str| Said(Authority::Lame { detail: detail.to_owned() });
        let led_out = |names| Said(Answered(Answer::LedOut { through: through(names) }));
        #[rustfmt::skip] // One case a line.
        let table = [
            ("an address",                 NoError,  "aa", "www 60 A 192.0.2.1",                 Said(Answered(addresses("192.0.2.1", "", 60)))),
            ("without authority",          NoError,  "",   "www 60 A 192.0.2.1",                 lame("answers without authority")),
            ("as a resolver would",        NoError,  "ra", "www 60 A 192.0.2.1",                 lame("answers without authority")),
            ("upwards to the root",        NoError,  "",   "; . 60 NS a.root.",                  lame("refers upwards, to the root")),
            ("upwards to its parent",      NoError,  "",   "; test. 60 NS ns.test.",             lame("refers upwards, to `test`")),
            ("to itself",                  NoError,  "",   "; @ 60 NS ns",                       lame("refers upwards, to `shop.test`")),
            ("downwards",                  NoError,  "",   "; www 60 NS ns",                     lame("refers to a zone below")),
            ("refused",                    Refused,  "",   "",                                   lame("REFUSED")),
            ("an error",                   NotImp,   "",   "",                                   Said(Authority::Failed { code: "NOTIMP".to_owned() })),
            ("a chain within the zone",    NoError,  "aa", "www 7 CNAME b, b 60 A 192.0.2.1",    Said(Answered(addresses("192.0.2.1", "b.shop.test", 7)))),
            ("the first link of it",       NoError,  "aa", "www 7 CNAME b",                      LedOn),
            ("one that dangles",           NXDomain, "aa", "www 7 CNAME b; @ 60 SOA 30",         Said(Answered(Answer::Dangling { through: through("b.shop.test") }))),
            ("one out of the zone",        NoError,  "aa", "www 7 CNAME x.test.",                led_out("x.test")),
            ("whatever it knows of that",  NoError,  "aa", "www 7 CNAME x.test., x.test. 7 A 192.0.2.1", led_out("x.test")),
            ("one to nothing out of it",   NXDomain, "aa", "www 7 CNAME x.test.",                led_out("x.test")),
            ("one into a zone below",      NoError,  "aa", "www 7 CNAME a.b; b 60 NS ns.b",      led_out("a.b.shop.test")),
            ("no record",                  NoError,  "aa", "; @ 60 SOA 30",                      Said(Answered(no_address("", 30)))),
            ("no such name",               NXDomain, "aa", "; @ 60 SOA 30",                      Said(Answered(gone(30)))),
        ];
        for (shows, code, flags, records, want) in table {
            let mut trail = Trail::within(name("shop.test."), name("www.shop.test."));
            let message = message(code, flags, records);
            assert_eq!(of_authority(&message, RecordType::A, &mut trail), want, "{shows}");
        }
    }

    #[test]
    fn a_and_aaaa_together_say() {
        let silent = || Answer::Silent { detail: "s".to_owned() };
        let [v4, v6] =
            [|| addresses("192.0.2.1", "", 60), || addresses("2001:db8::1", "b.test", 7)];
        let dangling = || Answer::Dangling { through: through("b.test") };
        #[rustfmt::skip] // One case a line.
        let table = [
            ("both, and the smaller time", v4(),             v6(),             addresses("192.0.2.1 2001:db8::1", "b.test", 7)),
            ("A alone",                    v4(),             no_address("", 9), v4()),
            ("AAAA alone",                 no_address("", 9), v6(),            v6()),
            ("an unknown type",            v4(),             failed("x"),      v4()),
            ("silence for an unknown one", v4(),             silent(),         v4()),
            ("A failed",                   failed("x"),      v6(),             v6()),
            ("neither",                    no_address("", 9), no_address("", 8), no_address("", 9)),
            ("A exists without address",   no_address("", 9), gone(8),         no_address("", 9)),
            ("NXDOMAIN, and silence",      gone(9),          silent(),         gone(9)),
            ("dangling, and silence",      dangling(),       silent(),         dangling()),
            ("AAAA unknown",               no_address("", 9), failed("x"),     failed("x")),
            ("AAAA silent",                no_address("", 9), silent(),        silent()),
            ("A unknown, AAAA careless",   failed("x"),      gone(9),          failed("x")),
            ("both failed",                failed("x"),      failed("y"),      failed("x")),
            ("a word outweighs silence",   silent(),         failed("y"),      failed("y")),
        ];
        for (shows, a, aaaa, want) in table {
            assert_eq!(together(a, aaaa), want, "{shows}");
        }
    }

    #[test]
    fn both_answers_of_a_delegated_server_say() {
        use Authority::{Answered, Failed, Lame, Silent};
        let [v4, none] =
            [|| Answered(addresses("192.0.2.1", "", 60)), || Answered(no_address("", 9))];
        let lame = || Lame { detail: "REFUSED".to_owned() };
        let failed = || Failed { code: "SERVFAIL".to_owned() };
        let silent = || Silent { detail: "s".to_owned() };
        #[rustfmt::skip] // One case a line.
        let table = [
            ("two answers",          v4(),     none(),   v4()),
            ("A alone",              v4(),     silent(), v4()),
            ("AAAA alone",           failed(), v4(),     v4()),
            ("nothing, and silence", none(),   silent(), silent()),
            ("nothing, and failure", none(),   failed(), failed()),
            ("failure, and nothing", failed(), none(),   failed()),
            ("silence, and nothing", silent(), none(),   silent()),
            ("silence, and refusal", silent(), lame(),   lame()),
            ("refusal, and silence", lame(),   silent(), lame()),
        ];
        for (shows, a, aaaa, want) in table {
            assert_eq!(authority_of(a, aaaa), want, "{shows}");
        }
    }
}
