//! What `explain` said, and tables of what it should say.

use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::world::World;

/// How many worlds there are at once: most of their time they wait.
pub(crate) const AT_ONCE: usize = 8;

/// Severity and actor of a finding, and what `explain` exits with.
pub(crate) type Ends = (&'static str, &'static str, i32);

pub(crate) const OWNER: Ends = ("error", "owner", 1);
pub(crate) const ADMIN: Ends = ("error", "admin", 1);
pub(crate) const HOST: Ends = ("error", "host", 1);
pub(crate) const WAIT: Ends = ("error", "nobody", 3);
/// It works as far as is known, and could not be found out.
pub(crate) const UNSEEN: Ends = ("warn", "nobody", 2);
pub(crate) const WARN_OWNER: Ends = ("warn", "owner", 0);
pub(crate) const WARN_ADMIN: Ends = ("warn", "admin", 0);
pub(crate) const WARN_HOST: Ends = ("warn", "host", 0);
pub(crate) const INFO_OWNER: Ends = ("info", "owner", 0);
pub(crate) const INFO_ADMIN: Ends = ("info", "admin", 0);
pub(crate) const INFO: Ends = ("info", "nobody", 0);

/// What ended a run of `explain`, and what it printed.
#[derive(Debug)]
pub(crate) struct Explained {
    pub(crate) code: i32,
    pub(crate) json: Value,
    error: String,
}

/// One world, and the finding that must come first in it.
pub(crate) struct Case {
    pub(crate) shows: &'static str,
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
    pub(crate) ends: Ends,
    /// Each as `add NAME A found > wanted`.
    pub(crate) records: &'static [&'static str],
    pub(crate) world: fn() -> World,
}

/// Cases, one a line: what it shows, the name, the first finding's code, how it ends, its records, the world to begin
/// with, and what is broken in it.
macro_rules! cases {
    ($($shows:literal, $name:expr, $code:literal, $ends:ident, [$($record:literal),*], $from:ident, $breaks:expr;)*) => {
        &[$($crate::explained::Case {
            shows: $shows,
            name: $name,
            code: $code,
            ends: $crate::explained::$ends,
            records: &[$($record),*],
            world: || $crate::explained::broken($crate::world::World::$from(), $breaks),
        }),*]
    };
}
pub(crate) use cases;

/// A world with something broken in it.
pub(crate) fn broken(mut world: World, breaks: impl FnOnce(&mut World)) -> World {
    breaks(&mut world);
    world
}

impl Explained {
    pub(crate) fn new(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        Self {
            code: output.status.code().unwrap_or(-1),
            json: serde_json::from_str(&text).unwrap_or_default(),
            error: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The findings of the one domain.
    pub(crate) fn findings(&self) -> &[Value] {
        self.json["domains"][0]["findings"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The codes of its findings, in their order.
    pub(crate) fn codes(&self) -> Vec<&str> {
        codes(self.findings())
    }

    /// The codes of the whole network's findings, in their order.
    pub(crate) fn network(&self) -> Vec<&str> {
        codes(self.json["network"].as_array().map_or(&[], Vec::as_slice))
    }

    /// The finding of a code.
    pub(crate) fn finding(&self, code: &str) -> &Value {
        let found = self.findings().iter().find(|it| it["code"] == code);
        found.unwrap_or_else(|| panic!("no `{code}`: {self:#?}"))
    }

    /// How it differs from what it should be; none where it does not.
    fn differs(&self, case: &Case, world: &World) -> Option<String> {
        let none = Value::Null;
        let first = self.findings().first().unwrap_or(&none);
        let of = |field: &str| first[field].as_str().unwrap_or("-").to_owned();
        let is = (of("code"), of("severity"), of("actor"), self.code, records(first));
        let (severity, actor, exit) = case.ends;
        let records = case.records.iter().map(|text| world.filled(text)).collect();
        let should = (case.code.into(), severity.into(), actor.into(), exit, records);
        let ready = self.json["domains"][0]["ready"].as_bool();
        if is == should && ready == Some(exit == 0) {
            return None;
        }
        let said = if self.json.is_null() { &self.error } else { &of("text") };
        let (all, network) = (self.codes(), self.network());
        Some(format!(
            "{}\n    should be {should:?}\n    is        {is:?}, ready {ready:?}\n    all       {all:?}, network {network:?}\n    said      {said}",
            case.shows
        ))
    }
}

fn codes(findings: &[Value]) -> Vec<&str> {
    findings.iter().filter_map(|it| it["code"].as_str()).collect()
}

/// Its records, each as `change NAME A found > wanted`.
pub(crate) fn records(finding: &Value) -> Vec<String> {
    let texts = |value: &Value| {
        let all = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        all.collect::<Vec<_>>().join(" | ")
    };
    let record = |it: &Value| {
        let word = |field: &str| it[field].as_str().unwrap_or("-");
        let (found, wanted) = (texts(&it["found"]), texts(&it["wanted"]));
        let line =
            format!("{} {} {} {found} > {wanted}", word("action"), word("name"), word("type"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    finding["records"].as_array().into_iter().flatten().map(record).collect()
}

/// Live through all cases, some at a time; fails with everything that is not as it should be.
#[track_caller]
pub(crate) fn hold(cases: &[Case]) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let world = (case.world)();
                    let differs = world.explain(case.name).differs(case, &world);
                    failed.lock().unwrap().extend(differs);
                    if case.name.starts_with("*.") {
                        world.write_to_the_owner(case.name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
