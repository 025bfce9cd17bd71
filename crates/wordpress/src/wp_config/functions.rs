//! PHP's functions that only make values of values, where all versions of PHP agree on them.
//!
//! A call with arguments of other kinds than those here is not known.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::value::{Array, Key, LONGEST_ARRAY, LONGEST_TEXT, Value};

/// What `name(args)` gives; none where that is not known without running PHP.
pub(super) fn call(name: &str, args: &[Value]) -> Option<Value> {
    if args.iter().any(|arg| arg.unknown().is_some()) {
        return None;
    }
    let str = |text: &[u8]| Some(Value::Str(text.to_vec()));
    match (name, args) {
        ("dirname", [Value::Str(path)]) => str(dirname(path, 1)),
        ("dirname", [Value::Str(path), Value::Int(levels)]) => str(dirname(path, *levels)),
        ("basename", [Value::Str(path)]) => str(basename(path, b"")),
        ("basename", [Value::Str(path), Value::Str(suffix)]) => str(basename(path, suffix)),
        ("trim", args) => trimmed(args, true, true),
        ("ltrim", args) => trimmed(args, true, false),
        ("rtrim" | "chop", args) => trimmed(args, false, true),
        ("strtolower", [Value::Str(text)]) => str(&ascii(text)?.to_ascii_lowercase()),
        ("strtoupper", [Value::Str(text)]) => str(&ascii(text)?.to_ascii_uppercase()),
        ("ucfirst", [Value::Str(text)]) => {
            let mut text = ascii(text)?.to_vec();
            text.first_mut()?.make_ascii_uppercase();
            str(&text)
        }
        ("strlen", [Value::Str(text)]) => count(text.len()),
        ("count" | "sizeof", [Value::Array(array)]) => count(array.elements().len()),
        ("strpos", [Value::Str(text), Value::Str(part)]) => {
            Some(find(text, part).map_or(Value::Bool(false), Value::Int))
        }
        ("str_contains", [Value::Str(text), Value::Str(part)]) => {
            Some(Value::Bool(find(text, part).is_some()))
        }
        ("str_starts_with", [Value::Str(text), Value::Str(part)]) => {
            Some(Value::Bool(text.starts_with(part)))
        }
        ("str_ends_with", [Value::Str(text), Value::Str(part)]) => {
            Some(Value::Bool(text.ends_with(part)))
        }
        ("substr", [Value::Str(text), Value::Int(start)]) => substr(text, *start, None),
        ("substr", [Value::Str(text), Value::Int(start), Value::Int(length)]) => {
            substr(text, *start, Some(*length))
        }
        ("str_replace", [from, to, Value::Str(text)]) => replaced(from, to, text),
        ("implode" | "join", [Value::Str(glue), Value::Array(parts)]) => joined(glue, parts),
        ("implode" | "join", [Value::Array(parts)]) => joined(b"", parts),
        ("explode", [Value::Str(glue), Value::Str(text)]) => exploded(glue, text),
        ("sprintf", [Value::Str(format), args @ ..]) => sprintf(format, args),
        ("in_array", [needle, Value::Array(array), Value::Bool(true)]) => {
            Some(Value::Bool(array.elements().iter().any(|(_, value)| value == needle)))
        }
        ("in_array", [needle @ Value::Str(_), Value::Array(array)]) => has(array, needle),
        ("array_key_exists" | "key_exists", [key, Value::Array(array)]) => {
            Some(Value::Bool(array.get(&Key::of(key)?).is_some()))
        }
        ("array_keys", [Value::Array(array)]) => {
            Some(Value::Array(array.elements().iter().map(|(key, _)| key.value()).collect()))
        }
        ("array_values", [Value::Array(array)]) => {
            Some(Value::Array(array.elements().iter().map(|(_, value)| value.clone()).collect()))
        }
        ("array_merge", arrays) => merged(arrays),
        ("parse_url", [Value::Str(url)]) => parse_url(url, -1),
        ("parse_url", [Value::Str(url), Value::Int(part)]) => parse_url(url, *part),
        ("rawurldecode", [Value::Str(text)]) => str(&url_decoded(text, false)),
        ("urldecode", [Value::Str(text)]) => str(&url_decoded(text, true)),
        ("base64_decode", [Value::Str(text)]) => str(&BASE64_STANDARD.decode(text).ok()?),
        ("json_decode", [Value::Str(text), Value::Bool(true)]) => {
            serde_json::from_slice(text).ok().map(|Json(value)| value)
        }
        ("is_string", [value]) => Some(Value::Bool(matches!(value, Value::Str(_)))),
        ("is_array", [value]) => Some(Value::Bool(matches!(value, Value::Array(_)))),
        ("is_null", [value]) => Some(Value::Bool(*value == Value::Null)),
        ("is_bool", [value]) => Some(Value::Bool(matches!(value, Value::Bool(_)))),
        ("is_int", [value]) => Some(Value::Bool(matches!(value, Value::Int(_)))),
        ("boolval", [value]) => value.truth().ok().map(Value::Bool),
        ("strval", [value]) => value.clone().text().ok().map(Value::Str),
        ("intval", [Value::Int(value)]) => Some(Value::Int(*value)),
        ("intval", [Value::Bool(value)]) => Some(Value::Int((*value).into())),
        ("intval", [Value::Str(text)]) => int(text),
        _ => None,
    }
}

/// Whether it is one of those here, or another that wp-config.php files use.
pub(super) fn is_known(name: &str) -> bool {
    const NAMES: [&str; 50] = [
        "array_key_exists",
        "array_keys",
        "array_merge",
        "array_values",
        "base64_decode",
        "basename",
        "boolval",
        "chop",
        "constant",
        "count",
        "define",
        "defined",
        "dirname",
        "explode",
        "file_exists",
        "file_get_contents",
        "getenv",
        "implode",
        "in_array",
        "intval",
        "is_array",
        "is_bool",
        "is_dir",
        "is_file",
        "is_int",
        "is_null",
        "is_readable",
        "is_string",
        "join",
        "json_decode",
        "key_exists",
        "ltrim",
        "parse_url",
        "putenv",
        "rawurldecode",
        "realpath",
        "rtrim",
        "sizeof",
        "sprintf",
        "str_replace",
        "strlen",
        "strpos",
        "strtolower",
        "strtoupper",
        "strval",
        "substr",
        "trim",
        "ucfirst",
        "urldecode",
        "ini_set",
    ];
    NAMES.contains(&name)
}

/// `%41` is an `A`, and where `plus` says so a plus sign a blank.
fn url_decoded(text: &[u8], plus: bool) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|it| char::from(*it).to_digit(16));
    let mut decoded = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let (byte, left) = match (first, digit(after.first()), digit(after.get(1))) {
            (b'%', Some(high), Some(low)) => (u8::try_from(high * 16 + low).ok(), &after[2..]),
            (b'+', ..) if plus => (Some(b' '), after),
            _ => (Some(*first), after),
        };
        decoded.extend(byte);
        rest = left;
    }
    decoded
}

/// JSON with its objects as arrays, in their order. A number that is not whole is an error.
struct Json(Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Values).map(Self)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with whole numbers")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Int).map_err(E::custom)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Str(text.as_bytes().to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut array = Array::default();
        while let Some(Json(value)) = list.next_element()? {
            array.put(None, value).ok_or_else(|| de::Error::custom("very large"))?;
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut array = Array::default();
        while let Some((name, Json(value))) = members.next_entry::<String, Json>()? {
            let key = Key::of(&Value::Str(name.into_bytes()));
            array.put(key, value).ok_or_else(|| de::Error::custom("very large"))?;
        }
        Ok(Value::Array(array))
    }
}

/// The number that a text is, all of it.
pub(super) fn int(text: &[u8]) -> Option<Value> {
    std::str::from_utf8(text).ok()?.parse().ok().map(Value::Int)
}

/// Whether a constant of PHP itself is so called, and what it is where we use it.
pub(super) fn constant(name: &str) -> Option<Value> {
    let part = |part| Some(Value::Int(part));
    match name {
        "DIRECTORY_SEPARATOR" => Some(Value::Str(b"/".to_vec())),
        "PATH_SEPARATOR" => Some(Value::Str(b":".to_vec())),
        "PHP_EOL" => Some(Value::Str(b"\n".to_vec())),
        "PHP_URL_SCHEME" => part(0),
        "PHP_URL_HOST" => part(1),
        "PHP_URL_PORT" => part(2),
        "PHP_URL_USER" => part(3),
        "PHP_URL_PASS" => part(4),
        "PHP_URL_PATH" => part(5),
        "PHP_URL_QUERY" => part(6),
        "PHP_URL_FRAGMENT" => part(7),
        _ => None,
    }
}

fn count(number: usize) -> Option<Value> {
    i64::try_from(number).ok().map(Value::Int)
}

/// Older versions of PHP treat other letters as the locale says.
fn ascii(text: &[u8]) -> Option<&[u8]> {
    text.is_ascii().then_some(text)
}

fn find(text: &[u8], part: &[u8]) -> Option<i64> {
    let at =
        if part.is_empty() { Some(0) } else { text.windows(part.len()).position(|it| it == part) };
    at.and_then(|at| i64::try_from(at).ok())
}

fn trimmed(args: &[Value], start: bool, end: bool) -> Option<Value> {
    let (text, away): (&[u8], &[u8]) = match args {
        [Value::Str(text)] => (text, b" \t\n\r\0\x0b"),
        // Two dots make a range.
        [Value::Str(text), Value::Str(away)] if find(away, b"..").is_none() => (text, away),
        _ => return None,
    };
    let is_kept = |byte: &u8| !away.contains(byte);
    let from = if start { text.iter().position(is_kept).unwrap_or(text.len()) } else { 0 };
    let to = if end { text.iter().rposition(is_kept).map_or(0, |at| at + 1) } else { text.len() };
    Some(Value::Str(text.get(from..to).unwrap_or_default().to_vec()))
}

fn substr(text: &[u8], start: i64, length: Option<i64>) -> Option<Value> {
    let all = i64::try_from(text.len()).ok()?;
    let from = if start < 0 { (all + start).max(0) } else { start.min(all) };
    let to = match length {
        None => all,
        Some(length) if length < 0 => all + length,
        Some(length) => from.saturating_add(length).min(all),
    };
    // Where nothing is left, older versions give `false`.
    let part = text.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)?;
    (!part.is_empty()).then(|| Value::Str(part.to_vec()))
}

fn replaced(from: &Value, to: &Value, text: &[u8]) -> Option<Value> {
    let texts = |value: &Value| -> Option<Vec<Vec<u8>>> {
        match value {
            Value::Str(text) => Some(vec![text.clone()]),
            Value::Array(array) => {
                array.elements().iter().map(|(_, value)| value.clone().text().ok()).collect()
            }
            _ => None,
        }
    };
    let (from_all, to_all) = (texts(from)?, texts(to)?);
    if matches!((from, to), (Value::Str(_), Value::Array(_))) {
        return None;
    }
    let one = matches!(to, Value::Str(_));
    let mut text = text.to_vec();
    for (at, from) in from_all.iter().enumerate() {
        let to = to_all.get(if one { 0 } else { at }).map(Vec::as_slice).unwrap_or_default();
        text = replace(&text, from, to)?;
    }
    Some(Value::Str(text))
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let (mut result, mut rest) = (Vec::new(), text);
    if from.is_empty() {
        return Some(text.to_vec());
    }
    while let Some(at) = find(rest, from) {
        let at = usize::try_from(at).ok()?;
        result.extend_from_slice(&rest[..at]);
        result.extend_from_slice(to);
        rest = &rest[at + from.len()..];
        if LONGEST_TEXT < result.len() {
            return None;
        }
    }
    result.extend_from_slice(rest);
    Some(result)
}

fn joined(glue: &[u8], parts: &Array) -> Option<Value> {
    let texts = parts.elements().iter().map(|(_, value)| value.clone().text().ok());
    let texts = texts.collect::<Option<Vec<_>>>()?;
    let text = texts.join(glue);
    (text.len() <= LONGEST_TEXT).then_some(Value::Str(text))
}

fn exploded(glue: &[u8], text: &[u8]) -> Option<Value> {
    if glue.is_empty() {
        return None;
    }
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(at) = find(rest, glue) {
        let at = usize::try_from(at).ok()?;
        parts.push(Value::Str(rest[..at].to_vec()));
        rest = &rest[at + glue.len()..];
        if LONGEST_ARRAY < parts.len() {
            return None;
        }
    }
    parts.push(Value::Str(rest.to_vec()));
    Some(Value::Array(parts.into_iter().collect()))
}

/// `%s`, `%d`, also with a position, and `%%`; other conversions are not known.
fn sprintf(format: &[u8], args: &[Value]) -> Option<Value> {
    let (mut text, mut rest, mut next) = (Vec::new(), format, 0);
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        text.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut place = None;
        if 0 < digits && rest.get(digits) == Some(&b'$') {
            let number: usize = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
            place = Some(number.checked_sub(1)?);
            rest = &rest[digits + 1..];
        }
        let (kind, after) = rest.split_first()?;
        rest = after;
        if *kind == b'%' && place.is_none() {
            text.push(b'%');
            continue;
        }
        let arg = args.get(place.unwrap_or(next))?;
        next += usize::from(place.is_none());
        match (kind, arg) {
            (b's', arg) => text.extend(arg.clone().text().ok()?),
            (b'd', Value::Int(number)) => text.extend(number.to_string().into_bytes()),
            (b'd', Value::Str(digits)) => text.extend(int(digits)?.text().ok()?),
            _ => return None,
        }
        if LONGEST_TEXT < text.len() {
            return None;
        }
    }
    text.extend_from_slice(rest);
    Some(Value::Str(text))
}

/// Texts are compared as `==` does.
fn has(array: &Array, needle: &Value) -> Option<Value> {
    let at = |what: &str| super::value::Why { file: None, line: 0, what: what.to_owned() };
    let equal = array.elements().iter().map(|(_, value)| value.equal(needle, &at).truth());
    let equal = equal.collect::<Result<Vec<_>, _>>().ok()?;
    Some(Value::Bool(equal.contains(&true)))
}

fn merged(arrays: &[Value]) -> Option<Value> {
    let mut all = Array::default();
    for array in arrays {
        let Value::Array(array) = array else { return None };
        for (key, value) in array.elements() {
            let key = match key {
                Key::Int(_) => None,
                text @ Key::Str(_) => Some(text.clone()),
            };
            all.put(key, value.clone())?;
        }
    }
    Some(Value::Array(all))
}

/// The parts of a URL that is plain: `scheme://user:pass@host:port/path?query#fragment`.
fn parse_url(url: &[u8], wanted: i64) -> Option<Value> {
    let url = std::str::from_utf8(url).ok().filter(|url| url.chars().all(|c| !c.is_control()))?;
    let (scheme, rest) = url.split_once("://")?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.is_empty() || !scheme.chars().all(is_scheme) {
        return None;
    }
    let (rest, fragment) = split(rest, '#');
    let (rest, query) = split(rest, '?');
    let (authority, path) = match rest.find('/') {
        Some(at) => (&rest[..at], Some(&rest[at..])),
        None => (rest, None),
    };
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, authority),
    };
    let (user, pass) = credentials.map_or((None, None), |it| {
        let (user, pass) = split(it, ':');
        (Some(user), pass)
    });
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => {
            (host, Some(port.parse::<u16>().ok().filter(|port| *port != 0)?))
        }
        None => (host, None),
        // IPv6 in brackets.
        Some(_) => return None,
    };
    if host.is_empty() || [query, fragment, user, pass].contains(&Some("")) {
        return None;
    }
    let text = |text: Option<&str>| text.map(|text| Value::Str(text.as_bytes().to_vec()));
    let parts = [
        ("scheme", text(Some(scheme))),
        ("host", text(Some(host))),
        ("port", port.map(|port| Value::Int(port.into()))),
        ("user", text(user)),
        ("pass", text(pass)),
        ("path", text(path)),
        ("query", text(query)),
        ("fragment", text(fragment)),
    ];
    if wanted != -1 {
        let (_, value) = parts.into_iter().nth(usize::try_from(wanted).ok()?)?;
        return Some(value.unwrap_or(Value::Null));
    }
    let mut array = Array::default();
    for (name, value) in parts {
        if let Some(value) = value {
            array.put(Some(Key::Str(name.as_bytes().to_vec())), value)?;
        }
    }
    Some(Value::Array(array))
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn dirname(path: &[u8], levels: i64) -> &[u8] {
    (0..levels.clamp(0, 64)).fold(path, |path, _| parent(path))
}

fn parent(path: &[u8]) -> &[u8] {
    let trimmed = without_slashes(path);
    match trimmed.iter().rposition(|b| *b == b'/') {
        None if path.is_empty() => b"",
        None if trimmed.is_empty() => b"/",
        None => b".",
        Some(at) => match without_slashes(&trimmed[..at]) {
            b"" => b"/",
            folder => folder,
        },
    }
}

fn basename<'a>(path: &'a [u8], suffix: &[u8]) -> &'a [u8] {
    let trimmed = without_slashes(path);
    let name = trimmed.iter().rposition(|b| *b == b'/').map_or(trimmed, |at| &trimmed[at + 1..]);
    name.strip_suffix(suffix).filter(|short| !short.is_empty()).unwrap_or(name)
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|b| *b != b'/').map_or(0, |at| at + 1);
    &path[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_php_names_them() {
        for (path, levels, want) in [
            ("/srv/www/wp-config.php", 1, "/srv/www"),
            ("/srv/www/wp-config.php", 2, "/srv"),
            ("/srv/www//", 1, "/srv"),
            ("/srv", 1, "/"),
            ("/", 1, "/"),
            ("wp-config.php", 1, "."),
            ("", 1, ""),
            ("/a/b", i64::MAX, "/"),
        ] {
            assert_eq!(dirname(path.as_bytes(), levels), want.as_bytes(), "{path}");
        }
    }
}
