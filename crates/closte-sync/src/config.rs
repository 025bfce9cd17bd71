//! Settings: what can be set, from where, and what it is now.
//!
//! Flags win over the environment, the environment over files. Every setting is
//! a line of [`keys::KEYS`]; a value is a text or a list of texts until
//! [`Settings::parse`] gives it its type, so an error can name the key, the
//! value and where it came from. The environment is read here and nowhere else.

mod files;
mod keys;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use engine::texts::findings::Language;

use crate::wiring::FoundOnce;

pub(crate) use keys::{KEYS, Key, default_file};
pub(crate) use values::{Mail, NetworkDomain, RoutingProof, Settings, Source, Write, duration};

/// The environment variable of every key starts with this.
pub(crate) const PREFIX: &str = "CLOSTE_SYNC_";

/// The environment, read once.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    pub(crate) variables: BTreeMap<String, String>,
    /// The home folder of our user, as the password file has it where `HOME` is not set.
    account_home: Option<PathBuf>,
}

impl Environment {
    /// This process's. Names and values that are not UTF-8 are left out.
    pub(crate) fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let account_home = std::env::home_dir().filter(|home| home.is_absolute());
        Self { variables: std::env::vars_os().filter_map(text).collect(), account_home }
    }

    /// The same with other `variables`.
    #[cfg(feature = "sandbox")]
    pub(crate) fn with(&self, variables: BTreeMap<String, String>) -> Self {
        Self { variables, ..self.clone() }
    }

    /// The value of `name`, where it is set and not empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The language that people want (POSIX: the first of these that is set).
    pub(crate) fn language(&self) -> Language {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|it| self.value(it));
        Language::of_locale(locale.unwrap_or_default())
    }

    /// The home folder.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.value("HOME").map(PathBuf::from).or_else(|| self.account_home.clone())
    }

    /// The file of a credential that systemd handed over.
    pub(crate) fn credential(&self, name: &str) -> Option<PathBuf> {
        let file = Path::new(self.value("CREDENTIALS_DIRECTORY")?).join(name);
        file.exists().then_some(file)
    }

    /// `$name`, or `fallback` below the home folder (XDG base directories).
    pub(crate) fn xdg(&self, name: &str, fallback: &str) -> Option<PathBuf> {
        let absolute = self.value(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute.or_else(|| Some(self.home()?.join(fallback)))
    }
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Built in.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// A value as it was written: lists are always lists here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The text, or the texts of a list.
    pub(crate) texts: Vec<String>,
    /// Where it was written.
    pub(crate) origin: Origin,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// A file that was named, or found, cannot be read.
    #[error("could not read the settings in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is no TOML.
    #[error("`{}` is not valid TOML: {why}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What and where.
        why: String,
    },
    /// A key that nobody knows.
    #[error("unknown setting `{key}` in {origin}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Where.
        origin: Origin,
        /// The key that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A key that may not be set there.
    #[error("`{key}` may not be set in {origin}")]
    NotThere {
        /// The key.
        key: String,
        /// Where.
        origin: Origin,
    },
    /// A value that makes no sense.
    #[error("`{key}` is `{value}` ({origin}): {why}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// The value; none of a secret.
        value: String,
        /// Where.
        origin: Origin,
        /// What is wrong with it.
        why: String,
    },
}

impl ConfigError {
    /// What a person can do about it.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Read { .. } => "check that the file is there, that you may read it, and that `HOME` is your own folder".to_owned(),
            Self::Syntax { .. } => "see `closte-sync config default` for a file to start from".to_owned(),
            Self::UnknownKey { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownKey { .. } => "`closte-sync config default` lists them all".to_owned(),
            Self::NotThere { .. } => "set it in ~/.config/closte-sync/closte-sync.toml, /etc/closte-sync/closte-sync.toml or the environment: the current folder may be somebody else's".to_owned(),
            Self::BadValue { key, .. } => {
                let key = keys::find(key).expect("errors name known keys");
                format!("{}; for example `{}`", key.help, key.example)
            }
        }
    }
}

/// All settings with where each came from, and what was strange on the way.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Every key's value.
    pub(crate) written: BTreeMap<&'static str, Written>,
    /// The same, typed.
    pub(crate) settings: Settings,
    /// The files that were read, the one that counts most last.
    pub(crate) files: Vec<PathBuf>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
    /// What they led to since.
    pub(crate) found: FoundOnce,
}

/// Read all settings: built-in, files, environment, `flags` (key and text).
///
/// With `only`, no other file is looked for.
pub(crate) fn load(
    environment: &Environment,
    only: Option<PathBuf>,
    flags: &[(String, String)],
) -> Result<Loaded, ConfigError> {
    let mut written = BTreeMap::new();
    let mut warnings = Vec::new();
    for key in KEYS {
        let texts = key.split(key.default);
        written.insert(key.name, Written { texts, origin: Origin::Default });
    }
    let (from_files, files) = files::read(environment, only, &mut warnings)?;
    written.extend(from_files);
    written.extend(from_environment(environment, &mut warnings));
    for (name, text) in flags {
        let key = keys::known(name, &Origin::Flag)?;
        written.insert(key.name, Written { texts: key.split(text), origin: Origin::Flag });
    }
    let settings = Settings::parse(&written)?;
    Ok(Loaded { written, settings, files, warnings, found: FoundOnce::default() })
}

fn from_environment(
    environment: &Environment,
    warnings: &mut Vec<String>,
) -> BTreeMap<&'static str, Written> {
    let mut written = BTreeMap::new();
    for (name, value) in &environment.variables {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        match KEYS.iter().find(|key| key.variable() == rest) {
            Some(key) => {
                let origin = Origin::Variable(name.clone());
                written.insert(key.name, Written { texts: key.split(value), origin });
            }
            None => warnings.push(format!("unknown environment variable `{name}`")),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        let pairs = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Environment { variables: pairs.collect(), ..Environment::default() }
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    fn load_file(text: &str) -> Result<Loaded, ConfigError> {
        load(&Environment::default(), Some(file(text).path().to_owned()), &[])
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_files() {
        let file = file("[checks]\ninterval = '1m'\nhttps_port = 1\ndns_patience = '1h'\n");
        let environment = environment(&[
            ("CLOSTE_SYNC_CHECKS_INTERVAL", "2m"),
            ("CLOSTE_SYNC_CHECKS_HTTPS_PORT", "2"),
        ]);
        let flags = [("checks.interval".to_owned(), "3m".to_owned())];
        let loaded = load(&environment, Some(file.path().to_owned()), &flags).unwrap();
        assert_eq!(loaded.settings.interval, Some(Duration::from_mins(3)));
        assert_eq!(loaded.settings.https_port, 2);
        assert_eq!(loaded.settings.dns_patience, Duration::from_hours(1));
        assert_eq!(loaded.settings.certificate_patience, Duration::from_mins(100));
        assert_eq!(loaded.written["checks.interval"].origin, Origin::Flag);
        assert!(loaded.warnings.is_empty());
    }

    #[test]
    fn an_unknown_key_in_a_file_is_an_error_that_names_the_nearest() {
        let error = load_file("[checks]\nintervall = '1m'\n").unwrap_err();
        assert!(error.to_string().starts_with("unknown setting `checks.intervall` in "), "{error}");
        assert_eq!(error.hint(), "did you mean `checks.interval`?");
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_first_variable_of_the_locale_that_is_set_names_the_language() {
        let table: [(&[(&str, &str)], Language); 5] = [
            (&[],                                                        Language::English),
            (&[("LANG", "nl_NL.UTF-8")],                                 Language::Dutch),
            (&[("LANG", "nl_NL.UTF-8"), ("LC_MESSAGES", "C")],           Language::English),
            (&[("LANG", "C"), ("LC_ALL", "nl"), ("LC_MESSAGES", "en")],  Language::Dutch),
            (&[("LANG", "nl"), ("LC_ALL", "")],                          Language::Dutch),
        ];
        for (variables, language) in table {
            assert_eq!(environment(variables).language(), language, "{variables:?}");
        }
    }

    #[test]
    fn an_unknown_variable_is_a_warning() {
        let environment = environment(&[("CLOSTE_SYNC_CHEKS_INTERVAL", "2m")]);
        let loaded = load(&environment, Some(file("").path().to_owned()), &[]).unwrap();
        assert_eq!(loaded.warnings, ["unknown environment variable `CLOSTE_SYNC_CHEKS_INTERVAL`"]);
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_value_that_makes_no_sense_is_reported_with_its_key_and_a_way_out() {
        let table = [
            ("checks.interval",         "9s",                 "below 10 seconds"),
            ("checks.interval",         "soon",               "not a duration"),
            ("checks.dns_patience",     "-1h",                "not a duration"),
            ("checks.targets",          "example.com",        "not an IP address"),
            ("checks.resolvers",        "dns.example:53",     "not an address with a port"),
            ("checks.https_port",       "0",                  "not a port"),
            ("checks.http_port",        "65536",              "not a port"),
            ("checks.dns_port",         "domain",             "not a port"),
            ("checks.roots",            "192.0.2.53",         "not an address with a port"),
            ("checks.timeout",          "0s",                 "between 100ms and 15s"),
            ("checks.timeout",          "16s",                "between 100ms and 15s"),
            ("checks.dns",              "most",               "not one of"),
            ("checks.allow_private",    "maybe",              "neither true nor false"),
            ("domains.records",         "some",               "not one of"),
            ("domains.www",             "always",             "not one of"),
            ("removal.confirmations",   "0",                  "at least 1"),
            ("removal.brake",           "ten",                "neither a number nor a share"),
            ("closte.api_url",          "http://example.com", "https"),
            ("closte.concurrency",      "0",                  "at least 1"),
            ("log.level",               "loud",               "not one of"),
            ("ledger.url",              "mysql://x/y",        "sqlite:///"),
            ("network.source",          "soap",               "not one of"),
            ("network.write",           "me",                 "not one of"),
            ("network.url",             "http://example.com", "must begin with `https://`"),
            ("checks.routing_proof",    "maybe",              "not one of"),
            ("run.listen",              "localhost",          "not an address with a port"),
            ("run.url",                 "ftp://example.com",  "must begin with `https://`"),
            ("plugin.silence",          "30s",                "below a minute"),
            ("notify.webhooks",         "http://example.com", "must begin with `https://`"),
            ("notify.mail",             "maybe",              "nor auto"),
        ];
        for (key, value, why) in table {
            let flags = [(key.to_owned(), value.to_owned())];
            let error = load(&Environment::default(), Some(file("").path().to_owned()), &flags)
                .expect_err(&format!("{key} = {value}"));
            let text = error.to_string();
            let is_url = key.ends_with("url") || key == "notify.webhooks";
            let shown = if is_url { "…" } else { value };
            assert!(text.starts_with(&format!("`{key}` is `{shown}` (flag): ")), "{text}");
            assert!(text.contains(why), "{text}");
            assert!(error.hint().contains("for example"), "{}", error.hint());
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_secret_in_a_url_is_refused_and_no_part_of_it_is_shown_wherever_it_was_written() {
        let table = [
            ("https://app.example/api?apikey=s3cret",   "a `?` or `#`"),
            ("https://app.example/api/?s3cret",         "a `?` or `#`"),
            ("https://app.example/api#s3cret",          "a `?` or `#`"),
            ("https://s3cret@app.example/api",          "user name or password"),
            ("https://user:s3cret@app.example/api",     "user name or password"),
            ("https://us@er:s3@cret@app.example/@",     "user name or password"),
            ("http://app.example/s3cret",               "must begin with `https://`"),
            ("http://user:s3cret@app.example/?s3cret",  "must begin with `https://`"),
            ("s3cret",                                  "it is no URL"),
            ("https://s3cret:x/",                       "it is no URL"),
        ];
        for key in ["closte.api_url", "network.url", "run.url"] {
            for (value, why) in table {
                let (section, name) = key.split_once('.').unwrap();
                let variable = format!("{PREFIX}{}_{}", section.to_uppercase(), name.to_uppercase());
                let by_variable = environment(&[(&variable, value)]);
                let (none, empty) = (Environment::default(), file(""));
                let empty = Some(empty.path().to_owned());
                let flags = [(key.to_owned(), value.to_owned())];
                let errors = [
                    load(&none, empty.clone(), &flags).unwrap_err(),
                    load(&by_variable, empty, &[]).unwrap_err(),
                    load_file(&format!("[{section}]\n{name} = '{value}'\n")).unwrap_err(),
                    load_file(&format!("[{section}]\n{name} = [['{value}']]\n")).unwrap_err(),
                ];
                for (place, error) in errors.iter().enumerate() {
                    let said = format!("{error}\n{}", error.hint());
                    assert!(said.contains(&format!("`{key}` is `…` (")), "{said}");
                    assert!(said.contains(why) || place == 3, "{said}");
                    assert!(!said.contains("s3cret") && !said.contains("s3@") && !said.contains("app.example"), "{said}");
                }
            }
        }
    }

    #[test]
    fn the_file_in_the_current_folder_may_not_point_the_key_elsewhere() {
        let file = file("[closte]\napi_url = 'https://evil.example'\n");
        let error = files::read_one(file.path(), files::Trust::Limited).unwrap_err();
        assert!(error.to_string().starts_with("`closte.api_url` may not be set in "), "{error}");
        for line in ["command = ['/tmp/evil']", "webhooks = ['https://evil.example']"] {
            let file = self::file(&format!("[notify]\n{line}\n"));
            let error = files::read_one(file.path(), files::Trust::Limited).unwrap_err();
            assert!(error.to_string().contains(" may not be set in "), "{error}");
        }
    }

    #[test]
    fn the_default_file_sets_every_key_to_its_default() {
        let text = default_file().replace("\n# ", "\n").replace("\n#", "\n");
        let uncommented: Vec<&str> =
            text.lines().filter(|line| line.starts_with('[') || line.contains(" = ")).collect();
        let loaded = load_file(&uncommented.join("\n")).unwrap();
        for key in KEYS {
            assert_eq!(loaded.written[key.name].texts, key.split(key.default), "{}", key.name);
        }
    }
}
