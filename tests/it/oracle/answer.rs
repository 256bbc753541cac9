//! What an answer ought to be, and how what was answered differs from it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The rows of an answer, each by its columns' names.
pub type Answer = Vec<Map<String, Value>>;

/// The rows expected, by their keys. A column that a row does not name is not looked at.
pub struct Expected {
    keys: &'static [&'static str],
    /// What goes before the second key, from the largest to the smallest.
    most: Option<&'static str>,
    /// Where all of these are zero or none, a row may be there or not.
    amounts: &'static [&'static str],
    rows: BTreeMap<Vec<String>, BTreeMap<&'static str, Value>>,
}

impl Expected {
    /// Rows that must all be there, and no others.
    pub fn exactly(keys: &'static [&'static str]) -> Self {
        Expected::but_for_zeros(keys, &[])
    }

    pub fn but_for_zeros(keys: &'static [&'static str], amounts: &'static [&'static str]) -> Self {
        Expected {
            keys,
            most: None,
            amounts,
            rows: BTreeMap::new(),
        }
    }

    /// Within the first key, the rows with the most of a column come first.
    pub fn most_first(mut self, column: &'static str) -> Self {
        self.most = Some(column);
        self
    }

    pub fn row(
        &mut self,
        keys: &[&dyn ToString],
        columns: impl IntoIterator<Item = (&'static str, Value)>,
    ) {
        let key = keys.iter().map(|k| k.to_string()).collect();
        self.rows.insert(key, columns.into_iter().collect());
    }

    /// In words, one a difference; and how many rows were compared.
    pub fn differences(&self, answer: &Answer) -> (Vec<String>, usize) {
        let mut wrong = Vec::new();
        let mut rows = self.rows.clone();
        if !answer.is_sorted_by(|a, b| self.in_order(a, b)) {
            wrong.push(format!("the rows are not in the order of {:?}", self.keys));
        }
        for given in answer {
            let key: Vec<String> = self.keys.iter().map(|k| text(given.get(*k))).collect();
            match rows.remove(&key) {
                Some(row) => wrong.extend(
                    row.iter()
                        .filter(|(column, value)| !same(column, value, given.get(**column)))
                        .map(|(column, value)| {
                            format!("{key:?} {column}: {value}, given {:?}", given.get(*column))
                        }),
                ),
                None if self.is_nothing(|column| given.get(column)) => {}
                None => wrong.push(format!("{key:?}: no such row, given {given:?}")),
            }
        }
        let missing = rows
            .iter()
            .filter(|(_, row)| !self.is_nothing(|column| row.get(column)));
        wrong.extend(missing.map(|(key, row)| format!("{key:?}: {row:?}, not given")));
        (wrong, self.rows.len())
    }

    /// Whether a row comes before another or beside it.
    fn in_order(&self, a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
        let by = |key: &str| compare(a.get(key), b.get(key));
        let most = self
            .most
            .map_or(Ordering::Equal, |column| by(column).reverse());
        let rest = self.keys[1..].iter().map(|key| by(key));
        let order = rest.fold(by(self.keys[0]).then(most), Ordering::then);
        order != Ordering::Greater
    }

    fn is_nothing<'a>(&self, column: impl Fn(&str) -> Option<&'a Value>) -> bool {
        let nothing =
            |value: Option<&Value>| value.is_none_or(|v| v.is_null() || v.as_f64() == Some(0.0));
        !self.amounts.is_empty() && self.amounts.iter().all(|a| nothing(column(a)))
    }
}

/// As `ORDER BY` does: what is missing goes last.
fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let place = |value: Option<&Value>| (value.is_none_or(Value::is_null), text(value));
    match (a.and_then(Value::as_u64), b.and_then(Value::as_u64)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => place(a).cmp(&place(b)),
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

/// Whether a figure is the one expected: fractions up to what rounding takes from them.
fn same(column: &str, expected: &Value, given: Option<&Value>) -> bool {
    let Some(given) = given else { return false };
    let rounding = match column {
        "mean" | "mean_dau" | "all_mean_dau" => 0.005_001,
        "quick_ratio" | "share" | "stickiness" => 0.000_051,
        "rate" => 0.000_000_6,
        _ => 0.0,
    };
    match (expected.as_f64(), given.as_f64()) {
        (Some(expected), Some(given)) => (expected - given).abs() <= rounding,
        _ => expected == given,
    }
}
