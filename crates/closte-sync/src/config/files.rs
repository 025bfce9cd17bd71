//! Settings files: where they are, which may be believed, and what they say.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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

/// Read `only`, or else all files there are; nearer ones win.
pub(super) fn read(
    environment: &Environment,
    only: Option<PathBuf>,
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<&'static str, Written>, ConfigError> {
    if let Some(path) = only {
        return read_one(&path, Trust::Full);
    }
    let mut written = BTreeMap::new();
    let user = environment.xdg("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("closte-sync"));
    let folders = [Some(PathBuf::from("/etc/closte-sync")), user];
    for path in folders.into_iter().flatten().map(|folder| folder.join(NAME)) {
        match read_one(&path, Trust::Full) {
            Ok(values) => written.extend(values),
            Err(ConfigError::Read { source, .. }) if is_absent(&source) => (),
            Err(error) => return Err(error),
        }
    }
    let here = Path::new(NAME);
    match distrust(here) {
        Ok(None) => written.extend(read_one(here, Trust::Limited)?),
        Ok(Some(why)) => warnings.push(format!("`{NAME}` in this folder is not read: {why}")),
        Err(error) if is_absent(&error) => (),
        Err(source) => return Err(ConfigError::Read { path: here.to_owned(), source }),
    }
    Ok(written)
}

/// Read one file.
pub(super) fn read_one(
    path: &Path,
    trust: Trust,
) -> Result<BTreeMap<&'static str, Written>, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
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
            value: if key.is_secret() { "…".to_owned() } else { value.to_string() },
            origin: origin.clone(),
            why: "it is not that kind of value".to_owned(),
        })?;
        written.insert(key.name, Written { texts, origin: origin.clone() });
    }
    Ok(written)
}

/// Whether a key says who learns the API key or what WordPress' own API takes.
fn names_a_receiver(key: &str) -> bool {
    key.starts_with("closte.") || ["network.url", "network.host"].contains(&key)
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

/// Why a file is not to be believed; none where it is ours alone.
fn distrust(path: &Path) -> std::io::Result<Option<&'static str>> {
    let file = fs::metadata(path)?;
    let me = fs::metadata("/proc/self")?.uid();
    Ok(if file.uid() != me {
        Some("it belongs to another user")
    } else if file.mode() & 0o022 != 0 {
        Some("others may write to it; `chmod go-w` it")
    } else {
        None
    })
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
