//! What walks learned, kept for its time to live and for every name: the root is asked for a top-level
//! domain once, not once for each domain below it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_proto::rr::Name;
use tokio::time::Instant;

/// The most that is kept. Of a network's thousands of own zones few are asked for again soon; what
/// many share has long times to live and stays.
const MOST: usize = 4096;

/// However short its time to live is, a thing is kept this long …
const AT_LEAST: Duration = Duration::from_secs(30);
/// … and this long at most.
const AT_MOST: Duration = Duration::from_hours(24);

/// Things by name.
#[derive(Debug)]
pub(super) struct Kept<T> {
    things: Mutex<BTreeMap<Name, (T, Instant)>>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { things: Mutex::default() }
    }
}

impl<T: Clone> Kept<T> {
    pub(super) fn of(&self, name: &Name) -> Option<T> {
        let things = lock(&self.things);
        let (thing, until) = things.get(name)?;
        (Instant::now() < *until).then(|| thing.clone())
    }

    pub(super) fn keep(&self, name: Name, thing: T, ttl: Duration) {
        let mut things = lock(&self.things);
        let now = Instant::now();
        if MOST <= things.len() && !things.contains_key(&name) {
            things.retain(|_, (_, until)| now < *until);
            let first = things.iter().min_by_key(|(_, (_, until))| *until);
            if let Some(first) = first.map(|(name, _)| name.clone())
                && MOST <= things.len()
            {
                things.remove(&first);
            }
        }
        things.insert(name, (thing, now + ttl.clamp(AT_LEAST, AT_MOST)));
    }
}

/// Nothing here can be half done when a thread panics.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn name(number: usize) -> Name {
        Name::from_ascii(format!("n{number}.test.")).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_thing_is_kept_for_its_time_within_bounds() {
        #[rustfmt::skip] // One case a line.
        let table = [
            ("none at all",  0,         29,     true),
            ("none at all",  0,         30,     false),
            ("its own",      3600,      3599,   true),
            ("its own",      3600,      3600,   false),
            ("a week",       7 * 86400, 86399,  true),
            ("a week",       7 * 86400, 86400,  false),
        ];
        for (shows, ttl, after, there) in table {
            let kept = Kept::default();
            kept.keep(name(1), (), Duration::from_secs(ttl));
            advance(Duration::from_secs(after)).await;
            assert_eq!(kept.of(&name(1)).is_some(), there, "{shows}, after {after} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_it_is_full_what_ends_first_goes() {
        let kept = Kept::default();
        for number in 0..MOST {
            let ttl = Duration::from_secs(100 + u64::from(number != 7));
            kept.keep(name(number), number, ttl);
        }
        kept.keep(name(MOST), MOST, Duration::from_mins(1));
        assert_eq!((kept.of(&name(7)), kept.of(&name(MOST))), (None, Some(MOST)));
        assert_eq!(lock(&kept.things).len(), MOST);
        advance(Duration::from_secs(70)).await;
        kept.keep(name(7), 7, Duration::from_mins(1));
        assert_eq!(
            (kept.of(&name(MOST)), kept.of(&name(8))),
            (None, Some(8)),
            "the one over first"
        );
    }
}
