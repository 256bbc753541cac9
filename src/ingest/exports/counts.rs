//! Counts and days as exports write them.

use chrono::DateTime;
use serde_json::Value;

use super::Rows;
use crate::calendar::Day;
use crate::ingest::cell;
use crate::ingest::reject::Reason;

/// A count of a JSON document: a whole number, also as `42.0` or `"42"`; none where there is nothing.
pub(super) fn count(value: &Value) -> Result<Option<i64>, Reason> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => cell::whole(number),
            (None, Some(number)) => cell::whole(cell::from_float(number)),
            (None, None) => Err(Reason::NotWhole),
        },
        Value::String(text) => cell::count(text),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(Reason::NotWhole),
    }
}

/// The count of a field; one that is none is rejected.
pub(super) fn taken(rows: &mut Rows, line: u64, field: &str, value: Option<&Value>) -> Option<i64> {
    match count(value?) {
        Ok(count) => count,
        Err(reason) => {
            rows.reject_for(line, field, reason);
            None
        }
    }
}

/// The UTC day of a moment in seconds since 1970.
pub(super) fn day_of(seconds: i64) -> Result<Day, Reason> {
    let moment = DateTime::from_timestamp(seconds, 0).ok_or(Reason::NotADay)?;
    near(moment.date_naive())
}

/// A day written as `YYYY-MM-DD`.
pub(super) fn day(text: &str) -> Result<Day, Reason> {
    let text = text.trim();
    match text.is_empty() {
        true => Err(Reason::NoDay),
        false => near(crate::calendar::day(text).map_err(|_| Reason::NotADay)?),
    }
}

/// A day that may be one of a messenger.
pub(super) fn near(day: Day) -> Result<Day, Reason> {
    match super::rows::within_reason(day) {
        true => Ok(day),
        false => Err(Reason::FarDay),
    }
}

/// A host in the form in which servers are named: without a scheme, in lower case.
pub(super) fn host(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let text = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .unwrap_or(&text);
    let host = text.split('/').next().unwrap_or("");
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':');
    (!host.is_empty() && host.chars().all(plain)).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_count_is_whole_however_it_is_written() {
        for (value, wanted) in [
            (json!(42), Ok(Some(42))),
            (json!(42.0), Ok(Some(42))),
            (json!("42"), Ok(Some(42))),
            (json!(null), Ok(None)),
            (json!(""), Ok(None)),
            (json!(-1), Err(Reason::Negative)),
            (json!("-15000000"), Err(Reason::Negative)),
            (json!(4.5), Err(Reason::NotWhole)),
            (json!(true), Err(Reason::NotWhole)),
            (json!([1]), Err(Reason::NotWhole)),
            (json!(1e300), Err(Reason::Overflow)),
            (json!(u64::MAX), Err(Reason::Overflow)),
        ] {
            assert_eq!(count(&value), wanted, "{value}");
        }
    }

    #[test]
    fn a_host_has_no_scheme() {
        assert_eq!(
            host("https://Pleroma.example/").as_deref(),
            Some("pleroma.example")
        );
        assert_eq!(host("mastodon.social").as_deref(), Some("mastodon.social"));
        assert_eq!(host("not a host"), None);
        assert_eq!(host(""), None);
    }
}
