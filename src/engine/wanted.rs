//! Which tables and views one query comes to name.

use std::collections::BTreeSet;

use datafusion::sql::parser::DFParser;
use datafusion::sql::resolve::resolve_table_references;

use crate::query::library::views;

/// The names that a session needs; all of them where that can't be told.
pub(super) struct Wanted(Option<BTreeSet<String>>);

impl Wanted {
    /// What a query names, and what the views that it names do.
    pub(super) fn by(asked: Option<&str>) -> Self {
        Wanted(asked.and_then(named_by))
    }

    /// Whether a table or view is needed.
    pub(super) fn table(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }
}

/// None for what does not parse, or asks of the session itself.
fn named_by(sql: &str) -> Option<BTreeSet<String>> {
    let views = views();
    let (mut names, mut open) = (BTreeSet::new(), vec![sql]);
    while let Some(sql) = open.pop() {
        for statement in DFParser::parse_sql(sql).ok()? {
            let (tables, _) = resolve_table_references(&statement, true).ok()?;
            for table in tables {
                if table.schema().is_some_and(|s| s == "information_schema") {
                    return None;
                }
                let name = table.table().to_owned();
                let view = views.iter().find(|v| v.name == name);
                if names.insert(name) {
                    open.extend(view.map(|v| v.sql.as_str()));
                }
            }
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_wants_what_its_views_want() {
        let wanted = Wanted::by(Some("WITH loads AS (SELECT 1) SELECT * FROM known, loads"));
        for name in ["known", "platform_days", "daily", "usage", "statements"] {
            assert!(wanted.table(name), "{name}");
        }
        assert!(!wanted.table("rejects"));
        assert!(Wanted::by(Some("SELECT * FROM information_schema.tables")).table("rejects"));
        assert!(Wanted::by(None).table("rejects"));
        assert!(!Wanted::by(Some("SELECT 1")).table("usage"));
    }
}
