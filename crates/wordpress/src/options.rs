//! The network's options that we read, and the few keys that we write.
//!
//! Options are read as PHP and WordPress read them. What is written keeps every other value of the
//! option; an option that cannot be read is never overwritten, but the switches: `enable` mends them.

use std::time::Duration;

use rules::network::{Settings, Switch, WwwTwins};
use rules::{Home, Whereabouts};

use crate::php_value::{Key, ParseError, PhpValue, WouldBreakReferences};

/// Ultimate Multisite's settings.
pub const SETTINGS: &str = "wp-ultimo_v2_settings";
/// Which host integrations are switched on.
pub const INTEGRATIONS: &str = "wu_host_integrations_enabled";
/// Which installation of closte-sync acts for the network.
pub const HOME: &str = "closte_sync_home";
/// What the plugin inside WordPress and we sign with.
pub const SECRET: &str = "closte_sync_secret";
/// When the plugin inside WordPress is to have the next pass made, in Unix seconds.
pub const NEXT_PASS: &str = "closte_sync_next";
/// Which plugins are active for the whole network, and since when.
pub const PLUGINS: &str = "active_sitewide_plugins";
/// Half of WordPress' salt, where wp-config.php does not define it.
pub const AUTH_KEY: &str = "auth_key";
/// The other half.
pub const AUTH_SALT: &str = "auth_salt";

/// The plugin that is ours, as WordPress calls it.
const PLUGIN: &str = "closte-sync/closte-sync.php";

/// Our host integration, as Ultimate Multisite calls it.
const CLOSTE: &str = "closte";

/// The plugin allows no less.
const SHORTEST_INTERVAL: u64 = 10;

/// Why an option cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotChange {
    /// What is there cannot be read.
    #[error("it does not unserialize: {0}")]
    Unreadable(#[from] ParseError),
    /// What is there is more than a list of settings.
    #[error(transparent)]
    Entangled(#[from] WouldBreakReferences),
    /// What is there is not a list.
    #[error("it is not a list")]
    NoList,
}

/// Read Ultimate Multisite's settings; an invalid value is reported and its default is used.
/// Where the option cannot be read, nobody knows whether domain mapping is on.
pub fn settings(option: &[u8], say: &mut dyn FnMut(String)) -> Settings {
    let default = Settings::default();
    let option = match list(option) {
        Ok(option) => option,
        Err(why) => {
            say(why.to_string());
            return Settings { domain_mapping: Switch::Unreadable, ..default };
        }
    };
    Settings {
        dns_check_interval: interval(option.at("dns_check_interval"), say)
            .unwrap_or(default.dns_check_interval),
        domain_mapping: switch(option.at("enable_domain_mapping"), say),
        www: www(option.at("auto_create_www_subdomain"), say).unwrap_or(default.www),
    }
}

fn interval(value: Option<&PhpValue>, say: &mut dyn FnMut(String)) -> Option<Duration> {
    let value = value?;
    let seconds = value.as_int().and_then(|it| u64::try_from(it).ok());
    match seconds {
        None => {
            say("`dns_check_interval` is not a number of seconds; using the default 300".to_owned());
        }
        Some(seconds) if seconds < SHORTEST_INTERVAL => {
            say(format!("`dns_check_interval` is {seconds}; using {SHORTEST_INTERVAL} seconds"));
        }
        Some(_) => {}
    }
    seconds.map(|seconds| Duration::from_secs(seconds.max(SHORTEST_INTERVAL)))
}

fn www(value: Option<&PhpValue>, say: &mut dyn FnMut(String)) -> Option<WwwTwins> {
    match value?.as_bytes() {
        Some(b"always") => Some(WwwTwins::Always),
        Some(b"main_only") => Some(WwwTwins::MainOnly),
        Some(b"never") => Some(WwwTwins::Never),
        _ => {
            say("`auto_create_www_subdomain` is none of its words; using the default `always`"
                .to_owned());
            None
        }
    }
}

/// Whether the network's admin switched Closte on; why that cannot be read is said.
pub fn closte(option: &[u8], say: &mut dyn FnMut(String)) -> Switch {
    match list(option) {
        Ok(option) => switch(option.at(CLOSTE), say),
        Err(why) => {
            say(why.to_string());
            Switch::Unreadable
        }
    }
}

/// What is missing is off.
fn switch(value: Option<&PhpValue>, say: &mut dyn FnMut(String)) -> Switch {
    match value {
        Some(value) if value.is_not_followed() => {
            say("the switch is a PHP reference to more than a short value, which is not followed"
                .to_owned());
            Switch::Unreadable
        }
        value => value.is_some_and(PhpValue::is_truthy).into(),
    }
}

/// The option with Closte switched on or off. One that cannot be read is written anew: WordPress
/// reads nothing in it either, and else nobody could switch anything without SQL. Where references
/// tie the switches to each other, each of the others is written as what PHP takes it for.
pub fn switched(option: &[u8], on: bool) -> Vec<u8> {
    let switches = list(option).unwrap_or(PhpValue::Null);
    let is_tied = switches.values().any(PhpValue::is_reference);
    if let (false, Ok(changed)) = (is_tied, with(switches.clone(), CLOSTE, PhpValue::Bool(on))) {
        return changed;
    }
    let entries = if let PhpValue::Array(entries) = switches { entries } else { Vec::new() };
    let ours = Key::Str(CLOSTE.into());
    // What is not followed is nobody's to guess.
    let others = entries.into_iter().filter(|(key, it)| *key != ours && !it.is_not_followed());
    let others = others.map(|(key, it)| (key, PhpValue::Bool(it.is_truthy())));
    PhpValue::Array(others.chain([(ours.clone(), PhpValue::Bool(on))]).collect()).to_bytes()
}

/// The settings with another `dns_check_interval`, a text as the plugin's own form saves it.
///
/// # Errors
///
/// [`CannotChange`]; then nothing should be written.
pub fn with_check_interval(option: &[u8], seconds: u32) -> Result<Vec<u8>, CannotChange> {
    with(list(option)?, "dns_check_interval", PhpValue::str(seconds.to_string()))
}

fn with(mut option: PhpValue, key: &str, value: PhpValue) -> Result<Vec<u8>, CannotChange> {
    option.set(key, value)?;
    Ok(option.to_bytes())
}

/// The active plugins with ours since `at`, in seconds since 1970, or without ours; none where
/// that is so already.
///
/// # Errors
///
/// [`CannotChange`]; then nothing should be written.
pub fn with_plugin(option: &[u8], at: Option<i64>) -> Result<Option<Vec<u8>>, CannotChange> {
    let mut plugins = list(option)?;
    match (plugins.at(PLUGIN), at) {
        (Some(_), Some(_)) | (None, None) => return Ok(None),
        (None, Some(at)) => plugins.set(PLUGIN, PhpValue::Int(at))?,
        (Some(_), None) => plugins.remove(PLUGIN)?,
    }
    Ok(Some(plugins.to_bytes()))
}

/// The text of an option, serialized or not; none where PHP treats it as empty.
pub fn text(option: &[u8]) -> Option<Vec<u8>> {
    let read = PhpValue::of_option(option).ok();
    let text = read.and_then(|it| it.as_bytes().map(<[u8]>::to_vec));
    let text = text.unwrap_or_else(|| option.to_vec());
    (!matches!(text.as_slice(), b"" | b"0")).then_some(text)
}

/// The installation that acts for the network; none where the option does not name one.
pub fn home(option: &[u8]) -> Option<Home> {
    let option = PhpValue::of_option(option).ok()?;
    let text = |key: &str| {
        let bytes = option.at(key)?.as_bytes()?;
        String::from_utf8(bytes.to_vec()).ok()
    };
    let serial = option.at("serial").and_then(PhpValue::as_int);
    home_of(text, serial.and_then(|it| it.try_into().ok()))
}

/// The installation of these fields, wherever they were read; none where they do not name one.
pub(crate) fn home_of(text: impl Fn(&str) -> Option<String>, serial: Option<u64>) -> Option<Home> {
    let place = |key| text(key).unwrap_or_default();
    Some(Home {
        app: text("app"),
        domain: text("domain")?,
        ledger: text("ledger")?,
        serial,
        place: Whereabouts { host: place("host"), user: place("user"), path: place("path") },
    })
}

/// The option that says which installation acts for the network.
pub fn home_option(home: &Home) -> Vec<u8> {
    let app = home.app.clone().map_or(PhpValue::Null, PhpValue::str);
    let serial = home.serial.and_then(|it| i64::try_from(it).ok());
    let entries = [
        ("app", app),
        ("domain", PhpValue::str(home.domain.clone())),
        ("ledger", PhpValue::str(home.ledger.clone())),
        ("serial", serial.map_or(PhpValue::Null, PhpValue::Int)),
        ("host", PhpValue::str(home.place.host.clone())),
        ("user", PhpValue::str(home.place.user.clone())),
        ("path", PhpValue::str(home.place.path.clone())),
    ];
    PhpValue::Array(entries.map(|(key, value)| (Key::Str(key.into()), value)).into()).to_bytes()
}

/// A list of settings. PHP takes what it calls empty for an empty one.
fn list(option: &[u8]) -> Result<PhpValue, CannotChange> {
    match PhpValue::of_option(option)? {
        list @ PhpValue::Array(_) => Ok(list),
        value if !value.is_truthy() => Ok(PhpValue::Null),
        _ => Err(CannotChange::NoList),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(option: &str) -> (Settings, Vec<String>) {
        let mut said = Vec::new();
        let settings = settings(option.as_bytes(), &mut |it| said.push(it));
        (settings, said)
    }

    fn seconds(option: &str) -> u64 {
        read(option).0.dns_check_interval.as_secs()
    }

    #[test]
    fn settings_are_read_in_whatever_type_they_come() {
        let example = r#"a:3:{s:18:"dns_check_interval";s:3:"120";s:21:"enable_domain_mapping";s:1:"1";s:25:"auto_create_www_subdomain";s:9:"main_only";}"#;
        let (settings, said) = read(example);
        assert_eq!(settings.dns_check_interval, Duration::from_mins(2));
        assert_eq!((settings.domain_mapping, settings.www), (Switch::On, WwwTwins::MainOnly));
        assert_eq!(said, Vec::<String>::new());
        assert_eq!(seconds(r#"a:1:{s:18:"dns_check_interval";i:60;}"#), 60);
        for value in ["b:0;", r#"s:1:"0";"#, "N;"] {
            let off = format!(r#"a:1:{{s:21:"enable_domain_mapping";{value}}}"#);
            assert_eq!(read(&off).0.domain_mapping, Switch::Off, "{value}");
        }
    }

    #[test]
    fn what_is_missing_has_its_default_and_what_is_odd_is_said() {
        for option in ["", "a:0:{}", "b:0;", r#"a:1:{s:1:"x";i:1;}"#] {
            assert_eq!(read(option), (Settings::default(), Vec::new()), "{option}");
        }
        let odd =
            r#"a:2:{s:18:"dns_check_interval";s:3:"abc";s:25:"auto_create_www_subdomain";i:1;}"#;
        let (settings, said) = read(odd);
        assert_eq!((settings, said.len()), (Settings::default(), 2));
        let (settings, said) = read(r#"a:1:{s:18:"dns_check_interval";s:1:"5";}"#);
        assert_eq!(settings.dns_check_interval, Duration::from_secs(10));
        assert_eq!(said, ["`dns_check_interval` is 5; using 10 seconds"]);
    }

    #[test]
    fn a_switch_that_cannot_be_read_is_not_off() {
        for (option, why) in [
            ("rubbish", "it is not a list"),
            ("a:1:{}", "it does not unserialize: not a serialized PHP value (byte 6)"),
            (r#"s:1:"x";"#, "it is not a list"),
            ("i:5;", "it is not a list"),
        ] {
            let mut said = Vec::new();
            let switch = closte(option.as_bytes(), &mut |it| said.push(it));
            assert_eq!((switch, &said[..]), (Switch::Unreadable, &[why.to_owned()][..]));
            let (settings, said) = read(option);
            assert_eq!((settings.domain_mapping, said), (Switch::Unreadable, vec![why.to_owned()]));
        }
    }

    #[test]
    fn the_switch_is_what_php_takes_for_true() {
        for (option, on) in [
            (r#"a:1:{s:6:"closte";b:1;}"#, true),
            (r#"a:1:{s:6:"closte";s:1:"1";}"#, true),
            (" a:01:{S:06:\"cl\\6fste\";i:+1;}\r\n", true),
            ("b:0;", false),
            ("0", false),
            (r#"a:1:{s:6:"closte";b:0;}"#, false),
            (r#"a:1:{s:3:"ovh";b:1;}"#, false),
            ("", false),
        ] {
            assert_eq!(closte(option.as_bytes(), &mut |_| {}), on.into(), "{option}");
        }
    }

    #[test]
    fn a_change_keeps_every_other_value() {
        let option = br#"a:2:{s:3:"ovh";O:1:"A":1:{s:1:"x";d:1.0E+25;}s:6:"closte";b:0;}"#;
        let on = br#"a:2:{s:3:"ovh";O:1:"A":1:{s:1:"x";d:1.0E+25;}s:6:"closte";b:1;}"#;
        assert_eq!(switched(option, true), on);
        assert_eq!(switched(on, false), option);
        assert_eq!(switched(b"", true), br#"a:1:{s:6:"closte";b:1;}"#);
        assert_eq!(switched(b"rubbish", true), br#"a:1:{s:6:"closte";b:1;}"#);
        assert_eq!(with_check_interval(b"rubbish", 10), Err(CannotChange::NoList));
        let damaged = with_check_interval(b"a:1:{}", 10);
        assert!(matches!(damaged, Err(CannotChange::Unreadable(_))), "{damaged:?}");
        assert_eq!(
            with_check_interval(br#"a:2:{s:18:"dns_check_interval";i:300;s:1:"k";s:0:"";}"#, 10)
                .unwrap(),
            br#"a:2:{s:18:"dns_check_interval";s:2:"10";s:1:"k";s:0:"";}"#
        );
    }

    #[test]
    fn our_plugin_comes_and_goes_and_the_others_stay() {
        let others = r#"a:1:{s:27:"ultimate-multisite/main.php";i:1700000000;}"#;
        let with = r#"a:2:{s:27:"ultimate-multisite/main.php";i:1700000000;s:27:"closte-sync/closte-sync.php";i:5;}"#;
        let alone = r#"a:1:{s:27:"closte-sync/closte-sync.php";i:5;}"#;
        let table = [
            (others, Some(5), Some(with)),
            (with, Some(9), None),
            (with, None, Some(others)),
            (others, None, None),
            ("", Some(5), Some(alone)),
            ("b:0;", Some(5), Some(alone)),
            ("", None, None),
            (alone, None, Some("a:0:{}")),
        ];
        for (before, at, after) in table {
            let changed = with_plugin(before.as_bytes(), at).unwrap();
            assert_eq!(changed.as_deref(), after.map(str::as_bytes), "{before} {at:?}");
        }
        for (before, why) in [
            ("a:1:{}", "it does not unserialize: not a serialized PHP value (byte 6)"),
            (r#"s:1:"x";"#, "it is not a list"),
            (
                r#"a:2:{s:27:"closte-sync/closte-sync.php";i:5;s:1:"x";R:1;}"#,
                "the value contains PHP references that a change would break",
            ),
        ] {
            assert_eq!(with_plugin(before.as_bytes(), None).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn a_text_is_read_serialized_or_not() {
        for (option, text) in [
            ("plain", Some("plain")),
            (r#"s:5:"plain";"#, Some("plain")),
            (r#"s:9:"plain";"#, Some(r#"s:9:"plain";"#)),
            ("", None),
            ("0", None),
            (r#"s:0:"";"#, None),
        ] {
            assert_eq!(super::text(option.as_bytes()).as_deref(), text.map(str::as_bytes));
        }
    }

    #[test]
    fn a_home_survives_being_written() {
        for app in [None, Some("a1b2".to_owned())] {
            for serial in [None, Some(7)] {
                let (host, user, path) = ("cluster".into(), "app1".into(), "/home/l.db".into());
                let place = Whereabouts { host, user, path };
                let (domain, ledger) = ("network.example".into(), "l-1".into());
                let home = Home { app: app.clone(), domain, ledger, serial, place };
                assert_eq!(super::home(&home_option(&home)), Some(home));
            }
        }
        assert_eq!(home(b"a:0:{}"), None);
        assert_eq!(home(b"rubbish"), None);
    }
}
