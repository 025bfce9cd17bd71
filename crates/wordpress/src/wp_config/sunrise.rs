//! `SUNRISE`: without the constant and `sunrise.php`, WordPress maps no domain at all.

use std::path::PathBuf;

use super::{Setting, WpConfig, disk};

/// Why WordPress maps no domain, where that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapsNothing {
    /// The constant is missing.
    #[error("`SUNRISE` is not defined in wp-config.php, so WordPress maps no domain")]
    NotDefined,
    /// The constant is false.
    #[error("`SUNRISE` is not true in wp-config.php, so WordPress maps no domain")]
    Off,
    /// There is no such file.
    #[error("`{}` is missing, so WordPress maps no domain", .0.display())]
    NoFile(PathBuf),
}

impl MapsNothing {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotDefined | Self::Off => {
                "on Closte's dashboard, open the site > Settings > WP-Config > additional content, \
                 and add `define('SUNRISE', true);`; elsewhere, add it to wp-config.php above the \
                 line that requires wp-settings.php"
            }
            Self::NoFile(_) => {
                "copy `sunrise.php` from the folder of the plugin Ultimate Multisite to wp-content; \
                 its setup wizard does that too"
            }
        }
    }
}

impl WpConfig {
    /// Why WordPress maps no domain. What is not known is not guessed: a constant that something
    /// which cannot be followed may define, a folder that is not here.
    pub fn maps_nothing(&self) -> Option<MapsNothing> {
        match &self.sunrise {
            Setting::Absent if self.not_followed.is_empty() => Some(MapsNothing::NotDefined),
            Setting::Known(false) => Some(MapsNothing::Off),
            Setting::Absent | Setting::Unknown(_) | Setting::Known(true) => self.lacks_sunrise(),
        }
    }

    fn lacks_sunrise(&self) -> Option<MapsNothing> {
        let file = self.content.join("sunrise.php");
        let is_here = disk::ask("is_dir", &self.content) == Some(Ok(true));
        let is_missing = disk::ask("is_file", &file) == Some(Ok(false));
        (self.content_unknown.is_none() && is_here && is_missing)
            .then_some(MapsNothing::NoFile(file))
    }
}
