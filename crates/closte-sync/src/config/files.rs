//! Settings files: where they are, which may be believed, and what they say.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rules::trust::{self, Rights};
use rustix::fs::OFlags;

use super::keys::{self, Kind};
use super::{ConfigError, Environment, Origin, Written};

const NAME: &str = "closte-sync.toml";

/// How far a file is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It may set everything.
    Full,
    /// It lies where somebody else may have put it: it may not touch the key's way.
    Limited,
}

/// What settings files say, and which those are, the one that counts most last.
type Found = (BTreeMap<&'static str, Written>, Vec<PathBuf>);

/// Read `only`, or else all files there are; nearer ones win.
pub(super) fn read(
    environment: &Environment,
    only: Option<PathBuf>,
    warnings: &mut Vec<String>,
) -> Result<Found, ConfigError> {
    if let Some(path) = only {
        return Ok((read_one(&path, Trust::Full)?, vec![path]));
    }
    let (mut written, mut files) = Found::default();
    let user = environment.xdg("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("closte-sync"));
    let folders = [Some(PathBuf::from("/etc/closte-sync")), user];
    for path in folders.into_iter().flatten().map(|folder| folder.join(NAME)) {
        match read_one(&path, Trust::Full) {
            Ok(values) => {
                written.extend(values);
                files.push(path);
            }
            Err(ConfigError::Read { source, .. }) if is_absent(&source) => (),
            Err(error) => return Err(error),
        }
    }
    let here = Path::new(NAME);
    match read_believed(here) {
        Ok(Ok(text)) => {
            written.extend(parse(&text, here, Trust::Limited)?);
            files.push(here.to_owned());
        }
        Ok(Err(why)) => warnings.push(format!("`{NAME}` in this folder is not read: {why}")),
        Err(error) if is_absent(&error) => (),
        Err(source) => return Err(ConfigError::Read { path: here.to_owned(), source }),
    }
    Ok((written, files))
}

/// Read one file.
pub(super) fn read_one(
    path: &Path,
    trust: Trust,
) -> Result<BTreeMap<&'static str, Written>, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse(&text, path, trust)
}

/// What the file `path` says, whose content is `text`.
fn parse(
    text: &str,
    path: &Path,
    trust: Trust,
) -> Result<BTreeMap<&'static str, Written>, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        let why = format!("{} (line {line})", error.message());
        ConfigError::Syntax { path: path.to_owned(), why }
    })?;
    let origin = Origin::File(path.to_owned());
    let mut written = BTreeMap::new();
    for (name, value) in flatten(&table) {
        let key = keys::known(&name, &origin)?;
        if trust == Trust::Limited && names_a_receiver(&name) {
            return Err(ConfigError::NotThere { key: name, origin });
        }
        let texts = texts(&value).filter(|texts| key.kind == Kind::List || texts.len() <= 1);
        let texts = texts.ok_or_else(|| ConfigError::BadValue {
            key: key.name,
            value: key.shown(&value.to_string()),
            origin: origin.clone(),
            why: "it is not that kind of value".to_owned(),
        })?;
        written.insert(key.name, Written { texts, origin: origin.clone() });
    }
    Ok(written)
}

/// Whether a key says who learns the API key, what WordPress' own API takes or what is told, or what
/// is run.
fn names_a_receiver(key: &str) -> bool {
    key.starts_with("closte.")
        || key.starts_with("notify.")
        || ["network.url", "network.host", "network.domain"].contains(&key)
}

/// `section.key` and value of everything in a file.
fn flatten(table: &toml::Table) -> Vec<(String, toml::Value)> {
    let mut flat = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(inner) => flat.extend(
                flatten(inner).into_iter().map(|(key, value)| (format!("{name}.{key}"), value)),
            ),
            value => flat.push((name.clone(), value.clone())),
        }
    }
    flat
}

fn texts(value: &toml::Value) -> Option<Vec<String>> {
    let one = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => {
            Some(value.to_string())
        }
        _ => None,
    };
    match value {
        toml::Value::Array(values) => values.iter().map(one).collect(),
        value => Some(one(value).into_iter().filter(|text| !text.is_empty()).collect())
            .filter(|texts: &Vec<String>| !texts.is_empty() || value.as_str() == Some("")),
    }
}

/// The text of a file that merely lies in the current folder, or why it is not believed. What is
/// judged is what was opened: where `path` is a link, what that leads to.
fn read_believed(path: &Path) -> std::io::Result<Result<String, String>> {
    // A pipe that somebody left there would keep us waiting.
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let mut file = match options.open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Ok(Err("you may not read it".to_owned()));
        }
        opened => opened?,
    };
    let found = file.metadata()?;
    if !found.is_file() {
        return Ok(Err("it is no file".to_owned()));
    }
    let rights = Rights { owner: found.uid(), mode: found.mode() };
    if let Err(why) = trust::settings_file(rights, rustix::process::geteuid().as_raw()) {
        let link = fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_symlink());
        let what = if link { "what it leads to" } else { "it" };
        return Ok(Err(format!("{what} {why}; {}", why.hint())));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Ok(text))
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_in_the_current_folder_is_judged_by_what_was_opened() {
        let folder = tempfile::tempdir().unwrap();
        let [mine, open, link, pipe] =
            ["mine", "open", "link", "pipe"].map(|name| folder.path().join(name));
        for (file, mode) in [(&mine, 0o644), (&open, 0o646)] {
            fs::write(file, "log.level = 'debug'").unwrap();
            fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        }
        let read = |path: &Path| read_believed(path).unwrap().map_err(|why| why.clone());
        assert_eq!(read(&mine), Ok("log.level = 'debug'".to_owned()));
        let everybody = "may be written to by everybody (mode 0646); `chmod o-w` it";
        assert_eq!(read(&open), Err(format!("it {everybody}")));

        symlink(&mine, &link).unwrap();
        assert!(read(&link).is_ok());
        fs::remove_file(&link).unwrap();
        symlink(&open, &link).unwrap();
        assert_eq!(read(&link), Err(format!("what it leads to {everybody}")));

        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        assert_eq!(read(&pipe), Err("it is no file".to_owned()));
        assert!(is_absent(&read_believed(&folder.path().join("none")).unwrap_err()));
    }
}
