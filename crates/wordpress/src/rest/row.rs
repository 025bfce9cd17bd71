//! Objects of the REST API as the rows that they come from.
//!
//! Their keys are the columns' names; the id of a site comes as `blog_id` or `id`.

use rules::Time;
use rules::source::SourceError;
use serde_json::{Map, Value};

use crate::json_row::JsonRow;
use crate::web::{not_meant, number_of};

/// Where a site's row has its network, its domain, its age and whether it is hidden.
pub(super) const NETWORK: usize = 1;
pub(super) const DOMAIN: usize = 2;
const AGE: usize = 4;
const HIDDEN: usize = 5;
const REGISTERED: usize = 6;

/// The columns of a mapping, in the order in which rows are read.
const MAPPING: &[&[&str]] = &[
    &["id"],
    &["blog_id", "site_id"],
    &["domain"],
    &["stage"],
    &["secure"],
    &["active"],
    &["primary_domain"],
];

/// Those of a site: the last three are computed from other columns.
const SITE: &[&[&str]] = &[
    &["blog_id", "id"],
    &["site_id", "network_id"],
    &["domain"],
    &["path"],
    &["registered", "date_registered"],
    &["archived"],
    &["registered", "date_registered"],
];

/// A mapping as its row.
pub(super) fn mapping(object: &Map<String, Value>) -> JsonRow {
    JsonRow::pick(object, MAPPING)
}

/// A site as its row, with its age at `now`; of the only network if it does not name one.
pub(super) fn site(object: &Map<String, Value>, now: Option<Time>) -> JsonRow {
    let mut row = JsonRow::pick(object, SITE);
    if row.at(NETWORK).is_none() {
        row.set(NETWORK, Some("1".to_owned()));
    }
    let registered = row.at(REGISTERED).and_then(seconds);
    let now = now.map(|now| now.as_millis().div_euclid(1000));
    let age = registered.zip(now).and_then(|(registered, now)| now.checked_sub(registered));
    row.set(AGE, age.map(|age| age.to_string()));
    row.set(REGISTERED, registered.map(|registered| registered.to_string()));
    row.set(HIDDEN, Some(hidden(object).to_string()));
    row
}

/// The id that an object has under one of `names`.
pub(super) fn id(object: &Map<String, Value>, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| number_of(object.get(*name)?))
}

/// How a site is hidden: 1 archived, 2 spam or deleted, 0 not at all.
fn hidden(object: &Map<String, Value>) -> u8 {
    let is = |name: &str| object.get(name).is_some_and(is_on);
    if is("spam") || is("deleted") { 2 } else { u8::from(is("archived")) }
}

/// Archived, spam or deleted.
pub(super) fn is_hidden(object: &Map<String, Value>) -> bool {
    hidden(object) != 0
}

/// What PHP's `if` makes of it.
pub(super) fn is_on(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.as_str(), "" | "0" | "false"),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The object that an answer is.
pub(super) fn object<'a>(
    value: &'a Value,
    doing: &'static str,
) -> Result<&'a Map<String, Value>, SourceError> {
    let odd = || not_meant(doing, "an answer that is not an object");
    value.as_object().ok_or_else(odd)
}

/// Since 1970; none where it is not a date, such as the zero date. `registered` is in UTC.
fn seconds(registered: &str) -> Option<i64> {
    let date: jiff::civil::DateTime = registered.trim().parse().ok()?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Time = Time::from_millis(1_735_689_660_000);

    fn row(value: &Value) -> JsonRow {
        site(value.as_object().unwrap(), Some(NOW))
    }

    #[test]
    fn a_site_is_read_in_whatever_types_it_comes() {
        let of = |values: Value| JsonRow::of(values.as_array().unwrap());
        let as_read = json!({"blog_id": "2", "site_id": "1", "domain": "shop.example", "path": "/",
            "registered": "2025-01-01 00:00:00", "archived": "0", "spam": "0", "deleted": "1"});
        assert_eq!(
            row(&as_read),
            of(json!(["2", "1", "shop.example", "/", "60", "2", "1735689600"]))
        );
        let as_written = json!({"id": 2, "domain": "shop.example", "path": "/",
            "registered": "0000-00-00 00:00:00", "archived": false, "spam": 0});
        assert_eq!(row(&as_written), of(json!(["2", "1", "shop.example", "/", null, "0", null])));
        let without_clock = site(as_read.as_object().unwrap(), None);
        assert_eq!(
            (without_clock.at(AGE), without_clock.at(REGISTERED)),
            (None, Some("1735689600"))
        );
    }

    #[test]
    fn a_switch_is_what_php_takes_for_true() {
        for on in [json!(true), json!(1), json!("1")] {
            assert!(is_on(&on), "{on}");
        }
        for off in [json!(false), json!(0), json!("0"), json!(""), json!("false"), json!(null)] {
            assert!(!is_on(&off), "{off}");
        }
    }
}
