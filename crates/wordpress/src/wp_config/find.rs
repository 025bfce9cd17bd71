//! Where the wp-config.php is, found as WordPress itself finds it.
//!
//! One that merely lies above the current folder may be somebody's trap: it says which database
//! is asked, with which key at the host. [`rules::trust`] says which is believed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rules::trust::{self, Distrust, Rights};

use super::{NotFound, Setting};

const CONFIG: &str = "wp-config.php";

/// A wp-config.php, and the folder of the WordPress that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub config: PathBuf,
    /// WordPress' folder, where the files in it show it.
    pub root: Option<PathBuf>,
}

impl Found {
    /// The file that was given; a folder means the wp-config.php in it. Of a link, WordPress is beside
    /// it, as PHP reads it there, or else beside what it leads to.
    pub fn at(path: &Path) -> Self {
        let found = |config: PathBuf| Self { root: config.parent().and_then(root_nearby), config };
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if real.is_dir() {
            return found(real.join(CONFIG));
        }
        let as_given = std::path::absolute(path)
            .ok()
            .and_then(|path| Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?)));
        let as_given = as_given.map(found).filter(|found| found.root.is_some());
        as_given.unwrap_or_else(|| found(real))
    }
}

/// Find the wp-config.php from `start` upwards, then in `~/public_html` and `/var/www/html`. `me`
/// is the user (by number) who will believe it.
///
/// # Errors
///
/// [`NotFound::Nowhere`] lists where it searched; [`NotFound::Refused`] names the file that was
/// found on the way upwards and may be somebody else's. It does not search on behind that one.
pub fn find(start: &Path, home: Option<&Path>, me: u32) -> Result<Found, NotFound> {
    let start = fs::canonicalize(start).unwrap_or_else(|_| start.to_owned());
    let public = home.map(|home| home.join("public_html"));
    let usual: Vec<_> = public.into_iter().chain([PathBuf::from("/var/www/html")]).collect();
    let mut searched = Vec::new();
    for folder in start.ancestors() {
        if let Some(found) = in_or_above(folder, &mut searched) {
            let is_usual =
                usual.iter().any(|usual| fs::canonicalize(usual).is_ok_and(|it| it == folder));
            return if is_usual { Ok(found) } else { believed(found, me) };
        }
        if is_root(folder) {
            // Further up is another WordPress, if any.
            break;
        }
    }
    let found = usual.iter().find_map(|folder| in_or_above(folder, &mut searched));
    found.ok_or(NotFound::Nowhere { searched })
}

/// `found`, where nobody else can have put it there.
fn believed(found: Found, me: u32) -> Result<Found, NotFound> {
    let refused = |place: &Path, why: Distrust| {
        let (config, place) = (found.config.clone(), place.to_owned());
        NotFound::Refused { config, place, why }
    };
    let rights = |path: &Path| {
        let found = fs::metadata(path).ok()?;
        Some(Rights { owner: found.uid(), mode: found.mode() })
    };
    // Where it is a link, what it leads to counts, and where that lies.
    let real = fs::canonicalize(&found.config).unwrap_or_else(|_| found.config.clone());
    for folder in [found.config.parent(), real.parent()].into_iter().flatten() {
        if let Some(rights) = rights(folder) {
            trust::closed_to_everybody(rights).map_err(|why| refused(folder, why))?;
        }
    }
    let settings = found.root.as_ref().and_then(|root| rights(&root.join("wp-settings.php")));
    if let Some(rights) = rights(&real) {
        let owner = settings.map(|settings| settings.owner);
        trust::found_config(rights, owner, me).map_err(|why| refused(&found.config, why))?;
    }
    Ok(found)
}

/// The file in `folder`, or above it where WordPress would take that one.
fn in_or_above(folder: &Path, searched: &mut Vec<PathBuf>) -> Option<Found> {
    let config = search(folder, searched);
    if config.is_some() || !is_root(folder) {
        return config.map(|config| Found { config, root: root_nearby(folder) });
    }
    let above = folder.parent().filter(|above| !above.join("wp-settings.php").exists())?;
    let config = search(above, searched)?;
    Some(Found { config, root: Some(folder.to_owned()) })
}

fn search(folder: &Path, searched: &mut Vec<PathBuf>) -> Option<PathBuf> {
    if !searched.iter().any(|it| it == folder) {
        searched.push(folder.to_owned());
    }
    Some(folder.join(CONFIG)).filter(|config| config.is_file())
}

fn is_root(folder: &Path) -> bool {
    folder.join("wp-settings.php").exists() || folder.join("wp-load.php").exists()
}

/// WordPress next to the file, or in the one folder below it.
fn root_nearby(folder: &Path) -> Option<PathBuf> {
    if is_root(folder) {
        return Some(folder.to_owned());
    }
    let below = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let mut roots = below.filter(|it| is_root(it));
    roots.next().filter(|_| roots.next().is_none())
}

/// WordPress' folder by the files in it, else as the file says, else the file's folder.
pub(super) fn root(found: &Found, abspath: &Setting<String>) -> PathBuf {
    let beside = || found.config.parent().map_or_else(PathBuf::new, Path::to_owned);
    let said = || abspath.known().map(PathBuf::from);
    found.root.clone().or_else(said).unwrap_or_else(beside)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder with `files`, empty ones.
    fn tree(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "<?php\n").unwrap();
        }
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    /// Who made that folder.
    fn me(folder: &Path) -> u32 {
        fs::metadata(folder).unwrap().uid()
    }

    fn found(files: &[&str], start: &str) -> Option<(String, String)> {
        let (_keep, top) = tree(files);
        fs::create_dir_all(top.join(start)).unwrap();
        let found = find(&top.join(start), Some(&top.join("home")), me(&top)).ok()?;
        let shown = |path: &Path| path.strip_prefix(&top).unwrap().display().to_string();
        Some((shown(&found.config), found.root.map_or("?".to_owned(), |root| shown(&root))))
    }

    #[test]
    fn of_a_link_that_is_given_wordpress_is_beside_it_or_beside_what_it_leads_to() {
        let (_keep, top) = tree(&["shared/wp-config.php", "www/wp-load.php", "home/a.txt"]);
        let link = |at: &str, to: &str| std::os::unix::fs::symlink(top.join(to), top.join(at));
        link("www/wp-config.php", "shared/wp-config.php").unwrap();
        link("home/wp-config.php", "www/wp-config.php").unwrap();
        link("site", "www").unwrap();
        let given = |path: &str| Found::at(&top.join(path));
        let (config, root) = (top.join("www/wp-config.php"), Some(top.join("www")));
        for path in ["www/wp-config.php", "www", "site", "site/wp-config.php"] {
            assert_eq!(given(path), Found { config: config.clone(), root: root.clone() }, "{path}");
        }
        let config = top.join("shared/wp-config.php");
        assert_eq!(given("home/wp-config.php"), Found { config, root: None });
    }

    #[test]
    fn the_file_is_found_where_wordpress_would_find_it() {
        type Case<'a> = (&'a str, &'a [&'a str], &'a str, Option<(&'a str, &'a str)>);
        let table: [Case<'_>; 8] = [
            (
                "in the root",
                &["www/wp-config.php", "www/wp-load.php"],
                "www",
                Some(("www/wp-config.php", "www")),
            ),
            (
                "from a folder below",
                &["www/wp-config.php", "www/wp-load.php"],
                "www/wp-content/plugins",
                Some(("www/wp-config.php", "www")),
            ),
            (
                "one above the root",
                &["wp-config.php", "www/wp-settings.php"],
                "www",
                Some(("wp-config.php", "www")),
            ),
            (
                "above it, root told from above",
                &["wp-config.php", "www/wp-settings.php"],
                "",
                Some(("wp-config.php", "www")),
            ),
            (
                "not that of another WordPress above",
                &["www/wp-config.php", "www/wp-settings.php", "www/new/wp-settings.php"],
                "www/new",
                None,
            ),
            (
                "in ~/public_html",
                &["home/public_html/wp-config.php"],
                "elsewhere",
                Some(("home/public_html/wp-config.php", "?")),
            ),
            (
                "above ~/public_html",
                &["home/wp-config.php", "home/public_html/wp-load.php"],
                "elsewhere",
                Some(("home/wp-config.php", "home/public_html")),
            ),
            ("nowhere", &["home/notes.txt"], "home", None),
        ];
        for (shows, files, start, want) in table {
            let want = want.map(|(config, root)| (config.to_owned(), root.to_owned()));
            assert_eq!(found(files, start), want, "{shows}");
        }
    }

    #[test]
    fn the_error_lists_where_it_checked() {
        let (_keep, top) = tree(&["a/b/c.txt"]);
        let error = find(&top.join("a/b"), Some(&top.join("home")), me(&top)).unwrap_err();
        let NotFound::Nowhere { searched } = &error else { panic!("{error}") };
        let wanted = [top.join("a/b"), top.join("a"), top.clone(), top.join("home/public_html")];
        assert!(wanted.iter().all(|it| searched.contains(it)), "{error}");
        assert!(error.to_string().ends_with("`/var/www/html`"), "{error}");
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_file_that_everybody_could_have_put_there_is_refused_on_the_way_upwards() {
        let files = ["a/wp-config.php", "a/www/wp-settings.php", "home/public_html/wp-config.php", "home/public_html/wp-load.php"];
        let table = [
            // whose mode     which   from                     why not
            ("a/wp-config.php", 0o664, "a/www",                None),
            ("a/wp-config.php", 0o666, "a/www",                Some("a/wp-config.php` is not used: `{}/a/wp-config.php` may be written to by everybody (mode 0666)")),
            ("a",               0o757, "a/www",                Some("a/wp-config.php` is not used: `{}/a` may be written to by everybody (mode 0757)")),
            ("a",               0o1777, "a",                   Some("a/wp-config.php` is not used: `{}/a` may be written to by everybody (mode 1777)")),
            ("a/www",           0o757, "a/www",                None),
            ("home/public_html", 0o757, "home/public_html",    None),
            ("home/public_html", 0o757, "elsewhere",           None),
        ];
        for (path, mode, start, why) in table {
            let (_keep, top) = tree(&files);
            fs::create_dir_all(top.join(start)).unwrap();
            fs::set_permissions(top.join(path), fs::Permissions::from_mode(mode)).unwrap();
            let found = find(&top.join(start), Some(&top.join("home")), me(&top));
            let said = found.err().map(|error| error.to_string());
            let want = why.map(|why| format!("`{}/{}", top.display(), why.replace("{}", &top.display().to_string())));
            assert_eq!(said, want, "{path} {mode:o} {start}");
        }
    }

    #[test]
    fn a_file_of_a_stranger_is_believed_only_beside_their_wordpress_or_where_it_is_named() {
        let (_keep, top) = tree(&["a/wp-config.php", "a/wp-settings.php", "b/wp-config.php"]);
        for file in ["a/wp-config.php", "a/wp-settings.php", "b/wp-config.php"] {
            // Root's is believed: made by root, they become somebody's, and else they are.
            let _ = std::os::unix::fs::chown(top.join(file), Some(4711), None);
        }
        let owner = me(&top.join("b/wp-config.php"));
        let stranger = owner + 1;
        assert!(find(&top.join("a"), None, stranger).is_ok(), "their WordPress");
        let error = find(&top.join("b"), None, stranger).unwrap_err();
        let belongs = format!("belongs to the user {owner}, and you are {stranger}");
        assert!(error.to_string().ends_with(&belongs), "{error}");
        assert!(error.hint().contains("--wp-config"), "{}", error.hint());
        assert!(Found::at(&top.join("b")).config.ends_with("b/wp-config.php"));
    }

    #[test]
    fn a_link_is_judged_by_what_it_leads_to() {
        let (_keep, top) = tree(&["open/wp-config.php", "a/wp-settings.php"]);
        std::os::unix::fs::symlink(top.join("open/wp-config.php"), top.join("a/wp-config.php"))
            .unwrap();
        assert!(find(&top.join("a"), None, me(&top)).is_ok());
        fs::set_permissions(top.join("open"), fs::Permissions::from_mode(0o777)).unwrap();
        let error = find(&top.join("a"), None, me(&top)).unwrap_err();
        assert!(error.to_string().contains("/open` may be written to"), "{error}");
    }
}
