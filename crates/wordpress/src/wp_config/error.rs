//! Why a wp-config.php gave us nothing, in words that an operator can act on.

use std::io;
use std::path::PathBuf;

use rules::trust::Distrust;

use super::Unsettled;

/// Why a wp-config.php, or one of its values, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WpConfigError {
    /// The file cannot be read.
    #[error("could not read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No wp-config.php is that large.
    #[error("`{}` is larger than 1 MiB: that is not a wp-config.php", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file contains no PHP.
    #[error("`{}` is not a PHP file", path.display())]
    NotPhp {
        /// The file.
        path: PathBuf,
    },
    /// Its code begins with a tag that PHP reads only where a setting allows it.
    #[error("`{}` uses the short open tag `<?`, which PHP reads only where `short_open_tag` is on", path.display())]
    ShortTag {
        /// The file.
        path: PathBuf,
    },
    /// PHP would refuse the file.
    #[error("`{}` is not valid PHP (line {line}: {what})", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where.
        line: u32,
        /// What is wrong there.
        what: String,
    },
    /// A value that must be there is not.
    #[error("`{name}` is not defined in `{}`", path.display())]
    Missing {
        /// The constant or variable.
        name: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file decides which database WordPress uses, and cannot be read.
    #[error("`{}` decides which database WordPress uses, and {why}", path.display())]
    DropIn {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        why: String,
    },
    /// A value that must be known is not.
    #[error("`{name}` {why}, in `{}`", path.display())]
    Unsettled {
        /// The constant or variable.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        why: Unsettled,
    },
}

impl WpConfigError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            // No thread could be started to read it.
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::WouldBlock => {
                "the processes or the memory of this user are used up: ask the host to allow more"
            }
            Self::Unreadable { .. } => "run closte-sync as the user that owns the site",
            Self::TooLarge { .. } | Self::NotPhp { .. } | Self::Syntax { .. } => {
                "name the right file with `--wp-config`"
            }
            Self::DropIn { .. } => {
                "run closte-sync as the user that owns the site, or set `network.database_url`"
            }
            Self::ShortTag { .. } => "begin the file with `<?php`",
            Self::Missing { name, .. } | Self::Unsettled { name, .. } => match *name {
                "$table_prefix" => {
                    "set it as a plain text in wp-config.php, or set `network.table_prefix`"
                }
                "DOMAIN_CURRENT_SITE" => {
                    "define it as a plain text in wp-config.php, or set `network.domain`"
                }
                "CLOSTE_CLIENT_API_KEY" => {
                    "define it as a plain text in wp-config.php, or set `closte.api_key_file`"
                }
                "CLOSTE_APP_ID" => {
                    "define it as a plain text in wp-config.php, or set `closte.app_id`"
                }
                _ => "define it as a plain text in wp-config.php, or set `network.database_url`",
            },
        }
    }
}

/// There is no wp-config.php where one should be, or none to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// There is none.
    #[error("found no wp-config.php in {}", places(searched))]
    Nowhere {
        /// The folders that were searched, in that order.
        searched: Vec<PathBuf>,
    },
    /// Somebody else may have put it there.
    #[error("`{}` is not used: `{}` {why}", config.display(), place.display())]
    Refused {
        /// The file.
        config: PathBuf,
        /// What is wrong: it, or its folder.
        place: PathBuf,
        /// Why.
        why: Distrust,
    },
}

impl NotFound {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Nowhere { .. } => {
                "run closte-sync in the folder of the network, or name the file with `--wp-config`"
            }
            Self::Refused { why: Distrust::Foreign { .. }, .. } => {
                "if it is your network's, run closte-sync as the owner of its files, or name the file with `--wp-config`"
            }
            Self::Refused { .. } => {
                "if it is your network's, `chmod o-w` that, or name the file with `--wp-config`"
            }
        }
    }
}

fn places(searched: &[PathBuf]) -> String {
    let shown: Vec<_> = searched.iter().map(|it| format!("`{}`", it.display())).collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_thread_could_read_is_no_matter_of_rights() {
        let hint = |kind: io::ErrorKind| {
            WpConfigError::Unreadable { path: "/wp-config.php".into(), source: kind.into() }.hint()
        };
        assert!(hint(io::ErrorKind::WouldBlock).contains("used up"));
        assert!(hint(io::ErrorKind::PermissionDenied).contains("as the user that owns the site"));
    }
}
