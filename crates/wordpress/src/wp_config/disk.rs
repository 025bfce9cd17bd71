//! What the disk decides in a wp-config.php: whether files are there, and what they contain.
//!
//! PHP may run as another user: where *we* may not look, nothing is known, least of all that nothing
//! is there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::value::Value;

/// A longer file is not read.
pub(super) const LARGEST: usize = 1 << 20;

/// A condition that was decided by what is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The file that asks, and the line.
    pub file: PathBuf,
    /// The line that asks.
    pub line: u32,
    /// What it asks: `file_exists('/srv/www/.maintenance')`.
    pub question: String,
    /// What is so.
    pub answer: bool,
}

/// Whether something is so; in error, why that is not known.
pub(super) type Asked<T> = Result<T, String>;

/// What the function `name` says of `path`; none of a function that asks for nothing of a file.
pub(super) fn ask(name: &str, path: &Path) -> Option<Asked<bool>> {
    let metadata = || match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(not_seen(path, &error)),
    };
    Some(match name {
        "file_exists" => metadata().map(|it| it.is_some()),
        "is_file" => metadata().map(|it| it.is_some_and(|it| it.is_file())),
        "is_dir" => metadata().map(|it| it.is_some_and(|it| it.is_dir())),
        "is_readable" => metadata().and_then(|it| {
            match it {
                None => Ok(false),
                Some(it) if it.is_dir() => fs::read_dir(path).map(|_| true),
                Some(_) => File::open(path).map(|_| true),
            }
            .map_err(|error| not_seen(path, &error))
        }),
        _ => return None,
    })
}

/// The content of the file at `path`; none where there is none.
pub(super) fn content(path: &Path) -> Asked<Option<Vec<u8>>> {
    match read(path) {
        Ok(bytes) if LARGEST < bytes.len() => {
            Err(format!("`{}` is larger than 1 MiB", path.display()))
        }
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(not_seen(path, &error)),
    }
}

/// At most one octet more than may be there, so that a larger file is seen to be larger.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    // A pipe would keep us waiting.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The path without symbolic links, as PHP's `__FILE__` and `__DIR__` have it.
pub(super) fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn not_seen(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("this user may not look at `{}`", path.display())
        }
        _ => format!("`{}` cannot be read: {error}", path.display()),
    }
}

/// The path in `value`, where it is one that does not depend on where PHP was started.
pub(super) fn absolute(value: &Value) -> Option<PathBuf> {
    let Value::Str(path) = value else { return None };
    (path.starts_with(b"/") && !path.contains(&0))
        .then(|| PathBuf::from(std::ffi::OsStr::from_bytes(path)))
}
