//! Where a ledger may be, and how its folder and file are made.
//!
//! It may not be where a web server shows files: it lists the domains of a network.
//! Only its owner may read it, and nobody else may put another in its place: its folder
//! is ours, and nothing of it is a symbolic link.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use rules::ledger::LedgerError;
use rules::trust::{self, Rights};
use rustix::fs::Access;
use rustix::io::Errno;

use crate::error;

/// What lies beside the ledger's file, and itself, by what is added to its name.
const FILES: [&str; 4] = ["", ".lock", "-wal", "-shm"];

/// The file of a ledger, at a place that no web server shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerPath {
    file: PathBuf,
}

impl LedgerPath {
    /// The place that `ledger.url` names: `sqlite:///absolute/path`.
    ///
    /// Symbolic links on the way to its folder are resolved before it is checked.
    /// `document_roots` are the folders known to be shown by a web server; others are
    /// known by what is in them. Nothing is made.
    ///
    /// # Errors
    ///
    /// [`LedgerError::BadPath`] says what is wrong with it.
    pub fn at(url: &str, document_roots: &[PathBuf]) -> Result<Self, LedgerError> {
        let path = path_of(url)?;
        let folder = path.parent().map(resolved).unwrap_or_default();
        let place = Self { file: folder.join(path.file_name().unwrap_or_default()) };
        if let Some(folder) = served_folder(&place.file, document_roots) {
            return Err(place.bad(format!("a web server shows what is in `{}`", folder.display())));
        }
        place.check()?;
        Ok(place)
    }

    /// That nobody else could have put there what we are about to open.
    pub(crate) fn check(&self) -> Result<(), LedgerError> {
        let folder = self.folder();
        // What is made later is checked then, and what cannot be read is not opened either.
        let Ok(found) = fs::metadata(folder) else { return Ok(()) };
        let rights = Rights { owner: found.uid(), mode: found.mode() };
        trust::ledger_folder(rights, rustix::process::geteuid().as_raw()).map_err(|why| {
            let (folder, hint) = (folder.display(), why.hint());
            self.bad(format!("its folder `{folder}` {why}; {hint}, or use another folder"))
        })?;
        let is_link = |file: &PathBuf| {
            fs::symlink_metadata(file).is_ok_and(|found| found.file_type().is_symlink())
        };
        match FILES.map(|suffix| self.sibling(suffix)).iter().find(|file| is_link(file)) {
            Some(link) => Err(self.bad(format!(
                "`{}` is a symbolic link; name the file that it leads to, or delete it",
                link.display()
            ))),
            None => Ok(()),
        }
    }

    fn bad(&self, why: String) -> LedgerError {
        LedgerError::BadPath { at: self.file.display().to_string(), why }
    }

    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }

    /// The file itself.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A file next to it, `suffix` added to its name.
    pub(crate) fn sibling(&self, suffix: &str) -> PathBuf {
        let mut name = self.file.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// That it can be kept there, as far as that is seen without making anything: what there is of
    /// the way to its folder may be written to, and so may the file where it is there.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Open`] says what may not be written to.
    pub fn check_rights(&self) -> Result<(), LedgerError> {
        let there = |path: &&Path| path.symlink_metadata().is_ok();
        let folder = self.folder().ancestors().find(there).unwrap_or(Path::new("/"));
        let in_folder = Access::WRITE_OK | Access::EXEC_OK;
        let checks = [(folder, in_folder), (&self.file, Access::READ_OK | Access::WRITE_OK)];
        for (path, rights) in checks {
            match rustix::fs::access(path, rights) {
                Ok(()) | Err(Errno::NOENT) => (),
                Err(error) => {
                    let why = format!("`{}` may not be written to: {error}", path.display());
                    return Err(error::open(&self.file, why));
                }
            }
        }
        if folder.is_dir() {
            return Ok(());
        }
        let why = format!("`{}` is no folder", folder.display());
        Err(error::open(&self.file, why))
    }

    /// Make its folder where that is missing; somebody else's is refused.
    pub(crate) fn make_folder(&self) -> Result<(), LedgerError> {
        let folder = self.folder();
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| {
            let why = format!("could not make the folder `{}`: {source}", folder.display());
            error::open(&self.file, why)
        })?;
        self.check()
    }

    /// Make an empty file where there is none.
    ///
    /// SQLite would make it as the umask says; `-wal` and `-shm` take over its mode.
    pub(crate) fn make_file(&self) -> Result<(), LedgerError> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                Err(error::open(&self.file, source))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// How long the file is, which is there and is ours.
    pub(crate) fn length(&self) -> Result<u64, LedgerError> {
        self.check()?;
        match fs::metadata(&self.file) {
            Ok(file) => Ok(file.len()),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Err(self.missing()),
            Err(source) => Err(error::open(&self.file, source)),
        }
    }

    /// Remove the rights that group and others have to it.
    pub(crate) fn tighten(&self) -> Result<(), LedgerError> {
        for file in ["", "-wal", "-shm"].map(|suffix| self.sibling(suffix)) {
            match tighten(&file) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(error::open(&file, source));
                }
                Ok(()) | Err(_) => (),
            }
        }
        Ok(())
    }

    /// That there is no ledger here.
    pub(crate) fn missing(&self) -> LedgerError {
        LedgerError::Missing { at: self.file.display().to_string() }
    }
}

fn tighten(file: &Path) -> io::Result<()> {
    let mode = fs::metadata(file)?.permissions().mode();
    let tight = mode & !0o077;
    if tight == mode {
        return Ok(());
    }
    fs::set_permissions(file, Permissions::from_mode(tight))
}

/// The path in a URL. The content of another scheme is not repeated: it may contain
/// a password.
fn path_of(url: &str) -> Result<PathBuf, LedgerError> {
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    let bad = |at: &str, why: &str| LedgerError::BadPath { at: at.to_owned(), why: why.to_owned() };
    match scheme {
        "sqlite" => (),
        "postgres" | "postgresql" => {
            return Err(bad(
                "postgres://…",
                "PostgreSQL is not yet supported; use `sqlite:///absolute/path`",
            ));
        }
        _ => {
            return Err(bad(
                &format!("{scheme}:…"),
                "only `sqlite:///absolute/path` is understood",
            ));
        }
    }
    let path = Path::new(rest.strip_prefix("//").unwrap_or_default());
    let why = if !path.is_absolute() {
        "its path is not absolute, as in `sqlite:///absolute/path` (three slashes)"
    } else if rest.contains(['?', '#', '\0']) {
        "it takes no options: only `sqlite:///absolute/path`"
    } else if path.components().any(|part| part == Component::ParentDir) {
        "write its path without `..`"
    } else if rest.ends_with('/') || path.file_name().is_none() {
        "its path names no file"
    } else {
        return Ok(path.to_owned());
    };
    Err(bad(url, why))
}

/// `path` without symbolic links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    for existing in path.ancestors() {
        if let Ok(real) = existing.canonicalize() {
            let rest = path.strip_prefix(existing).unwrap_or(Path::new(""));
            return real.components().chain(rest.components()).collect();
        }
    }
    path.to_owned()
}

/// The folder around `file` that a web server shows, if any does.
fn served_folder<'a>(file: &'a Path, document_roots: &[PathBuf]) -> Option<&'a Path> {
    let roots: Vec<PathBuf> = document_roots.iter().map(|root| resolved(root)).collect();
    let own = file.parent()?;
    own.ancestors().find(|folder| {
        roots.iter().any(|root| root == folder)
            || folder.ends_with("public_html")
            || *folder == Path::new("/var/www/html")
            || holds_wordpress(folder, *folder == own)
    })
}

/// Whether a folder contains what WordPress keeps in its root.
///
/// `wp-config.php` may be one folder above that root, where no web server shows
/// it: in a home folder, for example, below which a ledger must be allowed. It shows
/// a root only where `index.php` or `wp-content` is next to it, or where it would be
/// next to the ledger.
fn holds_wordpress(folder: &Path, is_own: bool) -> bool {
    let has = |name: &str| folder.join(name).exists();
    has("wp-settings.php")
        || has("wp-load.php")
        || (has("wp-config.php") && (is_own || has("index.php") || has("wp-content")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        LedgerPath::at(url, &[]).unwrap_err().to_string()
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn only_an_absolute_path_of_a_file_is_a_place() {
        let table = [
            ("sqlite://ledger.db",      "the ledger may not be at `sqlite://ledger.db`: its path is not absolute, as in `sqlite:///absolute/path` (three slashes)"),
            ("sqlite:ledger.db",        "the ledger may not be at `sqlite:ledger.db`: its path is not absolute, as in `sqlite:///absolute/path` (three slashes)"),
            ("sqlite::memory:",         "the ledger may not be at `sqlite::memory:`: its path is not absolute, as in `sqlite:///absolute/path` (three slashes)"),
            ("sqlite:///",              "the ledger may not be at `sqlite:///`: its path names no file"),
            ("sqlite:///srv/",          "the ledger may not be at `sqlite:///srv/`: its path names no file"),
            ("sqlite:///srv/../l.db",   "the ledger may not be at `sqlite:///srv/../l.db`: write its path without `..`"),
            ("sqlite:///l.db?mode=rwc", "the ledger may not be at `sqlite:///l.db?mode=rwc`: it takes no options: only `sqlite:///absolute/path`"),
            ("postgres://u:secret@h/d", "the ledger may not be at `postgres://…`: PostgreSQL is not yet supported; use `sqlite:///absolute/path`"),
            ("mysql://u:secret@h/d",    "the ledger may not be at `mysql:…`: only `sqlite:///absolute/path` is understood"),
            ("/srv/ledger.db",          "the ledger may not be at `:…`: only `sqlite:///absolute/path` is understood"),
            ("",                        "the ledger may not be at `:…`: only `sqlite:///absolute/path` is understood"),
        ];
        for (url, why) in table {
            assert_eq!(refusal(url), why, "{url}");
        }
        assert_eq!(LedgerPath::at("sqlite:///nowhere/l.db", &[]).unwrap().file(), Path::new("/nowhere/l.db"));
    }

    #[test]
    fn a_place_that_a_web_server_shows_is_refused() {
        assert!(refusal("sqlite:///var/www/html/a/l.db").ends_with("what is in `/var/www/html`"));
        assert!(refusal("sqlite:///nowhere/public_html/a/l.db").ends_with("/public_html`"));
        let root = [PathBuf::from("/nowhere/site")];
        assert!(LedgerPath::at("sqlite:///nowhere/site/deep/l.db", &root).is_err());
        assert!(LedgerPath::at("sqlite:///nowhere/site-state/l.db", &root).is_ok());
    }

    #[test]
    fn wordpress_in_a_folder_makes_it_a_bad_place() {
        let table: [(&[&str], bool, bool); 6] = [
            // what the folder contains          a ledger in it    deeper
            (&[], true, true),
            (&["wp-settings.php"], false, false),
            (&["wp-load.php"], false, false),
            (&["wp-config.php"], false, true), // one folder above WordPress
            (&["wp-config.php", "index.php"], false, false),
            (&["index.php"], true, true),
        ];
        for (files, own, deeper) in table {
            let folder = tempfile::tempdir().unwrap();
            for file in files {
                fs::write(folder.path().join(file), "").unwrap();
            }
            let at = |rest: &str| format!("sqlite://{}/{rest}", folder.path().display());
            assert_eq!(LedgerPath::at(&at("l.db"), &[]).is_ok(), own, "{files:?}");
            assert_eq!(LedgerPath::at(&at("state/deep/l.db"), &[]).is_ok(), deeper, "{files:?}");
        }
    }

    #[test]
    fn where_it_cannot_be_written_is_seen_without_making_anything() {
        let folder = tempfile::tempdir().unwrap();
        let rights = |rest: &str| {
            let url = format!("sqlite://{}/{rest}", folder.path().display());
            LedgerPath::at(&url, &[]).unwrap().check_rights().map_err(|error| error.to_string())
        };
        fs::write(folder.path().join("file"), "").unwrap();
        for good in ["l.db", "new/deep/l.db", "file"] {
            assert_eq!(rights(good), Ok(()), "{good}");
        }
        assert!(rights("file/deep/l.db").unwrap_err().starts_with("could not open the ledger `"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        // Whoever may do everything cannot be refused.
        if !rustix::process::geteuid().is_root() {
            fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
            assert!(rights("new/l.db").is_err() && rights("l.db").is_err());
            fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
            fs::set_permissions(folder.path().join("file"), Permissions::from_mode(0o400)).unwrap();
            assert!(rights("file").is_err());
        }
    }

    #[test]
    fn symbolic_links_hide_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("public_html");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("l.db"), "").unwrap();
        let url = |name: &str| format!("sqlite://{}/{name}", folder.path().display());

        std::os::unix::fs::symlink(&root, folder.path().join("folder")).unwrap();
        assert!(refusal(&url("folder/new/l.db")).ends_with("/public_html`"));

        let alias = folder.path().join("known");
        std::os::unix::fs::symlink(folder.path(), &alias).unwrap();
        assert!(LedgerPath::at(&url("l.db"), &[alias]).is_err(), "links in known roots, too");
    }

    #[test]
    fn nothing_of_a_ledger_is_a_symbolic_link() {
        for suffix in FILES {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}/l.db", folder.path().display());
            let place = LedgerPath::at(&url, &[]).unwrap();
            let link = folder.path().canonicalize().unwrap().join(format!("l.db{suffix}"));
            std::os::unix::fs::symlink("/nowhere/else", &link).unwrap();
            let said = format!("`{}` is a symbolic link; name the", link.display());
            assert!(refusal(&url).contains(&said), "{}", refusal(&url));
            assert!(place.make_folder().is_err(), "{suffix}: one that came later");
        }
    }

    #[test]
    fn a_folder_that_everybody_may_write_to_is_refused_however_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().canonicalize().unwrap().join("open");
        let url = format!("sqlite://{}/l.db", open.display());
        let before = LedgerPath::at(&url, &[]).unwrap();
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o1777)).unwrap();
        let said = format!(
            "the ledger may not be at `{0}/l.db`: its folder `{0}` may be written to by everybody \
             (mode 1777); `chmod o-w` it, or use another folder",
            open.display()
        );
        assert_eq!(refusal(&url), said);
        assert_eq!(before.make_folder().unwrap_err().to_string(), said);

        fs::set_permissions(&open, Permissions::from_mode(0o770)).unwrap();
        LedgerPath::at(&url, &[]).unwrap().make_folder().unwrap();
    }
}
