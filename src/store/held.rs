//! What loads hold: their platforms, their days, and the figures that two of them state both.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use datafusion::common::JoinType;
use datafusion::prelude::{DataFrame, Expr, SessionContext, cast, col, lit};
use roaring::RoaringBitmap;

use super::{Store, StoreError};
use crate::calendar::{self, Day};
use crate::schema::Grain;

/// Days by platform and server; a day is its `Date32` as an unsigned number.
pub type Days = BTreeMap<(String, String), RoaringBitmap>;

/// A figure that two loads state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The load that stated it before.
    pub load: String,
    /// Whose.
    pub platform: String,
    /// Which.
    pub metric: String,
    /// Of when.
    pub day: Day,
}

impl Store {
    /// The platforms that each live load names.
    pub async fn platforms(&self) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
        let mut platforms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let live: BTreeSet<&str> = self.loads().live().map(|l| l.load.as_str()).collect();
        let tables: BTreeSet<_> = self.loads().live().map(|l| l.grain.table()).collect();
        for table in tables {
            let rows = self.all_rows(table).await?;
            let rows = rows.select_columns(&["load", "platform"])?.distinct()?;
            // What does not count is dropped here: a thousand names in a filter take longer to plan
            // than their rows to read.
            for batch in texts(rows, 2).await? {
                let counting = pairs(&batch).filter(|[load, _]| live.contains(load.as_str()));
                for [load, platform] in counting {
                    platforms.entry(load).or_default().insert(platform);
                }
            }
        }
        Ok(platforms)
    }

    /// The platforms that have figures which were made up: those of live loads whose files say so.
    pub async fn synthetic(&self) -> Result<Vec<String>, StoreError> {
        let made_up = |l: &&super::Load| !l.synthetic.is_empty();
        let loads: BTreeSet<&str> = self
            .loads()
            .live()
            .filter(made_up)
            .map(|l| l.load.as_str())
            .collect();
        if loads.is_empty() {
            return Ok(Vec::new());
        }
        let platforms = self.platforms().await?.into_iter();
        let named = platforms.filter(|(load, _)| loads.contains(load.as_str()));
        let names: BTreeSet<String> = named.flat_map(|(_, names)| names).collect();
        Ok(names.into_iter().collect())
    }

    /// The days that one load has figures of, by platform and server.
    pub async fn days(&self, grain: Grain, load: &str) -> Result<Days, StoreError> {
        let (server, day) = match grain {
            Grain::Disclosures => (lit(""), col("as_of")),
            Grain::Usage | Grain::Activity | Grain::Signups => (col("server"), col("day")),
        };
        let rows = self.rows(grain, &[load]).await?.select(vec![
            text("platform"),
            cast(server, DataType::Utf8).alias("server"),
            day.alias("day"),
        ])?;
        let mut held = Days::new();
        for batch in rows.distinct()?.collect().await? {
            let platforms = batch.column(0).as_string::<i32>();
            let servers = batch.column(1).as_string::<i32>();
            let days = batch.column(2).as_primitive::<Date32Type>();
            for row in 0..batch.num_rows() {
                let of = (
                    platforms.value(row).to_owned(),
                    servers.value(row).to_owned(),
                );
                held.entry(of).or_default().insert(days.value(row) as u32);
            }
        }
        Ok(held)
    }

    /// The figures of some loads that are of no dimension, by day and metric.
    pub async fn figures(
        &self,
        loads: &[&str],
    ) -> Result<BTreeMap<(Day, String), i64>, StoreError> {
        let rows = self.rows(Grain::Usage, loads).await?;
        let whole = rows.filter(text("dimension").eq(lit("")))?;
        let rows = whole.select(vec![text("metric"), col("day"), col("value")])?;
        let mut figures = BTreeMap::new();
        for batch in rows.collect().await? {
            let metrics = batch.column(0).as_string::<i32>();
            let days = batch.column(1).as_primitive::<Date32Type>();
            let values = batch.column(2).as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let day = calendar::from_date32(days.value(row));
                figures.insert((day, metrics.value(row).to_owned()), values.value(row));
            }
        }
        Ok(figures)
    }

    /// How many figures `load`, whose rows are committed though not yet live, states that one of
    /// `others` has stated, and the first of them.
    pub async fn clashes(
        &self,
        load: &str,
        others: &[&str],
    ) -> Result<(usize, Option<Clash>), StoreError> {
        const KEY: [&str; 6] = [
            "platform",
            "server",
            "day",
            "metric",
            "dimension",
            "dimension_value",
        ];
        let renamed: Vec<Expr> = KEY
            .iter()
            .chain(&["at", "kind"])
            .map(|k| col(*k).alias(format!("new_{k}")))
            .collect();
        let new = self.rows(Grain::Usage, &[load]).await?.select(renamed)?;
        let held = self.rows(Grain::Usage, others).await?;
        let same = KEY.iter().map(|k| col(*k).eq(col(format!("new_{k}"))));
        // Two moments of a day are two readings; a figure of the whole day says what they said, and a
        // count since the beginning what a count of the day said.
        let together = col("at")
            .eq(col("new_at"))
            .or(col("at").is_null())
            .or(col("new_at").is_null())
            .or(col("kind").not_eq(col("new_kind")));
        let same = same.chain([together]);
        let both = held.join_on(new, JoinType::LeftSemi, same)?;
        let count = both.clone().count().await?;
        let first = both
            .select(vec![
                text("load"),
                text("platform"),
                text("metric"),
                col("day"),
            ])?
            .sort(
                ["day", "platform", "metric", "load"]
                    .iter()
                    .map(|c| col(*c).sort(true, false))
                    .collect(),
            )?
            .limit(0, Some(1))?;
        let first = first
            .collect()
            .await?
            .iter()
            .find(|b| b.num_rows() > 0)
            .map(|batch| {
                let text = |i: usize| batch.column(i).as_string::<i32>().value(0).to_owned();
                Clash {
                    load: text(0),
                    platform: text(1),
                    metric: text(2),
                    day: calendar::from_date32(
                        batch.column(3).as_primitive::<Date32Type>().value(0),
                    ),
                }
            });
        Ok((count, first))
    }

    async fn all_rows(&self, table: &'static str) -> Result<DataFrame, StoreError> {
        let provider = self.table(table)?.table_provider().await?;
        Ok(SessionContext::new().read_table(provider)?)
    }

    async fn rows(&self, grain: Grain, loads: &[&str]) -> Result<DataFrame, StoreError> {
        let frame = self.all_rows(grain.table()).await?;
        let named = match loads {
            [] => lit(false),
            loads => text("load").in_list(loads.iter().map(|l| lit(*l)).collect(), false),
        };
        Ok(frame.filter(named)?)
    }
}

/// A text column as plain text, however the reader holds it.
fn text(column: &str) -> Expr {
    cast(col(column), DataType::Utf8).alias(column)
}

async fn texts(frame: DataFrame, columns: usize) -> Result<Vec<RecordBatch>, StoreError> {
    let names: Vec<String> = frame
        .schema()
        .fields()
        .iter()
        .take(columns)
        .map(|f| f.name().clone())
        .collect();
    Ok(frame
        .select(names.iter().map(|n| text(n)).collect::<Vec<_>>())?
        .collect()
        .await?)
}

fn pairs(batch: &RecordBatch) -> impl Iterator<Item = [String; 2]> + '_ {
    let (first, second) = (
        batch.column(0).as_string::<i32>(),
        batch.column(1).as_string::<i32>(),
    );
    (0..batch.num_rows()).map(|i| [first.value(i).to_owned(), second.value(i).to_owned()])
}
