//! How many domains there are: counted in one place, so that whoever shows it says the same.

use std::collections::BTreeMap;

use crate::{Entry, Stage};

/// The mapped domains, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those that are as they must be.
    pub ready: u64,
    /// Those that are not.
    pub waiting: u64,
    /// By the stage that their mapping has; one without a stage is in none.
    pub stages: BTreeMap<Stage, u64>,
}

impl Tally {
    /// Of all `entries`, those that are mapped.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut tally = Self::default();
        for entry in entries {
            let Some(mapped) = &entry.mapped else { continue };
            *(if entry.is_ready() { &mut tally.ready } else { &mut tally.waiting }) += 1;
            if let Some(stage) = mapped.stage {
                *tally.stages.entry(stage).or_default() += 1;
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Time;
    use crate::entry::{Alias, Certificate, Mapped, Routing};

    const NOW: Time = Time::from_millis(0);

    fn entry(stage: Option<Stage>, is_ready: bool) -> Entry {
        let mapped = Mapped { mapping_id: 1, site_id: 2, stage, secure: false, left_alone: None };
        let mut entry = Entry::new("shop.example".parse().unwrap(), Some(mapped), NOW);
        entry.alias.set(NOW, Alias::Present, None, None);
        if is_ready {
            entry.routing.set(NOW, Routing::Here, None, None);
            entry.certificate.set(NOW, Certificate::Valid, None, None);
        }
        entry
    }

    #[test]
    fn mapped_domains_are_counted_by_stage_and_by_whether_they_are_ready() {
        let (done, checking) = (Some(Stage::Done), Some(Stage::CheckingDns));
        let mut gone = entry(done, true);
        gone.mapped = None;
        let entries = [
            entry(done, true),
            entry(done, false),
            entry(checking, false),
            entry(None, true),
            gone,
        ];
        let stages = BTreeMap::from([(Stage::Done, 2), (Stage::CheckingDns, 1)]);
        assert_eq!(Tally::of(&entries), Tally { ready: 2, waiting: 2, stages });
        assert_eq!(Tally::of(&[]), Tally::default());
    }
}
