//! Who is in the demo, what people do in it, and what should come of that.
//!
//! Nothing of this is ever printed as if it had happened: what is printed is
//! read from the ledger, the database and the sandbox afterwards.

use std::time::Duration;

use rules::Reason;
use sandbox::wordpress::{WordPress, WordPressError};

use super::claim::Claim;
use super::control::ControlError;
use super::world::World;

/// The network's own domain.
pub(super) const NETWORK: &str = "network.example";

/// How long a certificate takes. Closte needs 5 to 10 minutes.
pub(super) const ISSUE_AFTER: &str = "3s";

const READY: &str = "bakery.example";
const OLD: &str = "old-bakery.example";
const LATE: &str = "florist.example";
const WILDCARD: &str = "*.studio.example";
const ELSEWHERE: &str = "garage.example";
const BEFORE: &str = "choir.example";
const AFTER: &str = "singers.example";
const SOURCE: &str = "bakery.network.example";
const COPY: &str = "bakery-two.network.example";

/// Somebody else's server (RFC 5737).
const OTHER_SERVER: &str = "192.0.2.77";

/// The sites besides the main one, each with the domains mapped to it.
const SITES: [(&str, &[&str]); 5] = [
    (SOURCE, &[READY, OLD]),
    ("florist.network.example", &[LATE]),
    ("studio.network.example", &[WILDCARD]),
    ("garage.network.example", &[ELSEWHERE]),
    ("choir.network.example", &[BEFORE]),
];

/// Make the sites and their mappings, as of an hour ago.
pub(super) async fn populate(network: &WordPress) -> Result<(), WordPressError> {
    for (site, domains) in SITES {
        let id = network.add_site(site, Duration::from_hours(1)).await?;
        for domain in domains {
            network.map(id, domain).await?;
        }
    }
    Ok(())
}

/// The names of the mappings to begin with.
pub(super) fn mapped() -> impl Iterator<Item = &'static str> {
    SITES.into_iter().flat_map(|(_, domains)| domains.iter().copied())
}

/// Why somebody could not do their part.
type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Something that a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// The owner of a domain sets its record.
    SetRecord,
    /// Somebody who knows of it wants it checked now, not at the next check.
    Recheck,
    /// Somebody duplicates a site.
    DuplicateSite,
    /// Somebody changes a mapping's domain.
    Rename,
    /// The network's admin finishes the wildcard on Closte's dashboard.
    FinishWildcard,
    /// Somebody deletes a mapping.
    Unmap,
}

impl Act {
    /// All, in their order: those first whose end takes longest.
    pub(super) const ALL: [Self; 6] = [
        Self::SetRecord,
        Self::Recheck,
        Self::DuplicateSite,
        Self::Rename,
        Self::FinishWildcard,
        Self::Unmap,
    ];

    /// What it is, for where it could not be done.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::SetRecord => "could not set a record",
            Self::Recheck => "could not ask for a check",
            Self::DuplicateSite => "could not duplicate a site",
            Self::Rename => "could not rename a mapping",
            Self::FinishWildcard => "could not finish a wildcard",
            Self::Unmap => "could not delete a mapping",
        }
    }

    /// Do it; what a command of ours said to it.
    pub(super) async fn play(self, world: &World) -> Result<Option<String>, Failed> {
        let (control, network) = (&world.control, &world.network);
        match self {
            Self::SetRecord => control.point(&[(LATE, world.address())]).await?,
            Self::Recheck => return recheck(world, LATE).await.map(Some),
            Self::DuplicateSite => {
                let source = site(network, SOURCE).await?;
                // A site is left alone for its first minute: this one is over it.
                network.duplicate_site(source, COPY, Duration::from_mins(2)).await.map(drop)?;
            }
            Self::Rename => network.rename(BEFORE, AFTER).await.map(drop)?,
            Self::FinishWildcard => control.finish_wildcard(WILDCARD).await?,
            Self::Unmap => network.unmap(OLD).await.map(drop)?,
        }
        Ok(None)
    }
}

/// What DNS says to begin with: all is well but for two domains.
pub(super) async fn set_dns(world: &World) -> Result<(), ControlError> {
    let here = world.address();
    let below = format!("*.{NETWORK}");
    let names = [NETWORK, &below, READY, OLD, WILDCARD, BEFORE, AFTER].map(|name| (name, here));
    let elsewhere = (ELSEWHERE, OTHER_SERVER);
    world.control.point(&[&names[..], &[elsewhere]].concat()).await
}

async fn site(network: &WordPress, domain: &str) -> Result<i64, WordPressError> {
    let sql = format!("SELECT blog_id FROM wp_blogs WHERE domain = '{domain}'");
    // An id that is none is one that no site has.
    Ok(network.execute(&sql).await?.trim().parse().unwrap_or(0))
}

async fn recheck(world: &World, domain: &str) -> Result<String, Failed> {
    let arguments = ["domains", "recheck", domain];
    let said = world.say(&arguments).await.map_err(|failure| failure.in_one_line().0)?;
    Ok(format!("{}: {said}", arguments.join(" ")))
}

/// What should be seen in the end.
#[derive(Debug)]
pub(super) struct Expected {
    /// What it is.
    pub(super) what: &'static str,
    /// What must be so.
    pub(super) claims: &'static [Claim],
}

/// All of it.
pub(super) const EXPECTED: [Expected; 7] = [
    Expected { what: "a domain gets ready", claims: &[Claim::Ready(READY)] },
    Expected {
        what: "DNS comes right while we watch",
        claims: &[Claim::Was(LATE, Reason::NoSuchName), Claim::Ready(LATE)],
    },
    Expected {
        what: "a wildcard, finished on the dashboard",
        claims: &[
            Claim::SentAsWildcard(WILDCARD),
            Claim::Was(WILDCARD, Reason::WildcardByHand),
            Claim::Ready(WILDCARD),
        ],
    },
    Expected {
        what: "a duplicated site gets its record",
        claims: &[Claim::MadeBySync(COPY), Claim::Ready(COPY)],
    },
    Expected {
        what: "DNS points elsewhere",
        claims: &[Claim::Waits(ELSEWHERE, Reason::OtherAddress)],
    },
    Expected { what: "a rename", claims: &[Claim::Left(BEFORE), Claim::Ready(AFTER)] },
    Expected { what: "a mapping goes", claims: &[Claim::Left(OLD)] },
];
