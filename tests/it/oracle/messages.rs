//! Messages: of each active user, and of each value of a dimension.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answer::Expected;
use super::data::Data;
use super::question::Question;
use super::sets::{mark, under};

pub fn messages_per_active_user(data: &Data, question: &Question) -> Expected {
    let mut expected = question.expected(&["period", "dimension_value"], &["users"]);
    for period in data.periods(question.word("by")) {
        let values = data.values(period, question.dimension());
        let mut sent: BTreeMap<u32, u64> = BTreeMap::new();
        for row in data.rows_in(period) {
            if let Some(messages) = row.messages {
                *sent.entry(row.user).or_default() += messages;
            }
        }
        let counted = data.rows_in(period).all(|r| r.messages.is_some());
        let finished = mark(data.whole(period) && counted);
        for value in data.all_values(question.dimension()) {
            let of_value = sent.iter().filter(|(user, _)| values[user] == value);
            let mut counts: Vec<u64> = of_value.map(|(_, sent)| *sent).collect();
            counts.sort_unstable();
            let key: [&dyn ToString; 2] = [&period.first, &value];
            if counts.is_empty() {
                expected.row(&key, [("median", json!(null))]);
                continue;
            }
            let mut columns = distribution(&counts);
            columns.extend([
                ("all_users", json!(sent.len())),
                ("counted", json!(sent.values().sum::<u64>())),
                ("mark", json!(finished)),
            ]);
            expected.row(&key, columns);
        }
    }
    expected
}

/// How messages are spread over users, of whom each sent at least as many as the one before.
fn distribution(counts: &[u64]) -> Vec<(&'static str, Value)> {
    let total = counts.iter().sum::<u64>();
    // The smallest number that at least so many of a hundred stay at or below.
    let at_most = |share: usize| json!(counts[(counts.len() * share).div_ceil(100) - 1]);
    vec![
        ("users", json!(counts.len())),
        ("messages", json!(total)),
        ("mean", json!(total as f64 / counts.len() as f64)),
        ("median", at_most(50)),
        ("p90", at_most(90)),
        ("p99", at_most(99)),
        ("most", json!(counts.last())),
    ]
}

pub fn activity_by_dimension(data: &Data, question: &Question) -> Expected {
    let dimension = question.dimension();
    let mut expected = question
        .expected(&["month", "dimension_value"], &["users", "messages"])
        .most_first("users");
    for month in data.periods("month") {
        let values = data.values(month, dimension);
        let counted = data.rows_in(month).all(|r| r.messages.is_some());
        let messages = |keep: &dyn Fn(&str) -> bool| {
            let rows = data.rows_in(month).filter(|r| keep(r.value(dimension)));
            rows.filter_map(|r| r.messages).sum::<u64>()
        };
        for value in data.all_values(dimension) {
            let users = under(&values, value);
            let mut columns = vec![
                ("users", json!(users)),
                ("share", json!(users as f64 / values.len() as f64)),
                ("all_users", json!(values.len())),
                ("mark", json!(data.mark(month))),
            ];
            if counted {
                columns.push(("messages", json!(messages(&|v| v == value))));
                columns.push(("all_messages", json!(messages(&|_| true))));
            }
            expected.row(&[&month.first, &value], columns);
        }
    }
    expected
}
