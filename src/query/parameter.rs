//! The values of a query's parameters: from the words of a command line to what is bound.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;

use super::header::{Header, Parameter, Type};
use crate::calendar::{self, Month};

/// A parameter whose value can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParameterError {
    /// It must be given.
    #[error("`{query}` needs `--{name}` ({kind}); `essor query {query} --help` shows an example")]
    Missing {
        /// The query.
        query: String,
        /// The parameter.
        name: String,
        /// Its type.
        kind: Type,
    },
    /// There is none of the name.
    #[error("`{query}` takes no `--{name}`; it takes {known}")]
    Unknown {
        /// The query.
        query: String,
        /// The name given.
        name: String,
        /// The names it has.
        known: String,
    },
    /// The value is not of its type.
    #[error("`--{name} {value}`: {problem}")]
    Value {
        /// The parameter.
        name: String,
        /// The value given.
        value: String,
        /// What is wrong and what to write.
        problem: String,
    },
}

/// The texts given for parameters, by name.
pub type Given = BTreeMap<String, String>;

/// The values to bind for every parameter of a query: what is given, else the defaults.
pub fn bind(
    query: &str,
    header: &Header,
    given: &Given,
) -> Result<Vec<(String, ScalarValue)>, ParameterError> {
    if let Some(name) = given.keys().find(|name| header.parameter(name).is_none()) {
        let known: Vec<String> = header
            .parameters
            .iter()
            .map(|p| format!("`--{}`", p.name))
            .collect();
        let known = if known.is_empty() {
            "no parameters".into()
        } else {
            known.join(", ")
        };
        return Err(ParameterError::Unknown {
            query: query.into(),
            name: name.clone(),
            known,
        });
    }
    let value =
        |p: &Parameter| {
            let text = given.get(&p.name).or(p.default.as_ref()).ok_or_else(|| {
                ParameterError::Missing {
                    query: query.into(),
                    name: p.name.clone(),
                    kind: p.kind,
                }
            })?;
            scalar(p, text)
                .map(|v| (p.name.clone(), v))
                .map_err(|problem| ParameterError::Value {
                    name: p.name.clone(),
                    value: text.clone(),
                    problem,
                })
        };
    header.parameters.iter().map(value).collect()
}

fn scalar(parameter: &Parameter, text: &str) -> Result<ScalarValue, String> {
    if text == "null" && parameter.default.as_deref() == Some("null") {
        return ScalarValue::try_from(&parameter.kind.arrow()).map_err(|e| e.to_string());
    }
    Ok(match parameter.kind {
        Type::Date => ScalarValue::Date32(Some(calendar::date32(date(&parameter.name, text)?))),
        Type::Text => ScalarValue::Utf8(Some(text.to_owned())),
        Type::BigInt => ScalarValue::Int64(Some(
            text.parse()
                .map_err(|_| "is not a whole number, such as 30".to_owned())?,
        )),
        Type::Double => {
            let number: f64 = text
                .parse()
                .map_err(|_| "is not a number, such as 0.5".to_owned())?;
            ScalarValue::Float64(Some(number).filter(|n| n.is_finite()))
        }
        Type::Boolean => ScalarValue::Boolean(Some(
            text.parse()
                .map_err(|_| "is neither `true` nor `false`".to_owned())?,
        )),
        Type::TextList => text_list(if text == "all" {
            Vec::new()
        } else {
            list(text)
        }),
    })
}

/// A month is its first day; a span ends on the last day of the period written.
fn date(name: &str, text: &str) -> Result<calendar::Day, String> {
    let day = match name {
        "month" => text.parse::<Month>().map(Month::first),
        "to" | "until" => calendar::end_of(text),
        _ => calendar::start_of(text),
    };
    day.map_err(|e| e.to_string())
}

/// The items of a comma-separated list; a comma within a name is written `\,`.
pub fn list(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match (c, items.last_mut()) {
            ('\\', _) if !escaped => {
                escaped = true;
                continue;
            }
            (',', _) if !escaped => items.push(String::new()),
            (c, Some(item)) => item.push(c),
            _ => {}
        }
        escaped = false;
    }
    items
        .iter()
        .map(|i| i.trim().to_owned())
        .filter(|i| !i.is_empty())
        .collect()
}

/// The text of a list that [`list`] reads back.
pub fn unlist(items: &[String]) -> String {
    items
        .iter()
        .map(|i| i.replace('\\', "\\\\").replace(',', "\\,"))
        .collect::<Vec<_>>()
        .join(",")
}

fn text_list(items: Vec<String>) -> ScalarValue {
    let offsets = OffsetBuffer::from_lengths([items.len()]);
    let values: ArrayRef = Arc::new(StringArray::from(items));
    let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
    ScalarValue::List(Arc::new(ListArray::new(field, offsets, values, None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header::parse("--- Q.\n--! params: month DATE, to DATE = null, platforms TEXT[] = all, n BIGINT = 3\n--! columns: a TEXT\n").unwrap()
    }

    fn given(pairs: &[(&str, &str)]) -> Given {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn values_are_bound_by_type_with_defaults() {
        let bound = bind(
            "q",
            &header(),
            &given(&[
                ("month", "2016-02"),
                ("to", "2018"),
                ("platforms", "A, B\\, Inc"),
            ]),
        )
        .unwrap();
        assert_eq!(
            bound[0].1,
            ScalarValue::Date32(Some(calendar::date32(calendar::day("2016-02-01").unwrap())))
        );
        assert_eq!(
            bound[1].1,
            ScalarValue::Date32(Some(calendar::date32(calendar::day("2018-12-31").unwrap())))
        );
        assert_eq!(bound[2].1, text_list(vec!["A".into(), "B, Inc".into()]));
        assert_eq!(bound[3].1, ScalarValue::Int64(Some(3)));
        assert_eq!(
            list(&unlist(&["A".into(), "B, \\Inc".into()])),
            ["A", "B, \\Inc"]
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error =
            |pairs: &[(&str, &str)]| bind("q", &header(), &given(pairs)).unwrap_err().to_string();
        assert!(error(&[]).contains("needs `--month` (DATE)"));
        assert!(error(&[("mouth", "2016-02")]).contains("takes no `--mouth`; it takes `--month`"));
        assert!(error(&[("month", "2016")]).contains("`2016` is not a month"));
        assert!(
            error(&[("month", "2016-02"), ("n", "1,5")])
                .contains("`--n 1,5`: is not a whole number")
        );
    }
}
