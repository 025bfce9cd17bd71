//! Which files and folders are believed, by who could have written them.
//!
//! Whoever writes our ledger decides what is removed; whoever writes wp-config.php decides which
//! network that is about. The adapters read the [`Rights`]; what follows from them is here.

/// The user who may do everything anyway.
const ROOT: u32 = 0;

/// Who may write to a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Its owner, by number (`st_uid`).
    pub owner: u32,
    /// Its permission bits (`st_mode`).
    pub mode: u32,
}

/// Why a file or a folder is not believed: `it`, and then this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Another user's.
    #[error("belongs to the user {owner}, and you are {me}")]
    Foreign {
        /// Its owner, by number.
        owner: u32,
        /// Who we are, by number.
        me: u32,
    },
    /// Mode `o+w`.
    #[error("may be written to by everybody (mode {:04o})", mode & 0o7777)]
    Everybody {
        /// Its permission bits.
        mode: u32,
    },
    /// Mode `g+w`.
    #[error("may be written to by its group (mode {:04o})", mode & 0o7777)]
    Group {
        /// Its permission bits.
        mode: u32,
    },
}

impl Distrust {
    /// What a person can do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Foreign { .. } => "run closte-sync as its owner",
            Self::Everybody { .. } => "`chmod o-w` it",
            Self::Group { .. } => "`chmod go-w` it",
        }
    }
}

/// Whether the folder of the ledger is ours: it belongs to the user `me` or to root, and not
/// everybody may write to it (not even with the sticky bit, as in `/tmp`: names there are guessed,
/// and taken first).
pub fn ledger_folder(folder: Rights, me: u32) -> Result<(), Distrust> {
    closed_to_everybody(folder)?;
    of_one_of(folder, &[me, ROOT], me)
}

/// Whether a settings file that merely lies in the current folder is believed by the user `me`: it
/// is theirs or root's, and nobody else may write to it.
pub fn settings_file(file: Rights, me: u32) -> Result<(), Distrust> {
    closed_to_everybody(file)?;
    if file.mode & 0o020 != 0 {
        return Err(Distrust::Group { mode: file.mode });
    }
    of_one_of(file, &[me, ROOT], me)
}

/// Whether a wp-config.php that was found on the way upwards is believed by the user `me`: it is
/// theirs, root's, or belongs to the owner of the WordPress that it is for (`wp-settings.php`).
pub fn found_config(file: Rights, wordpress_owner: Option<u32>, me: u32) -> Result<(), Distrust> {
    closed_to_everybody(file)?;
    of_one_of(file, &[me, ROOT, wordpress_owner.unwrap_or(ROOT)], me)
}

/// That not everybody may write to it.
pub fn closed_to_everybody(it: Rights) -> Result<(), Distrust> {
    if it.mode & 0o002 == 0 { Ok(()) } else { Err(Distrust::Everybody { mode: it.mode }) }
}

fn of_one_of(it: Rights, users: &[u32], me: u32) -> Result<(), Distrust> {
    if users.contains(&it.owner) { Ok(()) } else { Err(Distrust::Foreign { owner: it.owner, me }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u32 = 1000;
    const SITE: u32 = 33;
    const OTHER: u32 = 1001;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_file_is_believed_by_who_could_have_written_it() {
        let everybody = |mode| Err(Distrust::Everybody { mode });
        let group = |mode| Err(Distrust::Group { mode });
        let foreign = |owner| Err(Distrust::Foreign { owner, me: ME });
        let table = [
            // owner, mode     the ledger's folder  settings here     wp-config.php, WordPress is SITE's
            (ME,    0o40700,   Ok(()),              Ok(()),           Ok(())),
            (ME,    0o40755,   Ok(()),              Ok(()),           Ok(())),
            (ME,    0o40775,   Ok(()),              group(0o40775),   Ok(())),
            (ME,    0o40757,   everybody(0o40757),  everybody(0o40757), everybody(0o40757)),
            (ROOT,  0o644,  Ok(()),              Ok(()),           Ok(())),
            (ROOT,  0o41777,   everybody(0o41777),  everybody(0o41777), everybody(0o41777)),
            (SITE,  0o640,  foreign(SITE),       foreign(SITE),    Ok(())),
            (SITE,  0o660,  foreign(SITE),       group(0o660),  Ok(())),
            (SITE,  0o666,  everybody(0o666), everybody(0o666), everybody(0o666)),
            (OTHER, 0o600,  foreign(OTHER),      foreign(OTHER),   foreign(OTHER)),
        ];
        for (owner, mode, ledger, settings, config) in table {
            let rights = Rights { owner, mode };
            assert_eq!(ledger_folder(rights, ME), ledger, "{rights:?}");
            assert_eq!(settings_file(rights, ME), settings, "{rights:?}");
            assert_eq!(found_config(rights, Some(SITE), ME), config, "{rights:?}");
        }
        let site = Rights { owner: SITE, mode: 0o644 };
        assert_eq!(found_config(site, None, ME), foreign(SITE), "beside no WordPress");
        let mine = Rights { owner: ME, mode: 0o644 };
        assert_eq!(found_config(mine, None, ROOT), Err(Distrust::Foreign { owner: ME, me: ROOT }), "not even by root");
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let table = [
            (Distrust::Foreign { owner: 33, me: 0 }, "belongs to the user 33, and you are 0"),
            (Distrust::Everybody { mode: 0o41777 }, "may be written to by everybody (mode 1777)"),
            (Distrust::Group { mode: 0o664 }, "may be written to by its group (mode 0664)"),
        ];
        for (distrust, words) in table {
            assert_eq!(distrust.to_string(), words);
        }
    }
}
