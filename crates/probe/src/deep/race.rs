//! Several who can say the same: the first good word counts, and who is silent keeps nobody waiting.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::sleep;

/// How many are asked at once.
const AT_ONCE: usize = 3;

/// After how long of silence one more is asked.
const APART: Duration = Duration::from_millis(50);

/// The first good answer of `candidates`, asked in this order.
///
/// # Errors
///
/// Nobody gave one, and how each failed.
pub(super) async fn first<T, F>(candidates: Vec<F>) -> Result<T, String>
where
    F: Future<Output = Result<T, String>>,
{
    let mut waiting = candidates.into_iter();
    let mut running: FuturesUnordered<F> = waiting.by_ref().take(AT_ONCE).collect();
    let mut failures = BTreeSet::new();
    loop {
        let ended = tokio::select! {
            ended = running.next() => ended,
            () = sleep(APART), if 0 < waiting.len() => {
                running.extend(waiting.next());
                continue;
            }
        };
        match ended {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(failure)) => {
                failures.insert(failure);
                running.extend(waiting.next());
            }
            None if waiting.len() == 0 => {
                return Err(failures.into_iter().collect::<Vec<_>>().join("; "));
            }
            None => running.extend(waiting.next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    /// Silence, a failure, or an answer, at once or after so many milliseconds.
    async fn candidate(says: &str) -> Result<String, String> {
        match says.split_once(' ') {
            None if says == "silent" => pending().await,
            Some(("fails", why)) => Err(why.to_owned()),
            Some((after, word)) => {
                sleep(Duration::from_millis(after.parse().unwrap())).await;
                Ok(word.to_owned())
            }
            None => Ok(says.to_owned()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_good_word_counts_and_nobody_waits_for_the_silent() {
        #[rustfmt::skip] // One case a line.
        let table: [(&[&str], Result<&str, &str>, u64); 6] = [
            (&["a", "b"],                                  Ok("a"), 0),
            (&["silent", "20 b"],                          Ok("b"), 20),
            (&["fails x", "fails y", "fails x", "d"],      Ok("d"), 0),
            (&["silent", "silent", "silent", "d"],         Ok("d"), 50),
            (&["fails y", "fails x"],                      Err("x; y"), 0),
            (&[],                                          Err(""), 0),
        ];
        for (says, want, millis) in table {
            let began = Instant::now();
            let said = first(says.iter().map(|says| candidate(says)).collect()).await;
            assert_eq!(said, want.map(str::to_owned).map_err(str::to_owned), "{says:?}");
            let took = began.elapsed().as_millis();
            assert!(
                (u128::from(millis)..u128::from(millis) + 5).contains(&took),
                "{says:?}: {took}"
            );
        }
    }
}
