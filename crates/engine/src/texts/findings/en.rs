//! What is told of findings, in English.

use rules::finding::Fact::{
    Address, Authority, Count, Detail, End, Link, Name, Other, Server, Target, Zone,
};
use rules::finding::{Actor, Code, Finding, RecordAction, Severity};

use super::{Facts, Labels};
use crate::texts::FLUSH;

pub(super) const LABELS: Labels = Labels {
    ready: "ready",
    not_seen: "nothing is known to be wrong, and not enough could be seen to call it ready",
    whose_turn: "whose turn",
    records: "records",
    also: "also",
    evidence: "who said what",
    wait_until: "until",
    next_check: "next check",
    network: "the whole network",
    columns: ["action", "name", "type", "now", "should be"],
};

pub(super) fn turn(actor: Actor) -> &'static str {
    match actor {
        Actor::Owner => "the owner of the domain must act",
        Actor::Admin => "the admin of the network must act",
        Actor::Host => "the hosting must act: ask its support",
        Actor::Nobody => "nobody: it comes right by waiting",
    }
}

pub(super) fn action(action: RecordAction) -> &'static str {
    match action {
        RecordAction::Add => "add",
        RecordAction::Change => "change",
        RecordAction::Remove => "remove",
        RecordAction::Keep => "keep",
    }
}

#[rustfmt::skip] // One text a line.
pub(super) fn text(finding: &Finding) -> String {
    let facts = Facts(finding);
    let aside = |fact| facts.aside(fact);
    let target = || facts.or(Target, "the address of the hosting");
    let zone = || facts.or(Zone, "the domain");
    let steps = || facts.put(" (", Count, " steps)");
    let row = || facts.or(Name, "a row");
    match finding.code {
        Code::ClockWrong => format!("The clocks of this machine and of {} are {} minutes apart, so nothing can be judged by them. Set the one that is wrong.", facts.or(Other, "the database"), facts.or(Count, "more than ten")),
        Code::Blind => format!("No DNS resolver answers{}, so nothing can be seen. Check `checks.resolvers`, or /etc/resolv.conf.", aside(Server)),
        Code::Copy => format!("Another installation acts for this network{}{}, so this one sends and writes nothing. If this is the one that counts now, run `closte-sync enable --here`.", aside(Other), facts.put(", at ", Detail, "")),
        Code::OtherNetwork => format!("The ledger was filled from another network{}, so nothing is sent or written. Point closte-sync at the right wp-config.php or at a ledger of its own; if this is the network now, run `closte-sync enable --here`.", aside(Detail)),
        Code::DatabaseRestored => "The database was put back to an earlier state, so what it lacks is not taken as gone. See `closte-sync plan`, then run `closte-sync apply HASH` with the hash it prints.".to_owned(),
        Code::SwitchedOff => "Closte is switched off in Ultimate Multisite, so no name is added there. Run `closte-sync enable`.".to_owned(),
        Code::KeyRefused => format!("Closte refuses the API key{}, so nothing can be added there. Check `CLOSTE_CLIENT_API_KEY`, then run `closte-sync test-connection`.", aside(Detail)),
        Code::NoTargets => format!("It is not known where domains must point{}. Set `checks.targets` to the address of the network.", aside(Detail)),
        Code::ListDoubt => format!("Closte's list of aliases lacks what it has shown before, so what would follow from it is held back{}. See `closte-sync plan`; `closte-sync apply HASH` lets it through.", steps()),
        Code::Brake => format!("More would be removed than one hour may remove, so removals are held back{}. See `closte-sync plan`; `closte-sync apply HASH` lets them through.", steps()),
        Code::Doubt => format!("What was read of the network is hard to believe, so what would follow from it is held back{}. See `closte-sync plan`; `closte-sync apply HASH` lets it through.", steps()),
        Code::NotValidated => format!("No resolver that is asked validates DNSSEC{}, so broken signatures may stay unseen. Name one that does in `checks.resolvers`.", aside(Server)),

        Code::NameTooLong => format!("The name is too long{}: WordPress stores 191 characters, and DNS allows 63 between two dots. Choose a shorter one.", facts.put(" (", Count, " characters)")),
        Code::ReservedName => format!("No public DNS can lead visitors to this name: {}. Choose a name that can be registered.", facts.reserved(["it is an IP address", "names below `.", "` are reserved", "it is an IP address, or its ending is reserved"])),
        Code::SpellingNeverMatched => format!("As {} is written, WordPress does not surely find it{}. Write the name as browsers send it, without accents and blanks.", row(), facts.put(", and may find it for ", Detail, "")),
        Code::ProtectedName => format!("The name is protected{}: it is never added to Closte nor removed there.", aside(Detail)),

        Code::SiteMissing => format!("The name is mapped by {}, whose site does not exist. Map the name to another site, or delete that mapping.", row()),
        Code::SiteDeleted => format!("The name is mapped by {}, whose site is deleted or marked as spam. Restore the site, or map the name to another one.", row()),
        Code::TwoMappings => format!("The name is mapped twice{}{}; WordPress picks one of the two. Delete the one that is wrong.", facts.put(", as ", Name, ""), facts.put(" and as ", Other, "")),
        Code::TwinOnOtherSite => format!("The name and its twin, with or without `www.`, lead to different sites{}{}; WordPress takes the two for one. Map both to the same site, or delete one of them.", facts.put(": ", Name, ""), facts.put(" and ", Other, "")),
        Code::OtherRowWins => format!("WordPress picks another row first for this name{}. It is of another network, or leads nowhere: delete it.", facts.put(": ", Other, "")),

        Code::InvalidDomain => format!("Closte refuses this name for good{}. Correct the mapping, or delete it.", aside(Detail)),
        Code::HostSaidNo => format!("Closte said no when the name was to be added{}, and does not have it. Act on its words, or ask its support.", aside(Detail)),
        Code::NotOurs => "The name is at Closte, is not mapped, and closte-sync did not add it, so it is left alone. Map it, or remove it on Closte's dashboard.".to_owned(),
        Code::AlreadyAtHost => "The name was at Closte before closte-sync came. There is nothing to do.".to_owned(),

        Code::NoDelegation => format!("{} is not registered, or no name servers are set for it where it is registered. Register or renew it, or have its name servers set there.", facts.or(Name, "The domain")),
        Code::LameDelegation => format!("A name server that is set for {} is not responsible for it{}. Have the right name servers set where the domain is registered, or have the DNS provider repair this one.", zone(), aside(Server)),
        Code::DnsTimeout => format!("Name servers of {} do not answer{}. Have the DNS provider repair them, or set others where the domain is registered.", zone(), aside(Server)),
        Code::DnssecBogus => format!("The DNSSEC records of {} do not fit{}, so for many visitors the domain does not exist. Where it is registered, remove the DS record, or replace it by the one that the DNS provider gives.", zone(), aside(Detail)),
        Code::Servfail => format!("The name servers of {} answer with an error{}. Have the DNS provider repair that.", zone(), aside(Detail)),
        Code::NoSuchName => format!("The name does not exist in DNS. Add a record that points it to {}.", target()),
        Code::CnameLoop => format!("The CNAME records of the name lead in a circle{}. Remove the CNAME record and point the name to {}.", aside(Name), target()),
        Code::CnameDangling => format!("The CNAME record of the name leads to a name that does not exist{}. Remove it and point the name to {}.", aside(Name), target()),
        Code::NoAddress => format!("The name exists in DNS but has no address. Add a record that points it to {}.", target()),
        Code::WildcardRecordOnly if finding.severity == Severity::Info => format!("The name has no DNS record of its own: the record `*` of {} answers for it, and rightly. One of its own would keep it so, whatever happens to that one.", zone()),
        Code::WildcardRecordOnly => format!("The name has no DNS record of its own: the record `*` of {} answers for it and leads elsewhere{}. Add a record that points it to {}.", zone(), aside(Address), target()),
        Code::Proxied => format!("A proxy is in front of the name{}, so the hosting is not reached directly and gets no certificate. Point the record to {} with the proxy off (\"DNS only\").", aside(Address), target()),
        Code::CnameElsewhere => format!("The CNAME record of the name leads to another one{} that points elsewhere{}. Point the name to {} instead.", aside(Name), aside(Address), target()),
        Code::OldAddress => format!("The name still points to an address that the hosting had before{}. Change it to {}.", aside(Address), target()),
        Code::PrivateAddress => format!("The name points to an address that nobody can reach from the internet{}. Change it to {}.", aside(Address), target()),
        Code::Parked => format!("The name points to a parking page{}, as registrars set for new domains. Point it to {}.", aside(Address), target()),
        Code::OtherAddress => format!("The name points to another server{}. Change it to {}.", aside(Address), target()),
        Code::Ipv6Elsewhere => format!("The name's IPv4 address is right, but its IPv6 address leads elsewhere{}: many visitors, and whoever issues certificates, go there first. Remove the AAAA record.", aside(Address)),
        Code::PartlyElsewhere => format!("Some of the name's addresses are right, but others lead elsewhere{}, so some visitors end up there. Remove those.", aside(Address)),
        Code::ServersDisagree => format!("The name servers of {} give different answers{}, so some visitors end up elsewhere. Correct the records at the one that is wrong, or have the DNS provider bring them in step.", zone(), aside(Server)),

        Code::CaaForbids => format!("A CAA record of {} forbids {} to issue a certificate. Add one that allows it.", facts.or(Name, "the domain"), facts.or(Authority, "the certificate authority of the hosting")),
        Code::CaaWildcard => format!("A CAA record of {} forbids {} to issue a certificate for a wildcard. Add an `issuewild` record that allows it.", facts.or(Name, "the domain"), facts.or(Authority, "the certificate authority of the hosting")),
        Code::CaaUnreadable => format!("The name servers do not answer for CAA records{}, and without an answer no certificate is issued. Have the DNS provider repair that.", aside(Name)),
        Code::Port80Closed => format!("Nobody answers at port 80{}, where the certificate authority asks before it issues. Ask Closte's support to open it.", aside(Address)),
        Code::Port80Elsewhere => format!("Port 80 redirects to {} and that leads elsewhere{}, so no certificate can be issued. Have that name point to {} too, or the redirect removed.", facts.or(Other, "another name"), aside(Detail), target()),
        Code::RedirectLoop => format!("Port 80 redirects in a circle, or more than ten times{}, so no certificate can be issued. Correct the redirects in WordPress and its plugins.", aside(Other)),

        Code::WildcardByHand => format!("A wildcard gets its certificate only after a step that a person makes on Closte's dashboard{}.", facts.put(": ", Link, "")),
        Code::Port443Closed => format!("The server refuses connections at port 443{}. Ask Closte's support why.", aside(Address)),
        Code::Port443Filtered => format!("The server is silent at port 443{}: something drops what is sent there. Ask Closte's support why.", aside(Address)),
        Code::NoCertificate => format!("The server has no certificate for the name{}. Ask Closte's support to issue one.", aside(Address)),
        Code::DefaultCertificate => format!("The server shows its default certificate{}, as for any name it does not know. Ask Closte's support to issue one for this name.", aside(Address)),
        Code::OtherName => format!("The server's certificate{} is for other names{}. Ask Closte's support to issue one for this name.", aside(Address), aside(Detail)),
        Code::Expired => format!("The certificate{} has expired{}. Ask Closte's support to renew it.", aside(Address), facts.put(" (on ", End, ")")),
        Code::NotYetValid => format!("The certificate{} is not valid yet{}. Ask Closte's support to replace it.", aside(Address), facts.put(" (it is from ", End, " on)")),
        Code::SelfSigned => format!("The certificate is self-signed{}, so no browser accepts it. Ask Closte's support to issue one.", aside(Address)),
        Code::IncompleteChain => format!("The server leaves out an intermediate certificate{}, so some browsers do not accept its certificate. Ask Closte's support to send the whole chain.", aside(Address)),
        Code::WeakCertificate => format!("The certificate uses algorithms that are too weak{}, so no browser accepts it. Ask Closte's support to replace it.", aside(Address)),
        Code::UnknownIssuer => format!("No authority that browsers know signed the certificate{}{}. Ask Closte's support to issue another.", aside(Address), aside(Authority)),
        Code::DiffersByAddress => format!("The addresses of the name show different certificates{}. Ask Closte's support to use one everywhere.", aside(Address)),
        Code::RenewalOverdue => format!("The certificate{} should have been renewed by now{}. Ask Closte's support why it was not.", aside(Address), facts.put(" (it ends on ", End, ")")),
        Code::ExpiresSoon => format!("The certificate{} ends soon{} and was not renewed. Ask Closte's support to renew it at once.", aside(Address), facts.put(" (on ", End, ")")),

        Code::OtherMapping => format!("WordPress answers for another mapping at this name{}. Delete the one that is wrong; `closte-sync domains show NAME` says more.", facts.put(": ", Other, "")),
        Code::OtherServer => format!("The certificate is good, but what answers is not this WordPress{}. Ask Closte's support where it leads this name.", aside(Address)),

        Code::MappingDisabled => "Domain mapping is switched off, so WordPress shows no site at a domain of its own. Switch it on in Ultimate Multisite > Settings > Domain Mapping.".to_owned(),
        Code::NoSunrise => "WordPress maps no domain: `SUNRISE` is not defined in wp-config.php, or `sunrise.php` is missing. `closte-sync doctor` says which, and what to do.".to_owned(),
        Code::MappingInactive => format!("The name is mapped by {}, and that is switched off. Make it active in Ultimate Multisite > Domains.", row()),
        Code::SiteArchived => format!("The name is mapped by {}, whose site is archived, so visitors do not see it. Unarchive it under Sites in the network admin.", row()),
        Code::StageByHand => format!("Somebody else set the stage of {}{}{}, and it does not say how the domain is. Set it right in Ultimate Multisite > Domains.", row(), facts.put(" to `", Detail, "`"), facts.put(", where `", Other, "` had been written")),
        Code::CacheStale => format!("WordPress still answers by what its object cache holds of {}: {FLUSH}.", row()),
        Code::SignUpPage => format!("WordPress sends visitors to its sign-up page, although {} leads to a site. `closte-sync doctor` may say why.", row()),
        Code::NotMapped => "The name is mapped to no site. `closte-sync domains add NAME --site SITE` maps it.".to_owned(),

        Code::RateLimited => "Closte asked to be left alone for a while. What still has to be done follows by itself.".to_owned(),
        Code::HostUnreachable => format!("Closte cannot be reached{}. It is tried again automatically.", aside(Detail)),
        Code::Paused => "Closte did not answer several times, so calls to it rest. They resume automatically.".to_owned(),
        Code::OutcomeUnknown => format!("Closte gave no clear answer when the name was sent{}. Its list, or asking again, settles it.", aside(Detail)),
        Code::Vanished => "The name was at Closte but is gone there. It is added again automatically.".to_owned(),
        Code::NotAddedYet => "The name is not at Closte yet. The next pass adds it.".to_owned(),
        Code::NotPropagated => format!("The records are right, but some resolvers{} still hold what they were before{}. That passes by itself.", aside(Server), aside(Address)),
        Code::BudgetSpent => format!("So many certificates were issued for {} this week{} that there are no more for now. It goes on by itself.", zone(), aside(Count)),
        Code::Issuing => "The certificate is being issued. That takes a few minutes, sometimes an hour.".to_owned(),
        Code::Unseen => format!("The last check could not be made{}. It is repeated automatically.", aside(Detail)),
        Code::NoProof => "Nothing proved that it is this WordPress that answers.".to_owned(),
    }
}
