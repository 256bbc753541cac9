//! Which column of a file is what.

use std::collections::HashMap;
use std::sync::Arc;

use super::Options;
use super::error::{IngestError, plural};
use super::guard;
use super::reject::Reason;
use crate::metric::{self, Kind, METRICS};
use crate::schema::Grain;

/// What a column gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// Nothing that is taken.
    Ignored,
    Day,
    Platform,
    Server,
    Metric,
    Value,
    Dimension,
    DimensionValue,
    /// The figures of one metric, by its place in [`METRICS`].
    Measure(u8),
    Unit,
    AsOf,
    Precision,
    Status,
    Qualifier,
    Definition,
    Published,
    SourceTitle,
    SourceUrl,
    User,
    /// When a message was sent: with no count beside it, a row is one message.
    Moment,
    Messages,
    /// The values of a declared dimension, by its place in essor.toml.
    Split(u8),
}

const PEOPLE: &[(&str, Role)] = &[
    ("platform", Role::Platform),
    ("server", Role::Server),
    ("user", Role::User),
    ("user_id", Role::User),
    ("day", Role::Day),
    ("date", Role::Day),
    ("timestamp", Role::Moment),
    ("time", Role::Moment),
];

/// What says, by its name, that a file is one of signups.
const SIGNUPS: &[&str] = &[
    "signup",
    "signup_day",
    "signup_date",
    "signed_up",
    "signed_up_at",
    "registered_at",
    "created_at",
    "joined_at",
];

const SHARED: &[(&str, Role)] = &[
    ("platform", Role::Platform),
    ("metric", Role::Metric),
    ("value", Role::Value),
];

const USAGE: &[(&str, Role)] = &[
    ("date", Role::Day),
    ("day", Role::Day),
    ("timestamp", Role::Day),
    ("time", Role::Day),
    ("server", Role::Server),
    ("dimension", Role::Dimension),
    ("dimension_value", Role::DimensionValue),
];

const DISCLOSURES: &[(&str, Role)] = &[
    ("unit", Role::Unit),
    ("as_of", Role::AsOf),
    ("precision", Role::Precision),
    ("status", Role::Status),
    ("qualifier", Role::Qualifier),
    ("definition", Role::Definition),
    ("published", Role::Published),
    ("source_title", Role::SourceTitle),
    ("source_url", Role::SourceUrl),
];

/// How a file lays out its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A column a metric.
    Wide,
    /// A row a figure: `metric` and `value`.
    Long,
}

/// How alike two names are; one slip of the finger counts as near even in a short name.
fn likeness(name: &str, wanted: &str) -> f64 {
    let slip = if strsim::damerau_levenshtein(name, wanted) == 1 {
        0.9
    } else {
        0.0
    };
    strsim::jaro_winkler(name, wanted).max(slip)
}

/// What a file gives and how, decided once from its first columns.
#[derive(Debug)]
pub(super) struct Layout {
    file: String,
    pub grain: Grain,
    pub shape: Shape,
    /// What the file's names stand for, by their folded form; `None` for those left out.
    declared: HashMap<String, Option<String>>,
    day: Option<String>,
    /// The dimensions that essor.toml declares.
    dimensions: Vec<String>,
    /// Whether each row is one message, whatever the column of the day is called.
    messages: bool,
    /// Whether a metric is given as a count since the beginning, by its place in [`METRICS`].
    pub cumulative: Vec<bool>,
}

/// A column's name as it is compared: trimmed, in lower case, words joined by `_`.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

fn place(metric: &metric::Metric) -> usize {
    METRICS
        .iter()
        .position(|m| m.name == metric.name)
        .unwrap_or_default()
}

/// How many columns are taken for a table: the widest that is known here has a few hundred.
const MOST: usize = 10_000;

impl Layout {
    /// Decides what a file with these columns gives.
    pub(super) fn decide(
        file: &str,
        names: &[Arc<str>],
        options: &Options,
    ) -> Result<Self, IngestError> {
        if names.len() > MOST {
            return Err(IngestError::Header {
                name: file.to_owned(),
                detail: format!(
                    "it names more than {MOST} columns; give the table with the columns that count"
                ),
            });
        }
        let source = &options.source;
        let mut declared: HashMap<String, Option<String>> = source
            .columns
            .iter()
            .map(|(theirs, ours)| (plain(theirs), Some(plain(ours))))
            .collect();
        declared.extend(source.ignore.iter().map(|name| (plain(name), None)));
        let meant = |name: &str| {
            declared
                .get(&plain(name))
                .cloned()
                .unwrap_or_else(|| Some(plain(name)))
        };
        let has = |wanted: &str| {
            names
                .iter()
                .any(|name| meant(name).as_deref() == Some(wanted))
        };
        let long = (has("metric") || source.metric.is_some()) && has("value");
        let people = !long && (has("user") || has("user_id"));
        let grain = match source.grain {
            Some(grain) => grain,
            None if long && has("as_of") => Grain::Disclosures,
            None if people && SIGNUPS.iter().any(|name| has(name)) => Grain::Signups,
            None if people => Grain::Activity,
            None => Grain::Usage,
        };
        let mut layout = Layout {
            file: file.to_owned(),
            grain,
            shape: if long { Shape::Long } else { Shape::Wide },
            declared,
            day: source.day.as_deref().map(plain),
            dimensions: options.dimensions.iter().map(|d| plain(d)).collect(),
            messages: source.rows == Some(crate::project::Rows::Messages),
            cumulative: vec![false; METRICS.len()],
        };
        layout.check_mapping(options)?;
        layout.check_said(names, options)?;
        layout.check_cumulative(names, options)?;
        Ok(layout)
    }

    /// What essor.toml says of every row must be something that rows may say, and that they do not say themselves.
    fn check_said(&self, names: &[Arc<str>], options: &Options) -> Result<(), IngestError> {
        let source = &options.source;
        let wrong = |key, value: &str, detail: String| {
            Err(IngestError::Declared {
                name: self.file.clone(),
                key,
                value: format!("\"{value}\""),
                detail,
            })
        };
        let said = [
            ("metric", &source.metric),
            ("dimension", &source.dimension),
            ("status", &source.status),
        ];
        for (key, value) in said {
            let Some(value) = value else { continue };
            if self.grain.of_people() {
                return wrong(key, value, "a file of people has none".to_owned());
            }
            let column = names
                .iter()
                .any(|n| self.meaning(n).as_deref() == Some(key));
            if column && self.known(key).is_some() {
                return wrong(
                    key,
                    value,
                    format!("it has a `{key}` column that says it row by row"),
                );
            }
        }
        if let Some(name) = &source.metric {
            if let Err(unknown) = metric::find(name) {
                return wrong("metric", name, unknown.to_string());
            }
            if self.shape != Shape::Long {
                let detail = "it needs the column that holds the figures, `columns = { \"THEIRS\" = \"value\" }`";
                return wrong("metric", name, detail.to_owned());
            }
        }
        match (&source.status, &source.dimension, self.grain) {
            (Some(status), _, Grain::Usage) => wrong(
                "status",
                status,
                "usage has none: all of it is reported".to_owned(),
            ),
            (Some(status), ..) if !super::clean_disclosures::STATUS.contains(&status.as_str()) => {
                wrong("status", status, Reason::Status.text().into_owned())
            }
            (_, Some(dimension), Grain::Disclosures) => {
                wrong("dimension", dimension, "statements have none".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// A mapping must lead to a name known here.
    fn check_mapping(&self, options: &Options) -> Result<(), IngestError> {
        for (theirs, ours) in &options.source.columns {
            if self.known(&plain(ours)).is_none() {
                let near = self
                    .nearest(&plain(ours))
                    .map(|n| format!("; did you mean `{n}`?"))
                    .unwrap_or_default();
                return Err(IngestError::Declared {
                    name: self.file.clone(),
                    key: "columns",
                    value: format!("{{ \"{theirs}\" = \"{ours}\" }}"),
                    detail: format!("`{ours}` is not a metric or a column known here{near}"),
                });
            }
        }
        Ok(())
    }

    /// Cumulative columns must be there and hold what can be cumulative.
    fn check_cumulative(
        &mut self,
        names: &[Arc<str>],
        options: &Options,
    ) -> Result<(), IngestError> {
        for given in &options.source.cumulative {
            let wrong = |detail: &str| IngestError::Declared {
                name: self.file.clone(),
                key: "cumulative",
                value: format!("[\"{given}\"]"),
                detail: detail.to_owned(),
            };
            let column = names.iter().any(|name| plain(name) == plain(given));
            let metric = if column {
                self.meaning(given)
            } else {
                Some(plain(given))
            };
            let metric = metric.and_then(|m| metric::find(&m).ok());
            let Some(metric) = metric.filter(|_| column || self.shape == Shape::Long) else {
                return Err(wrong(
                    "it has no such column of figures; name a column of the file, or a metric where the file has a `metric` column",
                ));
            };
            match metric.kind {
                Kind::Flow => self.cumulative[place(metric)] = true,
                Kind::Level => {}
                Kind::Distinct | Kind::Window => {
                    return Err(wrong(
                        "what is counted within a window (users counted once, totals of a week) can't be cumulative; take it out",
                    ));
                }
            }
        }
        Ok(())
    }

    /// What a file's name stands for: ours, or nothing for one left out.
    fn meaning(&self, name: &str) -> Option<String> {
        self.declared
            .get(&plain(name))
            .cloned()
            .unwrap_or_else(|| Some(plain(name)))
    }

    /// The role of one of our names.
    fn known(&self, ours: &str) -> Option<Role> {
        if self.grain.of_people() {
            return self.of_people(ours);
        }
        let own = if self.grain == Grain::Usage {
            USAGE
        } else {
            DISCLOSURES
        };
        let structural = SHARED
            .iter()
            .chain(own)
            .find(|(name, _)| *name == ours)
            .map(|(_, role)| *role);
        let long = self.shape == Shape::Long;
        match structural {
            Some(Role::Metric | Role::Value) if !long && self.grain == Grain::Usage => None,
            Some(role) => Some(role),
            None if long || self.grain == Grain::Disclosures => None,
            None => metric::find(ours)
                .ok()
                .and_then(|m| u8::try_from(place(m)).ok())
                .map(Role::Measure),
        }
    }

    fn of_people(&self, ours: &str) -> Option<Role> {
        let found = PEOPLE.iter().find(|(name, _)| *name == ours);
        let signups = self.grain == Grain::Signups;
        match found.map(|(_, role)| *role) {
            // A signup falls on a day, however finely it is told.
            Some(Role::Moment) if signups => Some(Role::Day),
            Some(role) => Some(role),
            None if signups => SIGNUPS.contains(&ours).then_some(Role::Day),
            None if ours == "messages" => Some(Role::Messages),
            None => {
                let place = self.dimensions.iter().position(|d| d == ours)?;
                u8::try_from(place).ok().map(Role::Split)
            }
        }
    }

    /// The role of a column, by the file's name.
    pub(super) fn role(&self, name: &str) -> Result<Role, IngestError> {
        let Some(ours) = self.meaning(name) else {
            return Ok(Role::Ignored);
        };
        if let Some(day) = &self.day
            && self.grain != Grain::Disclosures
        {
            let when = match self.messages {
                true => Role::Moment,
                false => Role::Day,
            };
            if *day == plain(name) {
                return Ok(when);
            }
            if self.grain.of_people() {
                let other = self.known(&ours);
                return match other.filter(|r| !matches!(r, Role::Day | Role::Moment)) {
                    Some(role) => self.guarded(name, role),
                    None => self.guarded(name, Role::Ignored),
                };
            }
            // With the day column named, another `date` or `time` is a column like any other.
            if self.known(&ours) == Some(Role::Day) && *day != ours {
                return Err(self.unknown(name, &ours));
            }
        }
        match self.known(&ours) {
            Some(Role::Day) if self.messages => Ok(Role::Moment),
            Some(role) => self.guarded(name, role),
            // Exports of people hold much that is none of ours: what is not asked for is not taken.
            None if self.grain.of_people() => self.guarded(name, Role::Ignored),
            None => Err(self.unknown(name, &ours)),
        }
    }

    /// A role, unless the column looks like content or identity and is not taken for a user's id. The values of
    /// a dimension are kept as they are.
    fn guarded(&self, name: &str, role: Role) -> Result<Role, IngestError> {
        let kept = matches!(role, Role::Ignored | Role::Split(_));
        match kept && self.grain.of_people() && guard::suspicious(name) {
            true => Err(self.suspicious(name)),
            false => Ok(role),
        }
    }

    fn suspicious(&self, name: &str) -> IngestError {
        IngestError::Suspicious {
            name: self.file.clone(),
            column: name.to_owned(),
        }
    }

    /// The columns of a file of people that are not taken though nothing says so.
    pub(super) fn passed_over(&self, names: &[Arc<str>]) -> Vec<String> {
        let ignored = |name: &&Arc<str>| {
            self.meaning(name).is_some() && self.role(name).is_ok_and(|r| r == Role::Ignored)
        };
        match self.grain.of_people() {
            true => names
                .iter()
                .filter(ignored)
                .map(|n| n.to_string())
                .collect(),
            false => Vec::new(),
        }
    }

    /// What a column gives, in our own words; nothing for one that is not taken.
    pub(super) fn gives(&self, name: &str) -> Result<Option<String>, IngestError> {
        let day = || Some("day".to_owned());
        Ok(match self.role(name)? {
            Role::Ignored => None,
            Role::Day | Role::Moment if self.day.as_deref() == Some(&plain(name)) => day(),
            Role::Measure(metric) => METRICS.get(usize::from(metric)).map(|m| m.name.to_owned()),
            _ => self.meaning(name),
        })
    }

    fn unknown(&self, name: &str, ours: &str) -> IngestError {
        let near = self.nearest(ours).map(str::to_owned);
        if near.is_none() && self.grain == Grain::Usage && guard::suspicious(name) {
            return self.suspicious(name);
        }
        IngestError::UnknownColumn {
            name: self.file.clone(),
            column: name.to_owned(),
            near,
        }
    }

    /// The known name that is most like a given one.
    fn nearest(&self, wanted: &str) -> Option<&'static str> {
        let own = match self.grain {
            Grain::Usage => USAGE,
            Grain::Disclosures => DISCLOSURES,
            Grain::Activity | Grain::Signups => PEOPLE,
        };
        let wide = self.grain == Grain::Usage && self.shape == Shape::Wide;
        let metrics = METRICS
            .iter()
            .filter(|_| wide)
            .flat_map(|m| std::iter::once(m.name).chain(m.aliases.iter().copied()));
        SHARED
            .iter()
            .chain(own)
            .map(|(name, _)| *name)
            .chain(metrics)
            .map(|name| (likeness(name, wanted), name))
            .filter(|(likeness, name)| *likeness > 0.86 && *name != wanted)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name)
    }

    /// Where each role stands among these columns.
    pub(super) fn slots(&self, names: &[Arc<str>]) -> Result<Slots, IngestError> {
        let mut slots = Slots {
            names: names.to_vec(),
            ..Slots::default()
        };
        for (column, name) in names.iter().enumerate() {
            let role = self.role(name)?;
            if role == Role::Ignored {
                continue;
            }
            if let Some(first) = slots.of.insert(role, column) {
                return Err(self.twice(&names[first], name, role));
            }
            if let Role::Measure(metric) = role {
                slots.measures.push((column, metric));
            }
        }
        Ok(slots)
    }

    /// The error of two columns that give the same.
    pub(super) fn twice(&self, first: &str, second: &str, role: Role) -> IngestError {
        let meaning = match role {
            Role::Measure(metric) => METRICS[usize::from(metric)].name.to_owned(),
            Role::Day => "the day".to_owned(),
            _ => self.meaning(first).unwrap_or_default(),
        };
        IngestError::TwoColumns {
            name: self.file.clone(),
            first: first.to_owned(),
            second: second.to_owned(),
            meaning,
        }
    }

    /// The columns that no file of the grain can do without.
    pub(super) fn require(&self, slots: &Slots, options: &Options) -> Result<(), IngestError> {
        let missing = |column, advice: &str| {
            Err(IngestError::MissingColumn {
                name: self.file.clone(),
                column,
                grain: plural(self.grain),
                advice: advice.to_owned(),
            })
        };
        if !slots.has(Role::Platform) && options.source.platform.is_none() {
            return missing(
                "platform",
                "declare it in essor.toml, below the file's [[source]], with `platform = \"NAME\"`",
            );
        }
        if self.grain.of_people() {
            if !slots.has(Role::User) {
                return missing(
                    "user",
                    "name the one that holds the user's id in essor.toml with `columns = { \"THEIRS\" = \"user\" }`",
                );
            }
            if slots.has(Role::Day) && slots.has(Role::Moment) {
                return Err(IngestError::TwoColumns {
                    name: self.file.clone(),
                    first: slots.name(Role::Day).to_string(),
                    second: slots.name(Role::Moment).to_string(),
                    meaning: "the day".to_owned(),
                });
            }
            if !slots.has(Role::Day) && !slots.has(Role::Moment) {
                return missing(
                    "day",
                    "name the column that holds it in essor.toml with `day = \"COLUMN\"`, or with `columns = { \"THEIRS\" = \"timestamp\" }` where each row is a message",
                );
            }
            return Ok(());
        }
        if self.grain == Grain::Disclosures {
            for (column, role) in [
                ("metric", Role::Metric),
                ("value", Role::Value),
                ("as_of", Role::AsOf),
            ] {
                let said = role == Role::Metric && options.source.metric.is_some();
                if !slots.has(role) && !said {
                    return missing(
                        column,
                        "add it, or map one in essor.toml with `columns = { \"THEIRS\" = \"OURS\" }`",
                    );
                }
            }
            return Ok(());
        }
        if !slots.has(Role::Day) {
            return missing(
                "date",
                "name the column that holds the day in essor.toml with `day = \"COLUMN\"`",
            );
        }
        if self.shape == Shape::Wide && slots.measures.is_empty() {
            return missing(
                "metric",
                "add a column named as a metric (`essor explain` lists them), or map one with `columns = { \"THEIRS\" = \"messages_sent\" }`",
            );
        }
        Ok(())
    }
}

/// Where each role stands among a table's columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    of: HashMap<Role, usize>,
    /// The columns of figures of a wide file, each with its metric.
    pub measures: Vec<(usize, u8)>,
    names: Vec<Arc<str>>,
}

impl Slots {
    pub(super) fn has(&self, role: Role) -> bool {
        self.of.contains_key(&role)
    }

    pub(super) fn column(&self, role: Role) -> Option<usize> {
        self.of.get(&role).copied()
    }

    /// The file's name for the column of a role; empty where there is none.
    pub(super) fn name(&self, role: Role) -> Arc<str> {
        self.column(role)
            .map_or_else(|| Arc::from(""), |column| self.names[column].clone())
    }
}
