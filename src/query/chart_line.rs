//! The `chart` line of a header: which kind of chart, of which columns.

use std::collections::BTreeMap;

/// How the query's rows are drawn: a kind and its `key=value` settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChartLine {
    /// One of the names in `KINDS`.
    pub kind: String,
    /// `x`, `y`, `series`, `mark`, `label`, `note`, `overlay`, `scale`, ...
    pub settings: BTreeMap<String, String>,
}

/// A kind of chart: the settings that it needs and those that it takes besides.
struct Kind {
    name: &'static str,
    needs: &'static [&'static str],
    takes: &'static [&'static str],
}

const KINDS: [Kind; 7] = [
    Kind {
        name: "line",
        needs: &["x", "y"],
        takes: &[
            "series",
            "mark",
            "label",
            "note",
            "scale",
            "x_title",
            "y_unit",
            "titles",
            "reference",
            "rule",
            "rule_title",
            "weight",
        ],
    },
    Kind {
        name: "curve",
        needs: &["x", "y"],
        takes: &[
            "series",
            "mark",
            "label",
            "note",
            "x_title",
            "y_unit",
            "titles",
            "rule",
            "rule_title",
            "weight",
        ],
    },
    Kind {
        name: "bars",
        needs: &["x", "y"],
        takes: &["series", "mark", "label", "note", "x_title", "y_unit"],
    },
    Kind {
        name: "columns",
        needs: &["x", "y"],
        takes: &[
            "series",
            "mark",
            "label",
            "note",
            "overlay",
            "overlay_title",
            "x_title",
            "y_unit",
            "rule",
            "rule_title",
        ],
    },
    Kind {
        name: "histogram",
        needs: &["x", "y"],
        takes: &["series", "mark", "share", "x_title", "y_unit"],
    },
    Kind {
        name: "stacked",
        needs: &["x", "up"],
        takes: &[
            "down", "total", "net", "series", "mark", "titles", "x_title", "y_unit",
        ],
    },
    Kind {
        name: "heat",
        needs: &["x", "y", "value"],
        takes: &["count", "mark", "series", "x_title", "y_title", "y_unit"],
    },
];

/// The settings that name columns.
const COLUMNS: [&str; 15] = [
    "x", "y", "series", "mark", "label", "note", "overlay", "share", "up", "down", "total", "net",
    "value", "count", "weight",
];

/// The settings that are numbers.
const NUMBERS: [&str; 2] = ["reference", "rule"];

impl ChartLine {
    /// Reads what stands behind `chart:`; `none` is no chart.
    pub(super) fn parse(value: &str) -> Result<Option<Self>, String> {
        let mut words = quoted_words(value).into_iter();
        let name = words.next().unwrap_or_default();
        if matches!(name.as_str(), "none" | "") {
            return Ok(None);
        }
        let kind = KINDS.iter().find(|k| k.name == name).ok_or_else(|| {
            let names: Vec<&str> = KINDS.iter().map(|k| k.name).collect();
            format!(
                "has the unknown chart kind `{name}`; the kinds are {}",
                names.join(", ")
            )
        })?;
        let mut settings = BTreeMap::new();
        for word in words {
            let (key, setting) = word
                .split_once('=')
                .ok_or(format!("has `{word}`, which is not `key=value`"))?;
            kind.check(key, setting)?;
            if settings
                .insert(key.to_owned(), setting.to_owned())
                .is_some()
            {
                return Err(format!("gives `{key}` twice"));
            }
        }
        if let Some(missing) = kind.needs.iter().find(|key| !settings.contains_key(**key)) {
            return Err(format!(
                "lacks `{missing}=`, which the chart kind `{name}` needs"
            ));
        }
        Ok(Some(Self {
            kind: name,
            settings,
        }))
    }

    /// The columns that a setting names, in order; `up`, `down` and the `y` of lines may name several.
    pub fn columns(&self, key: &str) -> impl Iterator<Item = &str> {
        let named = self.settings.get(key).map_or("", String::as_str);
        let several = matches!(key, "up" | "down") || key == "y" && self.kind == "line";
        named
            .split(move |c| several && c == ',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }

    /// Every column that is named.
    pub(super) fn all_columns(&self) -> impl Iterator<Item = &str> {
        COLUMNS.iter().flat_map(|key| self.columns(key))
    }
}

impl Kind {
    fn check(&self, key: &str, value: &str) -> Result<(), String> {
        if !self.needs.contains(&key) && !self.takes.contains(&key) {
            let known: Vec<&str> = self.needs.iter().chain(self.takes).copied().collect();
            return Err(format!(
                "has the setting `{key}`, which the chart kind `{}` does not know; it knows {}",
                self.name,
                known.join(", ")
            ));
        }
        if NUMBERS.contains(&key) && !value.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(format!("has `{key}={value}`, which is not a number"));
        }
        if key == "scale" && !matches!(value, "log" | "linear") {
            return Err(format!(
                "has `scale={value}`; the scales are linear and log"
            ));
        }
        Ok(())
    }
}

/// Words split at spaces, where `key="two words"` is one word.
fn quoted_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' | '\'' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_columns_stack_and_several_lines_are_drawn() {
        let stacked = "stacked x=period up=retained,resurrected,new down=churned mark=mark";
        let line = ChartLine::parse(stacked).unwrap().unwrap();
        let up: Vec<&str> = line.columns("up").collect();
        assert_eq!(up, ["retained", "resurrected", "new"]);
        let all: Vec<&str> = line.all_columns().collect();
        assert_eq!(
            all,
            [
                "period",
                "mark",
                "retained",
                "resurrected",
                "new",
                "churned"
            ]
        );
        let lines = ChartLine::parse("line x=day y=dau,wau titles=\"daily,weekly\"");
        assert_eq!(lines.unwrap().unwrap().columns("y").count(), 2);
    }

    #[test]
    fn what_a_kind_does_not_know_is_named() {
        let error = |text: &str| ChartLine::parse(text).unwrap_err();
        assert!(error("heat x=age y=cohort value=rate colour=red").contains("`colour`"));
        assert!(error("heat x=age y=cohort").contains("`value=`"));
        assert!(error("pie x=a y=b").contains("histogram, stacked, heat"));
        assert!(error("line x=a y=b rule=one").contains("`rule=one`"));
        assert!(error("line x=a y=b scale=cubic").contains("`scale=cubic`"));
        assert!(error("line x=a x=b y=c").contains("`x` twice"));
        assert_eq!(ChartLine::parse("none"), Ok(None));
    }
}
