//! Durations as people read them.

use std::time::Duration;

/// A duration in its largest fitting unit.
pub fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_largest_fitting_unit() {
        let table = [(119, "119 s"), (120, "2 min"), (7200, "2 h"), (49 * 3600, "2 days")];
        for (seconds, text) in table {
            assert_eq!(rough(Duration::from_secs(seconds)), text);
        }
    }
}
