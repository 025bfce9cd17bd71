//! Who writes stages: WordPress itself where it can be asked, so that it serves
//! them at once; else we, in the database.
//!
//! A way that failed is left alone for a while. A refusal is an answer: it is reasons,
//! and the same is not asked again. What WordPress refuses for the row's name alone is written
//! in the database, which has no such rule.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rules::source::{NetworkSource, SourceError, StageWrite, StageWriter, Written};
use rules::{DomainName, Network, Problem, Stage, Time};

use super::describe_failure;
use crate::texts;

/// So many are handed over at a time.
pub(super) const AT_ONCE: usize = 50;

/// So long a way is left alone that failed while there was another.
const QUIET: Duration = Duration::from_mins(5);

/// So long a refusal is taken for the answer to the same question.
const REFUSED: Duration = Duration::from_hours(1);

/// So long one is known that nobody asked for again.
const KNOWN: Duration = Duration::from_hours(2);

/// What [`SqlWriter`] is called in the setting `network.write`.
const SQL: &str = "sql";

/// The ways to write a stage, the best first.
pub struct Writers {
    ways: Vec<Arc<dyn StageWriter>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Until when ways that failed are left alone.
    quiet: BTreeMap<&'static str, Time>,
    /// What a way would not save, when it was asked last, and how it refused.
    refused: BTreeMap<(&'static str, u64, DomainName, Stage), (Time, Written)>,
}

impl Writers {
    pub fn new(ways: Vec<Arc<dyn StageWriter>>) -> Self {
        Self { ways, state: Mutex::default() }
    }

    /// The names of the ways that can write now, the best first.
    pub async fn names(&self, now: Time) -> Vec<&'static str> {
        self.able(now).await.into_iter().map(StageWriter::name).collect()
    }

    /// Whether WordPress may show late whatever is written, and what to do.
    pub(super) async fn may_show_late(&self, network: &Network, now: Time) -> Option<Problem> {
        if !network.object_cache {
            return None;
        }
        let able = self.able(now).await;
        (!able.is_empty() && able.iter().all(|way| way.name() == SQL)).then(shows_late)
    }

    /// Those that have what they need, and did not fail just now.
    async fn able(&self, now: Time) -> Vec<&dyn StageWriter> {
        let mut able = Vec::new();
        for way in &self.ways {
            let quiet = self.state().quiet.get(way.name()).is_some_and(|until| now < *until);
            if !quiet && way.is_set_up().await {
                able.push(way.as_ref());
            }
        }
        able
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) written: Written,
    /// Whether the same was refused before, in the same words: that is no news.
    pub(super) refused_before: bool,
}

/// The writing of one pass.
pub(super) struct Writing<'a> {
    writers: &'a Writers,
    able: Vec<&'a dyn StageWriter>,
    now: Time,
    /// Whether WordPress keeps what it read, so that it matters who writes.
    cached: bool,
    /// What else is to be reported, besides what became of each.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Writing<'a> {
    pub(super) async fn begin(writers: &'a Writers, network: &Network, now: Time) -> Self {
        let able = writers.able(now).await;
        Self { writers, able, now, cached: network.object_cache, problems: Vec::new() }
    }

    /// Write all, at most [`AT_ONCE`]; what became of each, in order.
    pub(super) async fn write(&mut self, writes: &[StageWrite]) -> Result<Vec<Came>, SourceError> {
        while let Some(way) = self.able.first().copied() {
            match self.ask(way, writes).await {
                Err(error) if 1 < self.able.len() => self.pass_over(&error),
                Err(error) => return Err(error),
                Ok(answers) => return Ok(self.past_validation(writes, answers).await),
            }
        }
        let what = "the way that `network.write` names is not set up".to_owned();
        Err(SourceError::Refused { what })
    }

    /// Have the database take what WordPress refused only for its name.
    async fn past_validation(
        &mut self,
        writes: &[StageWrite],
        mut answers: Vec<Came>,
    ) -> Vec<Came> {
        let Some(sql) = self.able.iter().copied().find(|way| way.name() == SQL) else {
            return answers;
        };
        let is_refused = |at: &usize| matches!(answers[*at].written, Written::NameRefused { .. });
        let refused: Vec<usize> = (0..answers.len()).filter(is_refused).collect();
        if refused.is_empty() {
            return answers;
        }
        let again: Vec<StageWrite> = refused.iter().map(|at| writes[*at].clone()).collect();
        match sql.write_stages(&again).await {
            Ok(written) => {
                if self.cached && written.contains(&Written::Done) {
                    self.problems.push(shows_late());
                }
                for (at, written) in refused.into_iter().zip(written) {
                    answers[at] = Came { written, refused_before: false };
                }
            }
            Err(error) => {
                let what = "WordPress refuses stages for the names of their rows, and the database \
                            could not write them";
                self.problems.push(Problem::of_all(describe_failure(what, &error)));
            }
        }
        answers
    }

    /// Go on without a way that failed. Where nothing is cached the next one is as
    /// good, but for the hooks: that is no problem of anybody's.
    fn pass_over(&mut self, error: &SourceError) {
        let name = self.able.remove(0).name();
        self.writers.state().quiet.insert(name, self.now + QUIET);
        let what = format!("`{name}` could not write stages, so the next way was taken");
        let text = describe_failure(&what, error);
        tracing::info!("{text}");
        if self.cached {
            self.problems.push(Problem::of_all(text));
            if self.able.iter().all(|way| way.name() == SQL) {
                self.problems.push(shows_late());
            }
        }
    }

    /// Ask for those that WordPress has not refused just before.
    async fn ask(
        &self,
        way: &dyn StageWriter,
        writes: &[StageWrite],
    ) -> Result<Vec<Came>, SourceError> {
        let key = |it: &StageWrite| (way.name(), it.mapping_id, it.domain.clone(), it.to);
        let mut known = self.writers.state().refused.clone();
        known.retain(|_, (at, _)| self.now.since(*at) < KNOWN);
        let is_fresh = |(at, _): &(Time, Written)| self.now.since(*at) < REFUSED;
        let new = |write: &&StageWrite| known.get(&key(write)).is_none_or(|it| !is_fresh(it));
        let new: Vec<StageWrite> = writes.iter().filter(new).cloned().collect();
        let answers = if new.is_empty() { Vec::new() } else { way.write_stages(&new).await? };
        let mut answers = new.iter().map(key).zip(answers).collect::<BTreeMap<_, _>>();
        let mut came = Vec::new();
        for key in writes.iter().map(key) {
            let before = known.get(&key).filter(|it| is_fresh(it));
            let written = match before {
                Some((_, refusal)) => refusal.clone(),
                None => answers.remove(&key).unwrap_or(Written::Overtaken),
            };
            let asked = before.map_or(self.now, |(at, _)| *at);
            let last = match written.refusal() {
                Some(_) => known.insert(key, (asked, written.clone())),
                None => known.remove(&key).and(None),
            };
            let refused_before = last.is_some_and(|(_, last)| last == written);
            came.push(Came { written, refused_before });
        }
        self.writers.state().refused = known;
        Ok(came)
    }
}

/// The source itself: the last way, which WordPress' object cache does not see.
pub struct SqlWriter(pub Arc<dyn NetworkSource>);

#[async_trait]
impl StageWriter for SqlWriter {
    fn name(&self) -> &'static str {
        SQL
    }

    async fn is_set_up(&self) -> bool {
        true
    }

    async fn write_stages(&self, writes: &[StageWrite]) -> Result<Vec<Written>, SourceError> {
        let mut written = Vec::new();
        for write in writes {
            let done = self.0.write_stage(write).await?;
            written.push(if done { Written::Done } else { Written::Overtaken });
        }
        Ok(written)
    }
}

fn shows_late() -> Problem {
    Problem::of_all(format!(
        "WordPress has a persistent object cache (wp-content/object-cache.php) and may show a new \
         stage late; {}; `closte-sync plugin install` lets WordPress itself write stages from then \
         on",
        texts::FLUSH
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A way that answers the same to everything, and counts what it was asked.
    struct Way {
        name: &'static str,
        set_up: bool,
        answer: Option<Written>,
        asked: Mutex<usize>,
    }

    fn way(name: &'static str, set_up: bool, answer: Option<Written>) -> Arc<Way> {
        Arc::new(Way { name, set_up, answer, asked: Mutex::default() })
    }

    #[async_trait]
    impl StageWriter for Way {
        fn name(&self) -> &'static str {
            self.name
        }

        async fn is_set_up(&self) -> bool {
            self.set_up
        }

        async fn write_stages(&self, writes: &[StageWrite]) -> Result<Vec<Written>, SourceError> {
            *self.asked.lock().unwrap() += writes.len();
            match &self.answer {
                Some(answer) => Ok(vec![answer.clone(); writes.len()]),
                None => Err(SourceError::Refused { what: format!("{} is down", self.name) }),
            }
        }
    }

    fn writes(count: u64) -> Vec<StageWrite> {
        let domain: DomainName = "shop.example".parse().unwrap();
        let one = |mapping_id| StageWrite {
            mapping_id,
            domain: domain.clone(),
            from: None,
            to: Stage::Done,
            secure: true,
        };
        (0..count).map(one).collect()
    }

    async fn writing_on(writers: &Writers) -> Writing<'_> {
        at(writers, Time::from_millis(0)).await
    }

    async fn at(writers: &Writers, now: Time) -> Writing<'_> {
        let able = writers.able(now).await;
        Writing { writers, able, now, cached: true, problems: Vec::new() }
    }

    #[tokio::test]
    async fn the_first_that_is_set_up_writes() {
        let ways = [
            way("plugin", false, None),
            way("rest", true, Some(Written::Done)),
            way(SQL, true, None),
        ];
        let writers = Writers::new(ways.iter().map(|it| Arc::clone(it) as _).collect());
        let mut writing = writing_on(&writers).await;
        assert_eq!(writing.write(&writes(20)).await.unwrap().len(), 20);
        assert_eq!(ways.each_ref().map(|way| *way.asked.lock().unwrap()), [0, 20, 0]);
        assert_eq!(writing.problems, []);
    }

    #[tokio::test]
    async fn one_that_fails_is_passed_over_once_and_reported() {
        let ways = [way("plugin", true, None), way(SQL, true, Some(Written::Done))];
        let writers = Writers::new(ways.iter().map(|it| Arc::clone(it) as _).collect());
        let mut writing = writing_on(&writers).await;
        for _ in 0..2 {
            assert_eq!(writing.write(&writes(20)).await.unwrap().len(), 20);
        }
        assert_eq!(ways.each_ref().map(|way| *way.asked.lock().unwrap()), [20, 40]);
        let reasons: Vec<_> = writing.problems.iter().map(|it| it.reason.as_str()).collect();
        assert!(reasons[0].contains("plugin is down"), "{reasons:?}");
        assert!(reasons[1].contains("object-cache.php") && reasons.len() == 2, "{reasons:?}");
        for (minutes, ways) in [(1, 1), (5, 2)] {
            let later = Time::from_millis(0) + Duration::from_mins(minutes);
            assert_eq!(at(&writers, later).await.able.len(), ways, "after {minutes} minutes");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_no_failure_and_is_not_asked_for_again() {
        let refused = Written::Refused { words: "no".to_owned() };
        let ways = [way("rest", true, Some(refused.clone())), way(SQL, true, Some(Written::Done))];
        let writers = Writers::new(ways.iter().map(|it| Arc::clone(it) as _).collect());
        let refused = |refused_before| Came { written: refused.clone(), refused_before };
        for before in [false, true] {
            let written = writing_on(&writers).await.write(&writes(2)).await.unwrap();
            assert_eq!(written, [refused(before), refused(before)]);
        }
        assert_eq!(ways.each_ref().map(|way| *way.asked.lock().unwrap()), [2, 0]);
        let later = Time::from_millis(0) + REFUSED;
        let again = at(&writers, later).await.write(&writes(2)).await.unwrap();
        assert_eq!(ways.each_ref().map(|way| *way.asked.lock().unwrap()), [4, 0], "in the end");
        assert_eq!(again, [refused(true), refused(true)], "and it is no news then either");
    }

    #[tokio::test]
    async fn what_is_refused_for_its_name_is_written_by_sql_where_that_may_write() {
        let refused = Written::NameRefused { words: "The Domain is not valid.".to_owned() };
        let news = |written: &Written| Came { written: written.clone(), refused_before: false };
        for first in ["plugin", "rest"] {
            let ways =
                [way(first, true, Some(refused.clone())), way(SQL, true, Some(Written::Done))];
            let writers = Writers::new(ways.iter().map(|it| Arc::clone(it) as _).collect());
            let mut writing = writing_on(&writers).await;
            for _ in 0..2 {
                assert_eq!(writing.write(&writes(2)).await.unwrap(), vec![news(&Written::Done); 2]);
            }
            let asked = ways.each_ref().map(|way| *way.asked.lock().unwrap());
            assert_eq!(asked, [2, 4], "{first} is not asked the same again");
            let late = writing.problems.iter().all(|it| it.reason.contains("object-cache.php"));
            assert!(late && !writing.problems.is_empty(), "{:?}", writing.problems);
        }
        let alone = Writers::new(vec![way("rest", true, Some(refused.clone()))]);
        let written = writing_on(&alone).await.write(&writes(1)).await.unwrap();
        assert_eq!(written, [news(&refused)], "no database, so it is told");
        let down = way(SQL, true, None);
        let down = Writers::new(vec![way("rest", true, Some(refused.clone())), down]);
        let mut writing = writing_on(&down).await;
        assert_eq!(writing.write(&writes(1)).await.unwrap(), [news(&refused)]);
        assert!(writing.problems[0].reason.contains("sql is down"), "{:?}", writing.problems);
    }

    #[tokio::test]
    async fn where_nobody_can_that_is_the_answer() {
        let writers = Writers::new(vec![way("plugin", false, None)]);
        let error = writing_on(&writers).await.write(&writes(1)).await.unwrap_err();
        assert!(error.to_string().contains("`network.write`"));
    }
}
