//! What stops an authority from issuing: CAA, and port 80.

use std::net::IpAddr;

use super::records::record;
use super::{Case, HOSTS_CA, is_out_of_reach, list};
use crate::evidence::{Caa, CaaSaid, CaaStep, HttpEnd, HttpVisit};
use crate::finding::{Code, Fact, Finding, RecordAction, Severity};
use crate::probe::TlsObservation;

/// Authorities by a word in the issuer of what they sign, and their names in CAA: what each publishes
/// in its CAA documentation.
const AUTHORITIES: [(&str, &str); 12] = [
    ("Let's Encrypt", HOSTS_CA),
    ("ISRG", HOSTS_CA),
    ("ZeroSSL", "sectigo.com"),
    ("Sectigo", "sectigo.com"),
    ("Google Trust Services", "pki.goog"),
    ("DigiCert", "digicert.com"),
    ("GeoTrust", "digicert.com"),
    ("Amazon", "amazon.com"),
    ("GlobalSign", "globalsign.com"),
    ("Buypass", "buypass.com"),
    ("SSL Corp", "ssl.com"),
    ("GoDaddy", "godaddy.com"),
];

/// What stops issuing for a domain; where DNS leads elsewhere port 80 is another's.
pub(super) fn of(case: &Case<'_>, dns_is_wrong: bool) -> Vec<Finding> {
    let Some(deep) = case.deep() else { return Vec::new() };
    let mut found: Vec<Finding> = of_caa(case, &deep.caa, dns_is_wrong).into_iter().collect();
    // A wildcard is validated by DNS alone.
    if !dns_is_wrong && !case.subject.name.is_wildcard() {
        // What this machine has no way to says nothing of its ports.
        let visited = case.visited();
        let no_way =
            |at: &IpAddr| visited.iter().any(|(ip, seen)| ip == at && is_out_of_reach(seen));
        let visits = deep.http.iter().filter(|(ip, _)| !no_way(ip));
        found.extend(visits.filter_map(|(ip, visit)| of_visit(case, *ip, visit)));
    }
    let severity = if case.has_good_certificate() { Severity::Warn } else { Severity::Error };
    found.into_iter().map(|it| it.as_bad_as(severity)).collect()
}

/// What CAA says (RFC 8659): the first name with records counts, from the name upwards.
fn of_caa(case: &Case<'_>, steps: &[CaaStep], dns_is_wrong: bool) -> Option<Finding> {
    let evidence = || steps.iter().map(|step| case.said(&step.name, shown(step)));
    let decides = steps.iter().find(|step| step.said != CaaSaid::None)?;
    match &decides.said {
        CaaSaid::None => None,
        // Where the whole zone fails, so does this question.
        CaaSaid::Failed { .. } if dns_is_wrong && decides.name == case.subject.name.base() => None,
        CaaSaid::Failed { detail } => {
            let unreadable = Finding::new(Code::CaaUnreadable).with(Fact::Name, &decides.name);
            Some(unreadable.with(Fact::Detail, detail).evidence(evidence()))
        }
        CaaSaid::Records(records) => {
            let (authority, wildcard) = (authority(case), case.subject.name.is_wildcard());
            if allows(records, authority, wildcard) {
                return None;
            }
            let (code, tag) = if wildcard {
                (Code::CaaWildcard, "issuewild")
            } else {
                (Code::CaaForbids, "issue")
            };
            let name = decides.through.last().unwrap_or(&decides.name);
            let lines = records.iter().map(line).collect();
            let wanted = vec![format!("0 {tag} \"{authority}\"")];
            let add = record(RecordAction::Add, (name, "CAA"), lines, wanted);
            let finding = Finding::new(code).with(Fact::Name, name);
            Some(finding.with(Fact::Authority, authority).records([add]).evidence(evidence()))
        }
    }
}

/// Whether `authority` may issue by these records, for a wildcard or for a name.
fn allows(records: &[Caa], authority: &str, wildcard: bool) -> bool {
    let known =
        ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"];
    if records.iter().any(|it| it.critical && !known.contains(&it.tag.as_str())) {
        return false;
    }
    let of = |tag: &str| records.iter().filter(|it| it.tag == tag).collect::<Vec<_>>();
    let wild = if wildcard { of("issuewild") } else { Vec::new() };
    let rules = if wild.is_empty() { of("issue") } else { wild };
    let names = |it: &&Caa| {
        let issuer = it.value.split(';').next().unwrap_or_default().trim();
        issuer.trim_end_matches('.').eq_ignore_ascii_case(authority)
    };
    rules.is_empty() || rules.iter().any(names)
}

/// Who would issue: the host's authority, unless the certificate that is shown is of another known
/// one.
fn authority(case: &Case<'_>) -> &'static str {
    let issuers = case.visited().into_iter().filter_map(|(_, seen)| match seen {
        TlsObservation::Presented { certificate, .. } => Some(&certificate.issuer),
        _ => None,
    });
    let known = |issuer: &String| AUTHORITIES.iter().find(|(word, _)| issuer.contains(word));
    let shown: Vec<&str> = issuers.filter_map(known).map(|(_, name)| *name).collect();
    shown.first().copied().unwrap_or(HOSTS_CA)
}

fn line(caa: &Caa) -> String {
    format!("{} {} \"{}\"", if caa.critical { 128 } else { 0 }, caa.tag, caa.value)
}

fn shown(step: &CaaStep) -> String {
    match &step.said {
        CaaSaid::Records(records) => format!("CAA {}", list(records.iter().map(line))),
        CaaSaid::None => "no CAA records".to_owned(),
        CaaSaid::Failed { detail } => format!("CAA: {detail}"),
    }
}

/// What port 80 of an address did to a validator.
fn of_visit(case: &Case<'_>, ip: IpAddr, visit: &HttpVisit) -> Option<Finding> {
    let code = match &visit.end {
        HttpEnd::Answered => return None,
        HttpEnd::Refused { .. } | HttpEnd::Silent { .. } | HttpEnd::Broken { .. } => {
            Code::Port80Closed
        }
        HttpEnd::Elsewhere { .. } | HttpEnd::NotFollowed { .. } => Code::Port80Elsewhere,
        HttpEnd::Circle { .. } | HttpEnd::TooMany => Code::RedirectLoop,
    };
    let (detail, other) = match &visit.end {
        HttpEnd::Refused { detail } | HttpEnd::Silent { detail } | HttpEnd::Broken { detail } => {
            (detail.clone(), String::new())
        }
        HttpEnd::Elsewhere { host, found } => (list(found), host.clone()),
        HttpEnd::NotFollowed { url } | HttpEnd::Circle { url } => (String::new(), url.clone()),
        HttpEnd::Answered | HttpEnd::TooMany => (String::new(), String::new()),
    };
    let hops = visit.hops.iter().map(|hop| {
        case.said(
            hop.address.to_string(),
            format!("{} answered with status {}", hop.url, hop.status),
        )
    });
    let evidence = hops.chain([case.said(ip.to_string(), ended(&visit.end))]);
    let finding = Finding::new(code).with(Fact::Address, ip.to_string()).with(Fact::Detail, detail);
    Some(finding.with(Fact::Other, other).evidence(evidence))
}

fn ended(end: &HttpEnd) -> String {
    match end {
        HttpEnd::Answered => "port 80 answered".to_owned(),
        HttpEnd::Refused { detail } | HttpEnd::Silent { detail } | HttpEnd::Broken { detail } => {
            format!("port 80: {detail}")
        }
        HttpEnd::Elsewhere { host, found } if found.is_empty() => {
            format!("redirects to `{host}`, whose address is not known")
        }
        HttpEnd::Elsewhere { host, found } => {
            format!("redirects to `{host}`, which is at {}", list(found))
        }
        HttpEnd::NotFollowed { url } => format!("redirects to `{url}`, which nobody follows"),
        HttpEnd::Circle { url } => format!("redirects back to `{url}`"),
        HttpEnd::TooMany => "redirects more than ten times".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<Caa> {
        let record = |line: &str| {
            let (flags, rest) = line.trim().split_once(' ').unwrap();
            let (tag, value) = rest.split_once(' ').unwrap();
            let value = value.trim_matches('"').to_owned();
            Caa { critical: flags == "128", tag: tag.to_ascii_lowercase(), value }
        };
        text.split(" | ").filter(|it| !it.is_empty()).map(record).collect()
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn who_may_issue_is_what_rfc_8659_says() {
        // The examples of its sections 4.2 to 4.5, for an authority of each kind.
        let table = [
            // the records                                                       for              a name  a wildcard
            ("0 issue \"ca1.example.net\" | 0 issue \"ca2.example.org\"",        "ca1.example.net", true,  true),
            ("0 issue \"ca1.example.net\" | 0 issue \"ca2.example.org\"",        "letsencrypt.org", false, false),
            ("0 issue \"ca1.example.net; account=230123\"",                      "ca1.example.net", true,  true),
            ("0 issue \";\"",                                                    "letsencrypt.org", false, false),
            ("0 issue \"%%%%%\"",                                                "letsencrypt.org", false, false),
            ("0 issue \"ca1.example.net\" | 0 issuewild \"ca2.example.org\"",    "ca1.example.net", true,  false),
            ("0 issue \"ca1.example.net\" | 0 issuewild \"ca2.example.org\"",    "ca2.example.org", false, true),
            ("0 issuewild \"ca2.example.org\" | 0 issue \";\"",                  "ca2.example.org", false, true),
            ("0 issuewild \";\"",                                                "ca1.example.net", true,  false),
            ("0 iodef \"mailto:security@example.com\"",                          "letsencrypt.org", true,  true),
            ("0 issue \"ca1.example.net\" | 128 tbs \"Unknown\"",                "ca1.example.net", false, false),
            ("0 issue \"ca1.example.net\" | 0 tbs \"Unknown\"",                  "ca1.example.net", true,  true),
            ("128 issue \"ca1.example.net\"",                                    "ca1.example.net", true,  true),
            ("0 ISSUE \"CA1.Example.NET\"",                                      "ca1.example.net", true,  true),
            ("0 issue \"  ca1.example.net ;  \"",                                "ca1.example.net", true,  true),
            ("",                                                                 "letsencrypt.org", true,  true),
        ];
        for (text, authority, name, wildcard) in table {
            let is = (allows(&records(text), authority, false), allows(&records(text), authority, true));
            assert_eq!(is, (name, wildcard), "{text} for {authority}");
        }
    }
}
