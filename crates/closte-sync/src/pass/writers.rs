//! Who writes stages: WordPress itself where it can be asked, so that it serves
//! them at once; else we, in the database.
//!
//! A way that failed is not tried again in the same pass. A refusal is an answer:
//! it is told, and the same is not asked again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rules::source::{NetworkSource, SourceError, StageWrite, StageWriter, Written};
use rules::{Network, Problem, Stage};

use super::told;

/// So many are handed over at a time.
const AT_ONCE: usize = 50;

/// What [`Directly`] is called in the setting `network.write`.
const SQL: &str = "sql";

/// The ways to write a stage, the best first.
pub(crate) struct Writers {
    ways: Vec<Arc<dyn StageWriter>>,
    /// What WordPress would not save, in its words.
    refused: Mutex<BTreeMap<(u64, Stage), String>>,
}

impl Writers {
    pub(crate) fn new(ways: Vec<Arc<dyn StageWriter>>) -> Self {
        Self { ways, refused: Mutex::default() }
    }

    /// Whether WordPress may show late whatever is written, and what to do.
    pub(super) async fn may_show_late(&self, network: &Network) -> Option<Problem> {
        let late = network.object_cache && self.able().await.iter().all(|way| way.name() == SQL);
        late.then(shows_late)
    }

    /// Those that have what they need.
    async fn able(&self) -> Vec<&dyn StageWriter> {
        let mut able = Vec::new();
        for way in &self.ways {
            if way.is_set_up().await {
                able.push(way.as_ref());
            }
        }
        able
    }

    fn refused(&self) -> MutexGuard<'_, BTreeMap<(u64, Stage), String>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writing of one pass.
pub(super) struct Writing<'a> {
    writers: &'a Writers,
    able: Vec<&'a dyn StageWriter>,
    /// Whether what is written directly has to be told of.
    late: bool,
    /// What is to be told, besides what became of each.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Writing<'a> {
    pub(super) async fn begin(writers: &'a Writers, network: &Network) -> Self {
        let able = writers.able().await;
        // Where nobody else could have written, the plan has said so already.
        let late = network.object_cache && able.iter().any(|way| way.name() != SQL);
        Self { writers, able, late, problems: Vec::new() }
    }

    /// Write all; what became of each, in order, up to the first failure.
    pub(super) async fn write(
        &mut self,
        writes: &[StageWrite],
    ) -> (Vec<Written>, Option<SourceError>) {
        let mut written = Vec::new();
        for chunk in writes.chunks(AT_ONCE) {
            match self.write_some(chunk).await {
                Ok(answers) => written.extend(answers),
                Err(error) => return (written, Some(error)),
            }
        }
        (written, None)
    }

    async fn write_some(&mut self, writes: &[StageWrite]) -> Result<Vec<Written>, SourceError> {
        while let Some(way) = self.able.first().copied() {
            let answers = self.ask(way, writes).await;
            match answers {
                Err(error) if 1 < self.able.len() => self.pass_over(&error),
                answers => {
                    if way.name() == SQL && std::mem::take(&mut self.late) {
                        self.problems.push(shows_late());
                    }
                    return answers;
                }
            }
        }
        let what = "the way that `network.write` names is not set up".to_owned();
        Err(SourceError::Refused { what })
    }

    fn pass_over(&mut self, error: &SourceError) {
        let name = self.able.remove(0).name();
        let what = format!("`{name}` could not write stages, so the next way was taken");
        self.problems.push(Problem::of_all(told(&what, error)));
    }

    /// Ask for those that WordPress has not refused before.
    async fn ask(
        &self,
        way: &dyn StageWriter,
        writes: &[StageWrite],
    ) -> Result<Vec<Written>, SourceError> {
        let key = |write: &StageWrite| (write.mapping_id, write.to);
        let known = self.writers.refused().clone();
        let new = writes.iter().filter(|write| !known.contains_key(&key(write)));
        let new: Vec<StageWrite> = new.cloned().collect();
        let answers = if new.is_empty() { Vec::new() } else { way.write_stages(&new).await? };
        let mut answers = new.iter().map(key).zip(answers).collect::<BTreeMap<_, _>>();
        let each = writes.iter().map(|write| match known.get(&key(write)) {
            Some(words) => Written::Refused { words: words.clone() },
            None => answers.remove(&key(write)).unwrap_or(Written::Overtaken),
        });
        let each: Vec<Written> = each.collect();
        for (write, answer) in writes.iter().zip(&each) {
            if let Written::Refused { words } = answer {
                self.writers.refused().insert(key(write), words.clone());
            }
        }
        Ok(each)
    }
}

/// The source itself: the last way, which WordPress' object cache does not see.
pub(crate) struct Directly(pub(crate) Arc<dyn NetworkSource>);

#[async_trait]
impl StageWriter for Directly {
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
    Problem::of_all(
        "WordPress has a persistent object cache (wp-content/object-cache.php) and may show a new \
         stage late; `wp cache flush` shows it at once, and `closte-sync plugin install` lets \
         WordPress itself write stages from then on",
    )
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
        let one = |mapping_id| StageWrite { mapping_id, from: None, to: Stage::Done, secure: true };
        (0..count).map(one).collect()
    }

    fn writing<'a>(writers: &'a Writers, able: Vec<&'a dyn StageWriter>) -> Writing<'a> {
        Writing { writers, able, late: true, problems: Vec::new() }
    }

    async fn writing_on(writers: &Writers) -> Writing<'_> {
        writing(writers, writers.able().await)
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
        let (written, failure) = writing.write(&writes(120)).await;
        assert!(failure.is_none() && written.len() == 120, "{failure:?}");
        assert_eq!(ways.each_ref().map(|way| *way.asked.lock().unwrap()), [0, 120, 0]);
        assert_eq!(writing.problems, []);
    }

    #[tokio::test]
    async fn one_that_fails_is_passed_over_once_and_told() {
        let ways = [way("plugin", true, None), way(SQL, true, Some(Written::Done))];
        let writers = Writers::new(ways.iter().map(|it| Arc::clone(it) as _).collect());
        let mut writing = writing_on(&writers).await;
        let (written, failure) = writing.write(&writes(120)).await;
        assert!(failure.is_none() && written.len() == 120, "{failure:?}");
        assert_eq!(ways.each_ref().map(|way| *way.asked.lock().unwrap()), [50, 120]);
        let told: Vec<_> = writing.problems.iter().map(|it| it.reason.as_str()).collect();
        assert!(told[0].contains("plugin is down"), "{told:?}");
        assert!(told[1].contains("object-cache.php") && told.len() == 2, "{told:?}");
    }

    #[tokio::test]
    async fn a_refusal_is_no_failure_and_is_not_asked_for_again() {
        let refused = Written::Refused { words: "no".to_owned() };
        let ways = [way("rest", true, Some(refused.clone())), way(SQL, true, Some(Written::Done))];
        let writers = Writers::new(ways.iter().map(|it| Arc::clone(it) as _).collect());
        for _ in 0..2 {
            let (written, failure) = writing_on(&writers).await.write(&writes(2)).await;
            assert!(failure.is_none(), "{failure:?}");
            assert_eq!(written, [refused.clone(), refused.clone()]);
        }
        assert_eq!(ways.each_ref().map(|way| *way.asked.lock().unwrap()), [2, 0]);
    }

    #[tokio::test]
    async fn where_nobody_can_that_is_the_answer() {
        let writers = Writers::new(vec![way("plugin", false, None)]);
        let (written, failure) = writing_on(&writers).await.write(&writes(1)).await;
        assert_eq!(written, []);
        assert!(failure.unwrap().to_string().contains("`network.write`"));
    }
}
