//! Where the wp-config.php is, found as WordPress itself finds it.

use std::fs;
use std::path::{Path, PathBuf};

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
    /// The file that was given; a folder means the wp-config.php in it.
    pub fn at(path: &Path) -> Self {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let config = if path.is_dir() { path.join(CONFIG) } else { path };
        let root = config.parent().and_then(root_nearby);
        Self { config, root }
    }
}

/// Find the wp-config.php from `start` upwards, then in `~/public_html` and `/var/www/html`.
///
/// # Errors
///
/// [`NotFound`] lists where it searched.
pub fn find(start: &Path, home: Option<&Path>) -> Result<Found, NotFound> {
    let start = fs::canonicalize(start).unwrap_or_else(|_| start.to_owned());
    let public = home.map(|home| home.join("public_html"));
    let mut usual = public.into_iter().chain([PathBuf::from("/var/www/html")]);
    let mut searched = Vec::new();
    for folder in start.ancestors() {
        if let Some(found) = in_or_above(folder, &mut searched) {
            return Ok(found);
        }
        if is_root(folder) {
            // Further up is another WordPress, if any.
            break;
        }
    }
    usual.find_map(|folder| in_or_above(&folder, &mut searched)).ok_or(NotFound { searched })
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

    fn found(files: &[&str], start: &str) -> Option<(String, String)> {
        let (_keep, top) = tree(files);
        fs::create_dir_all(top.join(start)).unwrap();
        let found = find(&top.join(start), Some(&top.join("home"))).ok()?;
        let shown = |path: &Path| path.strip_prefix(&top).unwrap().display().to_string();
        Some((shown(&found.config), found.root.map_or("?".to_owned(), |root| shown(&root))))
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
        let error = find(&top.join("a/b"), Some(&top.join("home"))).unwrap_err();
        let wanted = [top.join("a/b"), top.join("a"), top.clone(), top.join("home/public_html")];
        assert!(wanted.iter().all(|it| error.searched.contains(it)), "{error}");
        assert!(error.to_string().ends_with("`/var/www/html`"), "{error}");
    }
}
