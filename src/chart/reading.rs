//! How a value reads: the same in a table, beside a bar and in a sentence.

use serde_json::Value;

use super::number::{exact, short};
use crate::calendar;
use crate::query::header::{Column, Type};

/// Endings of the names of columns that hold a fraction, which is read in percent.
const FRACTIONS: [&str; 12] = [
    "share",
    "growth",
    "cmgr",
    "cagr",
    "churn",
    "mom",
    "yoy",
    "difference",
    "fraction",
    "rate",
    "retention",
    "stickiness",
];

/// Whether a column holds a fraction: 0.123 reads 12.3 %.
pub fn is_fraction(column: &Column) -> bool {
    column.kind == Type::Double
        && FRACTIONS
            .iter()
            .any(|f| column.name == *f || column.name.ends_with(&format!("_{f}")))
}

/// A value of a column, for a reader. What is missing is empty.
pub fn read(column: &Column, value: &Value) -> String {
    match (column.kind, value) {
        (_, Value::Null) => String::new(),
        (Type::Double, v) if is_fraction(column) => v.as_f64().map(percent).unwrap_or_default(),
        (Type::Double, v) => v.as_f64().map(short).unwrap_or_default(),
        (Type::BigInt, v) => v.as_i64().map(count).unwrap_or_default(),
        (Type::Date, Value::String(day)) => long_day(day),
        (Type::Boolean, v) => {
            if v.as_bool() == Some(true) {
                "yes".into()
            } else {
                "no".into()
            }
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// A count: `100 M` where that is the whole truth, else every digit.
pub fn count(value: i64) -> String {
    let rounded = format!("{:.2e}", value as f64).parse::<f64>();
    if value.abs() >= 1_000_000 && rounded == Ok(value as f64) {
        short(value as f64)
    } else {
        exact(value)
    }
}

/// A fraction in percent with three significant digits at most: 0.6129 reads `61.3 %`.
pub fn percent(fraction: f64) -> String {
    if !fraction.is_finite() {
        return "–".to_owned();
    }
    let percent = fraction * 100.0;
    // Beyond a thousand, letters would stand for the thousands of hundredths: every digit is shown.
    let number = if percent.abs() >= 1000.0 {
        exact(percent.round() as i64)
    } else {
        short(percent)
    };
    format!("{number}\u{202F}%")
}

/// `2016-02-23` as `23 February 2016`; anything else as it is.
pub fn long_day(text: &str) -> String {
    calendar::day(text).map_or_else(|_| text.to_owned(), calendar::long)
}

/// `2016-02-01` or `2016-02` as `February 2016`; anything else as it is.
pub fn month(text: &str) -> String {
    text.get(..7)
        .and_then(|m| m.parse::<calendar::Month>().ok())
        .map_or_else(|| text.to_owned(), calendar::Month::title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_short_only_where_nothing_is_lost() {
        assert_eq!(count(100_000_000), "100\u{202F}M");
        assert_eq!(count(991_816), "991\u{202F}816");
        assert_eq!(count(6_073_627), "6\u{202F}073\u{202F}627");
        assert_eq!(count(-99_817_197), "-99\u{202F}817\u{202F}197");
    }

    #[test]
    fn a_fraction_reads_in_percent() {
        let growth = Column {
            name: "year_growth".into(),
            kind: Type::Double,
        };
        assert_eq!(read(&growth, &serde_json::json!(0.6129)), "61.3\u{202F}%");
        let other = Column {
            name: "hothouse".into(),
            kind: Type::Double,
        };
        assert_eq!(read(&other, &serde_json::json!(0.5)), "0.5");
        assert_eq!(percent(11.98), "1\u{202F}198\u{202F}%");
        assert_eq!(month("2016-02-01"), "February 2016");
    }
}
