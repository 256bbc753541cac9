//! The functions through SQL, on one thread and on four.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BinaryViewArray, DictionaryArray, Int32Array, Int64Array,
    LargeBinaryArray, ListArray, RecordBatch,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{Field, Schema};
use arrow::util::pretty::pretty_format_batches;
use chrono::Weekday;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::{set, stored};
use crate::bitmap::functions::register;

/// A day of a server: its users, and how many messages each sent.
#[derive(Debug, Clone)]
struct Row {
    server: i64,
    day: i64,
    users: Option<RoaringBitmap>,
    messages: Option<Vec<RoaringBitmap>>,
}

/// How the column of bitmaps is laid out.
#[derive(Debug, Clone, Copy)]
enum Layout {
    View,
    Small,
    Large,
    Dictionary,
}

fn binary(values: Vec<Option<Vec<u8>>>, layout: Layout) -> ArrayRef {
    let refs: Vec<_> = values.iter().map(|value| value.as_deref()).collect();
    match layout {
        Layout::View => Arc::new(BinaryViewArray::from(refs)),
        Layout::Small => Arc::new(BinaryArray::from(refs)),
        Layout::Large => Arc::new(LargeBinaryArray::from(refs)),
        Layout::Dictionary => {
            let mut next = -1;
            let keys = refs.iter().map(|value| {
                value.map(|_| {
                    next += 1;
                    next
                })
            });
            let keys: Int32Array = keys.collect();
            let values = BinaryArray::from_iter_values(refs.into_iter().flatten());
            Arc::new(DictionaryArray::new(keys, Arc::new(values)))
        }
    }
}

fn batch(rows: &[Row], layout: Layout) -> RecordBatch {
    let bytes = |set: &RoaringBitmap| stored(set, set.len().is_multiple_of(2));
    let users = rows
        .iter()
        .map(|row| row.users.as_ref().map(bytes))
        .collect();
    let lists = rows
        .iter()
        .map(|row| row.messages.as_deref().unwrap_or_default());
    let slices = lists
        .clone()
        .flatten()
        .map(|slice| Some(bytes(slice)))
        .collect();
    let elements = binary(
        slices,
        match layout {
            Layout::View => Layout::View,
            _ => Layout::Small,
        },
    );
    let field = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lists.map(<[_]>::len));
    let nulls = rows
        .iter()
        .map(|row| row.messages.is_some())
        .collect::<Vec<_>>()
        .into();
    let columns: [(&str, ArrayRef); 4] = [
        (
            "server",
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|row| row.server),
            )),
        ),
        (
            "day",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.day))),
        ),
        ("users", binary(users, layout)),
        (
            "messages",
            Arc::new(ListArray::new(field, offsets, elements, Some(nulls))),
        ),
    ];
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, c)| Field::new(*name, c.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// A session over `activity`, in batches of a few rows.
fn session(rows: &[Row], layout: Layout, threads: usize) -> SessionContext {
    let config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_batch_size(7);
    let context = SessionContext::new_with_config(config);
    register(&context, Weekday::Mon);
    let whole = batch(rows, layout);
    let parts: Vec<_> = (0..rows.len())
        .step_by(5)
        .map(|at| whole.slice(at, 5.min(rows.len() - at)))
        .collect();
    let partitions = (0..threads).map(|t| parts.iter().skip(t).step_by(threads).cloned().collect());
    let table = MemTable::try_new(whole.schema(), partitions.collect()).unwrap();
    context.register_table("activity", Arc::new(table)).unwrap();
    context
}

fn ask(context: &SessionContext, sql: &str) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let answer = runtime.block_on(async { context.sql(sql).await?.collect().await });
    let batches = answer.map_err(|error| error.to_string())?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

/// The values of an answer, row by row, in text.
fn cells(context: &SessionContext, sql: &str) -> Vec<String> {
    let text = ask(context, sql).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(1);
    lines
        .map(|line| {
            line.split('|')
                .map(str::trim)
                .filter(|c| !c.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

fn list<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let values: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
    format!("[{}]", values.join(", "))
}

/// A set small enough to be read in text.
fn few() -> BoxedStrategy<RoaringBitmap> {
    let id = prop_oneof![0u32..40, Just(u32::MAX), 70_000u32..70_009];
    prop::collection::vec(id, 0..30)
        .prop_map(|ids| ids.into_iter().collect())
        .boxed()
}

fn rows(of: BoxedStrategy<RoaringBitmap>, most: usize) -> impl Strategy<Value = Vec<Row>> {
    let one = (
        prop::option::weighted(0.8, of.clone()),
        prop::option::weighted(0.8, prop::collection::vec(of, 0..4)),
        0i64..3,
    );
    prop::collection::vec(one, 0..most).prop_map(|rows| {
        let row = |(day, (users, messages, server)): (usize, _)| Row {
            server,
            day: day as i64,
            users,
            messages,
        };
        rows.into_iter().enumerate().map(row).collect()
    })
}

fn layout() -> impl Strategy<Value = Layout> {
    prop_oneof![
        Just(Layout::View),
        Just(Layout::Small),
        Just(Layout::Large),
        Just(Layout::Dictionary)
    ]
}

fn by_server(rows: &[Row]) -> BTreeMap<i64, Vec<&Row>> {
    let mut servers = BTreeMap::<_, Vec<_>>::new();
    rows.iter()
        .for_each(|row| servers.entry(row.server).or_default().push(row));
    servers
}

fn union<'a>(rows: impl IntoIterator<Item = &'a &'a Row>) -> Option<RoaringBitmap> {
    rows.into_iter()
        .filter_map(|row| row.users.clone())
        .reduce(|a, b| a | b)
}

fn text(set: Option<RoaringBitmap>) -> String {
    set.map_or("null".into(), |set| list(set.iter()))
}

fn counts(messages: &[RoaringBitmap]) -> BTreeMap<u32, u64> {
    let mut counts = BTreeMap::new();
    for (weight, slice) in messages.iter().enumerate() {
        slice
            .iter()
            .for_each(|id| *counts.entry(id).or_insert(0) += 1 << weight);
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn aggregates_give_what_plain_sets_give(rows in rows(few(), 40), layout in layout()) {
        let mut expected = Vec::new();
        for (server, rows) in by_server(&rows) {
            let sets: Vec<_> = rows.iter().filter_map(|row| row.users.clone()).collect();
            let both = union(&rows);
            let mut days = BTreeMap::<u32, usize>::new();
            sets.iter().flatten().for_each(|id| *days.entry(id).or_insert(0) += 1);
            let most = days.values().max().copied().unwrap_or(0);
            let frequency = (1..=most).map(|n| days.values().filter(|days| **days == n).count());
            let mut sums = BTreeMap::<u32, u64>::new();
            let sent: Vec<_> = rows.iter().filter_map(|row| row.messages.as_deref()).collect();
            sent.iter().flat_map(|slices| counts(slices)).for_each(|(id, n)| *sums.entry(id).or_insert(0) += n);
            let total = if sent.is_empty() { "null".into() } else { sums.values().sum::<u64>().to_string() };
            expected.push([
                server.to_string(),
                text(both.clone().or(Some(RoaringBitmap::new()))),
                both.as_ref().map_or(0, RoaringBitmap::len).to_string(),
                text(sets.into_iter().reduce(|a, b| a & b).or(Some(RoaringBitmap::new()))),
                list(frequency),
                total.clone(),
            ].join(" "));
        }
        for threads in [1, 4] {
            let context = session(&rows, layout, threads);
            let sql = "SELECT server, bitmap_to_array(bitmap_union(users)), bitmap_union_count(users),
                         bitmap_to_array(bitmap_intersection(users)), bitmap_frequency(users),
                         coalesce(CAST(counts_sum(counts_add(messages)) AS TEXT), 'null')
                       FROM activity GROUP BY server ORDER BY server";
            prop_assert_eq!(cells(&context, sql), expected.clone());
        }
    }

    #[test]
    fn without_groups_all_rows_are_one(rows in rows(few(), 40), layout in layout()) {
        let all: Vec<_> = rows.iter().collect();
        let sets = || rows.iter().filter_map(|row| row.users.clone());
        let total: u64 = rows.iter().filter_map(|row| row.messages.as_deref()).flat_map(counts).map(|c| c.1).sum();
        let expected = [
            union(&all).map_or(0, |set| set.len()).to_string(),
            sets().reduce(|a, b| a & b).map_or(0, |set| set.len()).to_string(),
            total.to_string(),
        ].join(" ");
        for threads in [1, 4] {
            let context = session(&rows, layout, threads);
            let sql = "SELECT bitmap_count(bitmap_union(users)), bitmap_count(bitmap_intersection(users)),
                         coalesce(counts_sum(counts_add(messages)), 0) FROM activity";
            prop_assert_eq!(cells(&context, sql), vec![expected.clone()]);
            let sql = "SELECT bitmap_union_count(users) FILTER (WHERE day % 2 = 0) FROM activity";
            let even: Vec<_> = rows.iter().filter(|row| row.day % 2 == 0).collect();
            prop_assert_eq!(cells(&context, sql), vec![union(&even).map_or(0, |set| set.len()).to_string()]);
        }
    }

    #[test]
    fn windows_give_what_plain_sets_give(rows in rows(few(), 40), width in 1usize..50, layout in layout()) {
        let mut expected = Vec::new();
        for rows in by_server(&rows).values() {
            let mut state = RoaringBitmap::new();
            for (i, row) in rows.iter().enumerate() {
                let window = &rows[(i + 1).saturating_sub(width)..=i];
                let rolling = union(window).unwrap_or_default();
                let keep = if i > 0 { rows[i - 1].users.clone() } else { None };
                state &= keep.unwrap_or_default();
                state |= row.users.clone().unwrap_or_default();
                expected.push((row.server, row.day, [
                    row.day.to_string(),
                    rolling.len().to_string(),
                    list(rolling.iter()),
                    union(&rows[..i]).map_or(0, |set| set.len()).to_string(),
                    union(&rows[..=i]).map_or(0, |set| set.len()).to_string(),
                    list(state.iter()),
                ].join(" ")));
            }
        }
        expected.sort();
        let expected: Vec<_> = expected.into_iter().map(|(_, _, cells)| cells).collect();
        for threads in [1, 4] {
            let context = session(&rows, layout, threads);
            let sql = format!("WITH kept AS (SELECT *, lag(users) OVER (PARTITION BY server ORDER BY day) AS keep FROM activity)
              SELECT day, bitmap_rolling_count(users, {width}) OVER (PARTITION BY server ORDER BY day),
                bitmap_to_array(bitmap_rolling_union(users, {width}) OVER (PARTITION BY server ORDER BY day)),
                bitmap_count(bitmap_union(users) OVER (PARTITION BY server ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
                bitmap_union_count(users) OVER (PARTITION BY server ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
                bitmap_to_array(bitmap_carry(users, keep) OVER (PARTITION BY server ORDER BY day))
              FROM kept ORDER BY server, day");
            prop_assert_eq!(cells(&context, &sql), expected.clone());
        }
    }

    #[test]
    fn large_sets_of_any_form_agree_on_one_thread_and_four(rows in rows(set(), 12)) {
        let mut frequency = BTreeMap::<u32, u64>::new();
        rows.iter().filter_map(|row| row.users.as_ref()).flatten().for_each(|id| *frequency.entry(id).or_insert(0) += 1);
        let most = frequency.values().max().copied().unwrap_or(0);
        let mut ids = vec![0u64; most as usize];
        frequency.values().for_each(|n| ids[*n as usize - 1] += 1);
        let total: u64 = rows.iter().filter_map(|row| row.messages.as_deref())
            .flat_map(|slices| slices.iter().enumerate()).map(|(i, slice)| slice.len() << i).sum();
        let expected = format!("{} {} {total}", frequency.len(), list(ids));
        for threads in [1, 4] {
            let context = session(&rows, Layout::View, threads);
            let sql = "SELECT bitmap_union_count(users), bitmap_frequency(users), coalesce(counts_sum(counts_add(messages)), 0) FROM activity";
            prop_assert_eq!(cells(&context, sql), vec![expected.clone()]);
        }
    }

    #[test]
    fn functions_of_a_row_give_what_plain_sets_give(rows in rows(few(), 40), layout in layout()) {
        let empty = RoaringBitmap::new();
        let mut expected = Vec::new();
        for pair in rows.windows(2) {
            let a = pair[0].users.as_ref().unwrap_or(&empty);
            let b = pair[1].users.as_ref().unwrap_or(&empty);
            let sent = pair[1].messages.as_deref();
            let all = sent.map(counts);
            let mut histogram = BTreeMap::<u64, u64>::new();
            a.iter().for_each(|id| *histogram.entry(all.as_ref().and_then(|all| all.get(&id)).copied().unwrap_or(0)).or_insert(0) += 1);
            let of: Option<u64> = all.as_ref().map(|all| all.iter().filter(|(id, _)| a.contains(**id)).map(|c| c.1).sum());
            let or_null = |number: Option<u64>| number.map_or("null".into(), |n| n.to_string());
            expected.push([
                a.len().to_string(), list((a & b).iter()), list((a | b).iter()), list((a - b).iter()),
                (a & b).len().to_string(), (a | b).len().to_string(), (a - b).len().to_string(),
                a.contains(7).to_string(), a.contains(u32::MAX).to_string(),
                or_null(all.as_ref().map(|all| all.values().sum())), or_null(of),
                sent.map_or(String::new(), |_| list(histogram.iter().map(|(m, u)| format!("{{messages: {m}, users: {u}}}")))),
            ].join(" ").trim_end().to_owned());
        }
        let context = session(&rows, layout, 1);
        let sql = "SELECT bitmap_count(a), bitmap_to_array(bitmap_and(a, b)), bitmap_to_array(bitmap_or(a, b)),
              bitmap_to_array(bitmap_andnot(a, b)), bitmap_and_count(a, b), bitmap_or_count(a, b), bitmap_andnot_count(a, b),
              bitmap_contains(a, 7), bitmap_contains(a, 4294967295),
              coalesce(CAST(counts_sum(messages) AS TEXT), 'null'),
              coalesce(CAST(counts_sum(counts_restrict(messages, a)) AS TEXT), 'null'),
              counts_histogram(messages, a)
            FROM (SELECT day, users AS b, messages, lag(users) OVER (ORDER BY day) AS a FROM activity) WHERE day > 0 ORDER BY day";
        prop_assert_eq!(cells(&context, sql), expected);
    }
}

#[test]
fn constants_and_empty_tables_work() {
    let context = session(&[], Layout::View, 4);
    let one = |sql: &str| cells(&context, sql).join("; ");
    let sql = "SELECT bitmap_union_count(users), bitmap_frequency(users), bitmap_union(users) IS NULL, counts_add(messages) IS NULL FROM activity";
    assert_eq!(one(sql), "0 [] true true");
    assert_eq!(
        one(
            "SELECT bitmap_count(NULL), bitmap_count(bitmap_from_array([5, 7, 7, NULL, 4294967295]))"
        ),
        "0 3"
    );
    assert_eq!(
        one(
            "SELECT bitmap_to_array(bitmap_and(bitmap_from_array([1, 2]), NULL)), bitmap_contains(NULL, 1)"
        ),
        "[] false"
    );
    assert_eq!(
        one(
            "SELECT bitmap_contains(bitmap_from_array([1]), -1), bitmap_contains(bitmap_from_array([1]), NULL) IS NULL"
        ),
        "false true"
    );
    assert_eq!(
        one("SELECT bitmap_from_array(NULL) IS NULL, counts_sum(NULL) IS NULL"),
        "true true"
    );
    assert_eq!(
        one("SELECT bitmap_rolling_count(users, 3) OVER (ORDER BY day) FROM activity"),
        ""
    );
}

#[test]
fn the_first_day_of_a_period() {
    let sql = "SELECT period_start(DATE '2016-02-29', 'day'), period_start(DATE '2016-02-29', 'week'),
                 period_start(DATE '2016-02-28', 'week'), period_start(DATE '2016-02-29', 'month'),
                 period_start(DATE '2016-08-31', 'quarter'), period_start(DATE '2016-02-29', 'year'),
                 period_start(NULL, 'day') IS NULL";
    let context = session(&[], Layout::View, 1);
    let answer = "2016-02-29 2016-02-29 2016-02-22 2016-02-01 2016-07-01 2016-01-01 true";
    assert_eq!(cells(&context, sql).join("; "), answer);
    register(&context, Weekday::Sun);
    assert_eq!(
        cells(&context, "SELECT period_start(DATE '2016-02-29', 'week')").join(""),
        "2016-02-28"
    );
    let error = ask(&context, "SELECT period_start(DATE '2016-02-29', 'decade')").unwrap_err();
    assert!(error.contains("`decade` is no period"), "{error}");
}

#[test]
fn what_can_not_be_is_said() {
    let row = |day| Row {
        server: 0,
        day,
        users: Some([1].into_iter().collect()),
        messages: None,
    };
    let context = session(&[row(0), row(1)], Layout::View, 4);
    for (sql, said) in [
        (
            "SELECT bitmap_rolling_count(users, 0) OVER (ORDER BY day) FROM activity",
            "a width of 0 rows",
        ),
        (
            "SELECT bitmap_rolling_union(users, -3) OVER (ORDER BY day) FROM activity",
            "a width of -3 rows",
        ),
        (
            "SELECT bitmap_rolling_union(users, NULL) OVER (ORDER BY day) FROM activity",
            "the width is NULL",
        ),
        (
            "SELECT bitmap_rolling_union(users, day + 1) OVER (ORDER BY day) FROM activity",
            "differs from row to row",
        ),
        (
            "SELECT bitmap_count(x'0102') FROM activity",
            "bitmap_count: not a Roaring bitmap",
        ),
        (
            "SELECT bitmap_and(users, x'3a300000') FROM activity",
            "bitmap_and: not a Roaring bitmap",
        ),
        (
            "SELECT bitmap_union(CASE WHEN day = 1 THEN x'00' ELSE users END) FROM activity",
            "bitmap_union: not a Roaring bitmap",
        ),
        (
            "SELECT server, bitmap_frequency(x'00') FROM activity GROUP BY server",
            "bitmap_frequency: not a Roaring bitmap",
        ),
        (
            "SELECT counts_add([x'00']) FROM activity",
            "counts_add: not a Roaring bitmap",
        ),
        (
            "SELECT bitmap_carry(x'00', users) OVER (ORDER BY day) FROM activity",
            "bitmap_carry: not a Roaring bitmap",
        ),
        (
            "SELECT bitmap_carry(users, x'00') OVER (ORDER BY day) FROM activity",
            "bitmap_carry: not a Roaring bitmap",
        ),
        ("SELECT bitmap_from_array([-1])", "-1 is no id"),
        (
            "SELECT bitmap_count(day) FROM activity",
            "bitmap_count takes (BINARY), not (Int64)",
        ),
        (
            "SELECT bitmap_union(DISTINCT users), bitmap_frequency(users) FROM activity",
            "bitmap_union has no DISTINCT",
        ),
        (
            "SELECT bitmap_union(users) OVER (ORDER BY day ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM activity",
            "retract",
        ),
    ] {
        let error = ask(&context, sql).unwrap_err();
        assert!(
            error.to_lowercase().contains(&said.to_lowercase()),
            "{sql}: {error}"
        );
    }
}

#[test]
fn an_empty_frame_gives_what_no_bitmap_gives() {
    let row = Row {
        server: 0,
        day: 0,
        users: Some([1].into_iter().collect()),
        messages: None,
    };
    let context = session(&[row], Layout::View, 1);
    let over = "OVER (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)";
    let sql = format!(
        "SELECT bitmap_union_count(users) {over}, bitmap_frequency(users) {over},
           bitmap_union(users) {over} IS NULL FROM activity"
    );
    assert_eq!(cells(&context, &sql).join(""), "0 [] true");
}

#[test]
fn lists_of_ids_come_back() {
    let ids: BTreeSet<i64> = (0..2000).map(|i| i * 37 % 70_001).collect();
    let context = session(&[], Layout::View, 1);
    let sql = format!(
        "SELECT bitmap_to_array(bitmap_from_array({}))",
        list(ids.iter().rev())
    );
    assert_eq!(cells(&context, &sql).join(""), list(&ids));
}
