//! The history that a seed stands for, and the settings it is lived with.

use std::time::Duration;

use rules::records::Records;
use rules::removal::Brake;
use rules::twins::Www;

use crate::chance::Chance;
use crate::history::{
    Certificate, DatabaseMood, Dns, Event, HostMood, ListMood, ResolverMood, Step,
};

/// Names that customers map.
pub(crate) const NAMES: [&str; 8] = [
    "a.example",
    "b.example",
    "c.example",
    "d.example",
    "www.a.example",
    "*.w.example",
    "x.net.example",
    "bad.example",
];
/// Twins of some of them.
pub(crate) const TWINS: [&str; 4] =
    ["www.b.example", "www.c.example", "www.d.example", "www.bad.example"];
/// Names that are never sent.
pub(crate) const PROTECTED: [&str; 5] =
    ["net.example", "www.net.example", "base.example", "secret.example", "x.closte.com"];

/// A history with what the operator set.
#[derive(Clone, Debug)]
pub struct History {
    pub seed: u64,
    pub brake: Brake,
    pub records: Records,
    pub www: Www,
    pub concurrency: usize,
    pub steps: Vec<Step>,
}

impl History {
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let brake = chance.pick(&[Brake::Percent(10), Brake::Percent(10), Brake::Count(1)]);
        let records = chance.pick(&[Records::New, Records::All, Records::Never]);
        let concurrency = chance.pick(&[1, 2, 4]);
        // Of their own, so that a seed tells what it told before there were twins.
        let mut twins = Chance::of(seed ^ 0x7717);
        let www = [Www::WhenDnsReady, Www::WhenDnsReady, Www::AsWordpress, Www::Never];
        let www = twins.pick(&www);
        let mut writer = Writer { chance, twins, at: Duration::ZERO, steps: Vec::new() };
        writer.begin();
        for _ in 0..(15 + writer.chance.below(30)) {
            let event = writer.event();
            writer.tell(event);
        }
        Self { seed, brake, records, www, concurrency, steps: writer.steps }
    }
}

struct Writer {
    chance: Chance,
    /// What is drawn of twins.
    twins: Chance,
    at: Duration,
    steps: Vec<Step>,
}

impl Writer {
    /// A few sites with mappings, some of them ready to be served, and a first pass.
    fn begin(&mut self) {
        for site in 2..4 {
            let domain = self.site_domain(site);
            self.steps.push(Step { at: self.at, event: Event::SiteComes { site, domain } });
        }
        for _ in 0..self.chance.below(5) {
            let (site, name) = (self.site(), self.name());
            self.tell(Event::Mapped { site, name });
            if self.chance.percent(50) {
                self.tell(Event::Dns { name, to: Dns::Here });
                self.tell(Event::Certificate { name, is: Certificate::Good });
            }
            if self.twins.percent(30) {
                let event = Event::Dns { name: self.twins.pick(&TWINS), to: Dns::Here };
                self.steps.push(Step { at: self.at, event });
            }
        }
        self.tell(Event::Pass);
    }

    fn tell(&mut self, event: Event) {
        let gaps = [0, 1, 5, 20, 61, 61, 61, 150, 600, 3600];
        let gap = if self.chance.percent(2) { 25_000 } else { self.chance.pick(&gaps) };
        self.at += Duration::from_secs(gap);
        self.steps.push(Step { at: self.at, event });
    }

    fn event(&mut self) -> Event {
        match self.chance.below(100) {
            0..32 => self.engine(),
            32..56 => self.wordpress(),
            56..68 => self.domains(),
            68..82 => self.faults(),
            82..86 => self.aliases(),
            86..96 => self.operator(),
            96..98 => Event::ClonePass,
            98 if self.chance.percent(30) => Event::OtherPass,
            _ => self.clock(),
        }
    }

    fn engine(&mut self) -> Event {
        match self.chance.below(20) {
            0..12 => Event::Pass,
            12..14 => Event::RunStarts,
            14..16 => Event::RunStops,
            16 => Event::Nudge,
            _ => Event::Crash { effects: 1 + self.chance.below(6), after: self.chance.percent(50) },
        }
    }

    fn wordpress(&mut self) -> Event {
        let row = self.chance.below(8);
        match self.chance.below(27) {
            0..9 => self.mapped(),
            9..14 => Event::Unmapped { row },
            14 => Event::Renamed { row, name: self.name() },
            15 => Event::Moved { row, site: self.site() },
            16 if self.chance.percent(50) => Event::Misspelled { row },
            16 => Event::Spoilt { row },
            17 => Event::Emptied,
            18 => Event::BackedUp,
            19 => Event::Restored,
            20 => Event::SiteHides { site: self.site(), hidden: self.chance.percent(60) },
            21 => Event::SiteGoes { site: self.site() },
            22..25 => Event::MappedAgain,
            _ => {
                let site = 2 + self.chance.below(5);
                Event::SiteComes { site, domain: self.site_domain(site) }
            }
        }
    }

    fn mapped(&mut self) -> Event {
        let name = if self.chance.percent(8) { self.chance.pick(&PROTECTED) } else { self.name() };
        Event::Mapped { site: self.site(), name }
    }

    fn domains(&mut self) -> Event {
        let name = self.name_or_twin();
        if self.chance.percent(50) {
            let kinds = [Dns::Here, Dns::Here, Dns::Elsewhere, Dns::WrongAaaa];
            let rare = [Dns::NoSuchName, Dns::ServFail];
            let to = if self.chance.percent(80) {
                self.chance.pick(&kinds)
            } else {
                self.chance.pick(&rare)
            };
            return Event::Dns { name, to };
        }
        let kinds = [
            Certificate::Good,
            Certificate::Good,
            Certificate::Ends,
            Certificate::OtherName,
            Certificate::None,
        ];
        Event::Certificate { name, is: self.chance.pick(&kinds) }
    }

    fn faults(&mut self) -> Event {
        let heals = self.chance.percent(40);
        match self.chance.below(10) {
            0..4 if heals => Event::Host(HostMood::Good),
            4..7 if heals => Event::List(ListMood::Good),
            7 if heals => Event::Database(DatabaseMood::Good),
            8..10 if heals => Event::Resolver(ResolverMood::Good),
            0..4 => self.host(),
            4..7 => Event::List(self.chance.pick(&[
                ListMood::Lags(1),
                ListMood::Lags(10),
                ListMood::Omits,
                ListMood::Empty,
                ListMood::Fails,
            ])),
            7 => Event::Database(self.chance.pick(&[
                DatabaseMood::Fails,
                DatabaseMood::Moves,
                DatabaseMood::Moves,
                DatabaseMood::ReadOnly,
            ])),
            _ => Event::Resolver(self.chance.pick(&[
                ResolverMood::Silent,
                ResolverMood::ServFail,
                ResolverMood::WebSilent,
            ])),
        }
    }

    fn host(&mut self) -> Event {
        let wait = self.chance.pick(&[None, Some(5), Some(600)]);
        Event::Host(self.chance.pick(&[
            HostMood::Flaky,
            HostMood::Flaky,
            HostMood::Slow,
            HostMood::Limiting { wait },
            HostMood::KeyRefused,
            HostMood::SaysNo,
            HostMood::Down,
            HostMood::Unreachable,
        ]))
    }

    fn aliases(&mut self) -> Event {
        let name = if self.chance.percent(15) {
            self.chance.pick(&PROTECTED)
        } else {
            self.name_or_twin()
        };
        if self.chance.percent(60) { Event::Placed { name } } else { Event::Taken { name } }
    }

    fn operator(&mut self) -> Event {
        match self.chance.below(12) {
            0..3 => Event::Plans,
            3..5 => self.applies(),
            5..7 => Event::Adds { site: self.site(), name: self.name() },
            7..9 => Event::Removes { name: self.name() },
            9 => Event::Switches { on: self.chance.percent(70) },
            _ => {
                let name = self.name();
                Event::Rechecks { name: self.chance.percent(60).then_some(name) }
            }
        }
    }

    /// Now and then the process dies over it.
    fn applies(&mut self) -> Event {
        if self.chance.percent(25) {
            let (effects, after) = (1 + self.chance.below(3), self.chance.percent(50));
            self.tell(Event::Crash { effects, after });
        }
        Event::Applies
    }

    fn clock(&mut self) -> Event {
        let minutes = self.chance.pick(&[3, -3, 20, -20, 1500, -1500, 525_600]);
        Event::ClockSet { minutes }
    }

    fn name(&mut self) -> &'static str {
        self.chance.pick(&NAMES)
    }

    fn name_or_twin(&mut self) -> &'static str {
        let name = self.name();
        if self.twins.percent(30) { self.twins.pick(&TWINS) } else { name }
    }

    fn site(&mut self) -> u64 {
        2 + self.chance.below(4)
    }

    /// Most sites live below the network's domain; some have a name of their own.
    fn site_domain(&mut self, site: u64) -> &'static str {
        let own = ["s0.net.example", "s1.net.example", "s2.net.example", "s3.net.example"];
        let place = usize::try_from(site % 4).expect("it is below four");
        if self.chance.percent(80) {
            own[place]
        } else {
            self.chance.pick(&["b.example", "e.example"])
        }
    }
}
