//! Rows that come as JSON, on their way into a snapshot like those of a database.
//!
//! WordPress mixes `41`, `"41"` and `true` for one and the same column; here all become the text
//! that a database would give.

use serde_json::{Map, Value};
use sqlx::Error;

use crate::php_value::{Key, PhpValue};
use crate::rows::Cells;

/// One row, its cells as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonRow(Vec<Option<String>>);

impl JsonRow {
    /// The cells of a list.
    pub(crate) fn of(values: &[Value]) -> Self {
        Self(values.iter().map(text).collect())
    }

    /// Of an object, for each column the value of the first of its names.
    pub(crate) fn pick(object: &Map<String, Value>, columns: &[&[&str]]) -> Self {
        let value = |names: &&[&str]| names.iter().find_map(|name| text(object.get(*name)?));
        Self(columns.iter().map(value).collect())
    }

    /// The text of a cell; none for one that is empty or missing.
    pub(crate) fn at(&self, column: usize) -> Option<&str> {
        self.0.get(column)?.as_deref()
    }

    /// Put `text` into a cell.
    pub(crate) fn set(&mut self, column: usize, text: Option<String>) {
        if let Some(cell) = self.0.get_mut(column) {
            *cell = text;
        }
    }
}

impl Cells for JsonRow {
    fn cell(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        Ok(self.at(column).map(str::as_bytes))
    }
}

/// What a database would give for `value`; none for null, and for what a column cannot have.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(u8::from(*value).to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Settings as WordPress stores them.
pub(crate) fn serialised(settings: &Map<String, Value>) -> Vec<u8> {
    let setting = |(name, value): (&String, &Value)| {
        Some((Key::Str(name.clone().into()), PhpValue::str(text(value)?)))
    };
    PhpValue::Array(settings.iter().filter_map(setting).collect()).to_bytes()
}

/// That a row was accepted.
pub(crate) fn taken(result: Result<(), Error>) {
    result.expect("a cell of JSON can always be read");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_column_comes_in_many_types() {
        let row = JsonRow::of(json!([41, "41", true, "1", false, null, []]).as_array().unwrap());
        for column in [0, 1] {
            assert_eq!(row.number::<u64>(column).unwrap(), Some(41));
        }
        let switches: Vec<_> = (2..7).map(|column| row.switch(column).unwrap()).collect();
        assert_eq!(switches, [true, true, false, false, false]);
        assert_eq!(row.cell(7).unwrap(), None);
    }

    #[test]
    fn a_column_may_have_another_name() {
        let object = json!({"blog_id": "2", "id": null, "domain": "a.example"});
        let row = JsonRow::pick(object.as_object().unwrap(), &[&["id", "blog_id"], &["domain"]]);
        assert_eq!((row.at(0), row.at(1)), (Some("2"), Some("a.example")));
    }
}
