//! The sentence that says what was found: a template in the query's header, filled from its rows.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde_json::json;

use super::reading;
use crate::metric;
use crate::query::parameter::Given;
use crate::query::{Answer, Query, rows};

/// A template that can't be filled.
#[derive(Debug, thiserror::Error)]
#[error("query `{query}`, finding: {source}")]
pub struct FindingError {
    query: String,
    source: Box<minijinja::Error>,
}

/// An environment that knows how values read: `short`, `exact`, `pct`, `day`, `month`,
/// and `title_of` for a metric's name.
pub fn environment<'a>() -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("short", |v: Value| {
        number(&v).map(super::number::short).unwrap_or_default()
    });
    environment.add_filter("exact", |v: Value| {
        v.as_i64().map(super::number::exact).unwrap_or_default()
    });
    environment.add_filter("count", |v: Value| {
        v.as_i64().map(reading::count).unwrap_or_default()
    });
    environment.add_filter("pct", |v: Value| {
        number(&v).map(reading::percent).unwrap_or_default()
    });
    environment.add_filter("day", |v: Value| {
        v.as_str().map(reading::long_day).unwrap_or_default()
    });
    environment.add_filter("title_of", |v: Value| {
        v.as_str()
            .map(|name| metric::find(name).map_or(name, |m| m.title).to_owned())
            .unwrap_or_default()
    });
    environment.add_filter("month", |v: Value| {
        v.as_str().map(reading::month).unwrap_or_default()
    });
    environment
}

fn number(value: &Value) -> Option<f64> {
    f64::try_from(value.clone()).ok()
}

/// What a query found with the parameters given; its description where its header has no template.
pub fn finding(query: &Query, answer: &Answer, given: &Given) -> Result<String, FindingError> {
    match &query.header.finding {
        Some(template) => fill(template, query, answer, given),
        None => Ok(query.header.title.trim_end_matches('.').to_owned()),
    }
}

/// What a query measures: its header's `subtitle`, which may be a template too; else its description.
pub fn subtitle(query: &Query, answer: &Answer, given: &Given) -> Result<String, FindingError> {
    fill(
        query
            .header
            .subtitle
            .as_ref()
            .unwrap_or(&query.header.title),
        query,
        answer,
        given,
    )
}

fn fill(
    template: &str,
    query: &Query,
    answer: &Answer,
    given: &Given,
) -> Result<String, FindingError> {
    let parameters: serde_json::Map<_, _> = query
        .header
        .parameters
        .iter()
        .map(|p| {
            (
                p.name.clone(),
                json!(
                    given
                        .get(&p.name)
                        .or(p.default.as_ref())
                        .filter(|v| *v != "null")
                ),
            )
        })
        .collect();
    let context = Value::from(Serde(
        json!({ "rows": rows::rows(&answer.batch), "params": parameters }),
    ));
    let refused = |source| FindingError {
        query: query.name.clone(),
        source: Box::new(source),
    };
    let text = environment()
        .render_str(template, context)
        .map_err(refused)?;
    Ok(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}
