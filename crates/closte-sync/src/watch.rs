//! Noticing that somebody touched a file.
//!
//! Its time of change is asked for now and then: that costs next to nothing and
//! works on every file system, network ones included.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;

/// Look at `file` so often, and call `tell` whenever it was changed, made or taken
/// away, without end.
pub(crate) fn watch(file: PathBuf, every: Duration, tell: impl Fn()) -> impl Future<Output = ()> {
    let seen = move || fs::metadata(&file).and_then(|it| it.modified()).ok();
    // As it is now, and not when somebody gets round to it first.
    let mut before = seen();
    async move {
        loop {
            sleep(every).await;
            let now = seen();
            if now != before {
                before = now;
                tell();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::Path;

    use super::*;

    const EVERY: Duration = Duration::from_millis(250);

    /// How often a touch is told after `change` was made to the file.
    async fn told_after(change: impl FnOnce(&Path)) -> u32 {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nudge");
        fs::write(&file, "").unwrap();
        let old = fs::metadata(&file).unwrap().modified().unwrap() - Duration::from_secs(9);
        fs::File::open(&file).unwrap().set_modified(old).unwrap();
        let touches = Cell::new(0);
        let watching = watch(file.clone(), EVERY, || touches.set(touches.get() + 1));
        let mut watching = std::pin::pin!(watching);
        // The first turn only sees how things are.
        assert!(futures_util::poll!(&mut watching).is_pending());
        change(&file);
        let _ = tokio::time::timeout(EVERY * 9, watching).await;
        touches.get()
    }

    #[tokio::test(start_paused = true)]
    async fn a_touch_is_reported_once_and_quiet_never() {
        assert_eq!(told_after(|_| ()).await, 0);
        assert_eq!(told_after(|file| fs::write(file, "").unwrap()).await, 1);
        assert_eq!(told_after(|file| fs::remove_file(file).unwrap()).await, 1);
    }
}
