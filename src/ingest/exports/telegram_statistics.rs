//! Statistics of a Telegram channel or supergroup: a `StatsGraph` alone, or a whole answer of
//! `stats.getBroadcastStats` or `stats.getMegagroupStats`. Source: core.telegram.org/api/stats.
//!
//! A graph alone does not say what it shows. Its lines do where they are named in English (`Joined` and
//! `Left`, `Views` and `Shares`, `Total members`); else the file's name has to hold `growth`, `followers`,
//! `members`, `interactions` or `messages`. A graph that neither explains is refused. Of a whole answer the
//! fields' names say it.
//!
//! | graph | gives |
//! |---|---|
//! | growth | `registered_users`: members or followers of the channel, not users of Telegram |
//! | followers, members | `signups` (joined) and `departures` (left): told apart by name, or by green and red |
//! | interactions | `views` and `shares` of posts |
//! | messages | `messages_sent`: the sum of its kinds of messages |
//!
//! The others are left out: by hour or day of the week they are of no day, sources and languages are shares of
//! what other graphs give, and what `actions` counts differs between Telegram's descriptions of it. Figures of
//! a period beside the graphs are of no day either. As members of channels are not Telegram's users, the
//! platform is `Telegram channels`, and a server is a channel.

use serde_json::{Map, Value};

use super::documents::{Documents, NotJson};
use super::{Export, Head, Opening, Reader, Rows};
use crate::calendar::Day;
use crate::ingest::cell;
use crate::ingest::error::IngestError;
use crate::ingest::reject::Reason;
use crate::schema::Grain;

pub(super) static EXPORT: Export = Export {
    name: "telegram-statistics",
    title: TITLE,
    platform: "Telegram channels",
    family: "telegram-statistics",
    rank: 0,
    of_servers: false,
    gives: &[Grain::Usage],
    lacks_server: true,
    lacks_day: false,
    utc: true,
    messages: false,
    cumulative: &[],
    recognise,
    part: None,
    chat: None,
    private_name: false,
    open,
};

const TITLE: &str = "statistics of a Telegram channel or group";

/// What a graph shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    Growth,
    Followers,
    Interactions,
    Messages,
    /// What is known and not taken.
    Nothing,
}

/// What graphs are called: in an answer with `_graph` behind it, in a file's name without.
const SHOWN: [(&str, Shows); 17] = [
    ("growth", Shows::Growth),
    ("newfollowersbysource", Shows::Nothing),
    ("newmembersbysource", Shows::Nothing),
    ("followers", Shows::Followers),
    ("members", Shows::Followers),
    ("storyinteractions", Shows::Nothing),
    ("ivinteractions", Shows::Nothing),
    ("interactions", Shows::Interactions),
    ("messages", Shows::Messages),
    ("mute", Shows::Nothing),
    ("tophours", Shows::Nothing),
    ("weekdays", Shows::Nothing),
    ("viewsbysource", Shows::Nothing),
    ("languages", Shows::Nothing),
    ("reactionsbyemotion", Shows::Nothing),
    ("storyreactionsbyemotion", Shows::Nothing),
    ("actions", Shows::Nothing),
];

/// Names of the one line of a growth graph.
const LEVELS: [&str; 6] = [
    "totalmembers",
    "totalfollowers",
    "totalsubscribers",
    "members",
    "followers",
    "subscribers",
];

/// A name as libraries spell it, `followers_graph` or `followersGraph`, in one way.
fn folded(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn recognise(head: &Head) -> Option<String> {
    let keys = match head.object() {
        Some(object) => object.keys().cloned().collect(),
        None => head.keys(),
    };
    let has = |wanted: &str| keys.iter().any(|key| folded(key) == wanted);
    let text: String = head.text().chars().filter(|c| !c.is_whitespace()).collect();
    if has("columns") && has("types") && text.contains(r#"["x","#) {
        return Some("it has `columns` and `types`, and its first column is `x`".to_owned());
    }
    if has("json") && text.contains(r#"\"columns\":[[\"x\","#) {
        return Some(
            "its `json` holds a graph, with `columns` of which the first is `x`".to_owned(),
        );
    }
    let other = ["followersgraph", "membersgraph"];
    (has("growthgraph") && other.iter().any(|key| has(key)))
        .then(|| "it has a graph of growth and one of followers or members".to_owned())
}

fn open(opening: Opening) -> Result<Box<dyn Reader>, IngestError> {
    Ok(Box::new(Answers {
        name: opening.name.to_owned(),
        documents: Documents::open(opening)?,
    }))
}

struct Answers {
    name: String,
    documents: Documents,
}

impl Reader for Answers {
    fn read(&mut self, rows: &mut Rows) -> Result<bool, IngestError> {
        while let Some((line, document)) = self.documents.next()? {
            match document {
                Ok(Value::Object(answer)) => self.answer(line, &answer, rows)?,
                Ok(_) => rows.reject(line, "", "not statistics: a JSON object is expected"),
                Err(NotJson) => rows.reject(line, "", NotJson::REASON),
            }
            if rows.full() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Answers {
    fn answer(
        &self,
        line: u64,
        answer: &Map<String, Value>,
        rows: &mut Rows,
    ) -> Result<(), IngestError> {
        let named = |key: &str| Some(folded(key).strip_suffix("graph")?.to_owned());
        let graphs: Vec<_> = answer
            .iter()
            .filter_map(|(key, value)| Some((named(key)?, value)))
            .collect();
        if graphs.is_empty() {
            return self.alone(line, answer, rows);
        }
        for (name, value) in graphs {
            let Some((name, shows)) = SHOWN.iter().find(|(known, _)| *known == name) else {
                rows.reject(line, "", "a graph of a kind that is not known here");
                continue;
            };
            if *shows == Shows::Nothing || value.is_null() {
                continue;
            }
            let given = value
                .as_object()
                .ok_or(Graph::NONE)
                .and_then(Graph::of)
                .and_then(|graph| graph.give(line, *shows, rows));
            if let Err(why) = given {
                rows.reject(line, name, why);
            }
        }
        Ok(())
    }

    /// A graph that nothing names but its lines and its file.
    fn alone(
        &self,
        line: u64,
        graph: &Map<String, Value>,
        rows: &mut Rows,
    ) -> Result<(), IngestError> {
        let refused = |detail: &str| IngestError::Meaningless {
            name: self.name.clone(),
            export: TITLE,
            detail: detail.to_owned(),
        };
        let graph = Graph::of(graph).map_err(refused)?;
        let shows = graph.named().or_else(|| by_file(&self.name)).ok_or_else(|| {
            refused("nothing says what its graph shows; put `growth`, `followers`, `members`, `interactions` or `messages` into the file's name")
        })?;
        if shows == Shows::Nothing {
            return Err(refused(
                "by its file's name it is a graph of which nothing is taken",
            ));
        }
        graph.give(line, shows, rows).map_err(refused)
    }
}

/// What a file's name says of its graph.
fn by_file(name: &str) -> Option<Shows> {
    let file = folded(name.rsplit('/').next().unwrap_or(name));
    // Of the names within the file's the longest tells: `followers` stands in `newfollowersbysource`.
    let found = SHOWN.iter().filter(|(known, _)| file.contains(known));
    found
        .max_by_key(|(known, _)| known.len())
        .map(|(_, shows)| *shows)
}

/// One line of a graph.
struct Line {
    name: String,
    colour: String,
    values: Vec<Value>,
}

/// A graph, read as far as anything is taken of it.
struct Graph {
    days: Vec<Day>,
    lines: Vec<Line>,
}

type Why = &'static str;

impl Graph {
    const NONE: Why = "it has no graph: an object with `columns` and `types` is expected";

    /// Reads a graph as it is or in one of its wrappings.
    fn of(object: &Map<String, Value>) -> Result<Graph, Why> {
        if let Some(columns) = object.get("columns") {
            return Graph::of_columns(columns, object);
        }
        match object.get("json").or_else(|| object.get("data")) {
            Some(Value::Object(inner)) => Graph::of(inner),
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(Value::Object(inner)) => Graph::of(&inner),
                _ => Err("its graph is not sound JSON"),
            },
            _ if object.contains_key("token") => Err(
                "its graph was not loaded (it is a statsGraphAsync): load it with stats.loadAsyncGraph",
            ),
            _ if object.contains_key("error") => {
                Err("Telegram gave an error in place of the graph")
            }
            _ => Err(Graph::NONE),
        }
    }

    fn of_columns(columns: &Value, object: &Map<String, Value>) -> Result<Graph, Why> {
        let said = |key: &str, id: &str| {
            let text = object.get(key).and_then(|names| names.get(id)?.as_str());
            text.unwrap_or_default().to_owned()
        };
        let (mut x, mut lines) = (None, vec![]);
        for column in columns.as_array().ok_or(Graph::NONE)? {
            let Some((Value::String(id), values)) = column.as_array().and_then(|c| c.split_first())
            else {
                return Err(Graph::NONE);
            };
            if said("types", id) == "x" || id == "x" {
                x = Some(values);
                continue;
            }
            lines.push(Line {
                name: folded(&said("names", id)),
                colour: said("colors", id),
                values: values.to_vec(),
            });
        }
        let days = days(x.ok_or(Graph::NONE)?)?;
        if lines.is_empty() || lines.iter().any(|l| l.values.len() != days.len()) {
            return Err("its columns are not of one length");
        }
        Ok(Graph { days, lines })
    }

    fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|l| l.name == name)
    }

    /// What the names of the lines say.
    fn named(&self) -> Option<Shows> {
        let has = |name| self.line(name).is_some();
        match self.lines.as_slice() {
            _ if has("joined") && has("left") => Some(Shows::Followers),
            _ if has("views") && has("shares") => Some(Shows::Interactions),
            [line] if LEVELS.contains(&line.name.as_str()) => Some(Shows::Growth),
            _ => None,
        }
    }

    /// Gives the figures of what is shown.
    fn give(&self, line: u64, shows: Shows, rows: &mut Rows) -> Result<(), Why> {
        let daily = self.days.windows(2).map(|d| (d[1] - d[0]).num_days()).min();
        if shows != Shows::Growth && daily.is_some_and(|days| days > 1) {
            return Err("its points are more than a day apart, so that none is the count of a day");
        }
        match shows {
            Shows::Growth => {
                let [level] = self.lines.as_slice() else {
                    return Err("a graph of growth has one line, and this has several");
                };
                self.figures(line, "growth", "registered_users", level, rows);
            }
            Shows::Followers => {
                let (joined, left) = self.joined_and_left()?;
                self.figures(line, "followers", "signups", joined, rows);
                self.figures(line, "followers", "departures", left, rows);
            }
            Shows::Interactions => {
                let (Some(views), Some(shares)) = (self.line("views"), self.line("shares")) else {
                    return Err(
                        "its lines are not named `Views` and `Shares`: ask for it in English",
                    );
                };
                self.figures(line, "interactions", "views", views, rows);
                self.figures(line, "interactions", "shares", shares, rows);
            }
            Shows::Messages => self.messages(line, rows),
            Shows::Nothing => {}
        }
        Ok(())
    }

    /// Who came is drawn in green and who went in red, in whatever language the lines are named.
    fn joined_and_left(&self) -> Result<(&Line, &Line), Why> {
        if let (Some(joined), Some(left)) = (self.line("joined"), self.line("left")) {
            return Ok((joined, left));
        }
        let of = |wanted| {
            let mut found = self.lines.iter().filter(|l| hue(&l.colour) == Some(wanted));
            found.next().filter(|_| found.next().is_none())
        };
        match (of(Hue::Green), of(Hue::Red)) {
            (Some(joined), Some(left)) => Ok((joined, left)),
            _ => Err(
                "its lines are neither named `Joined` and `Left` nor drawn in green and red, so that nothing tells them apart",
            ),
        }
    }

    fn figures(&self, line: u64, graph: &str, metric: &str, of: &Line, rows: &mut Rows) {
        for (day, value) in self.days.iter().zip(&of.values) {
            match count(value) {
                Ok(None) => {}
                Ok(Some(value)) => rows.figure(line, "", *day, metric, value),
                Err(why) => rows.reject_for(line, graph, why),
            }
        }
    }

    /// The sum of the kinds of messages of a day: none where one of them is not sound.
    fn messages(&self, line: u64, rows: &mut Rows) {
        for (place, day) in self.days.iter().enumerate() {
            let counts = self
                .lines
                .iter()
                .filter_map(|l| count(l.values.get(place)?).transpose());
            match counts.collect::<Result<Vec<i64>, _>>() {
                Ok(counts) if counts.is_empty() => {}
                Ok(counts) => {
                    let sum = counts.iter().fold(0, |sum: i64, n| sum.saturating_add(*n));
                    rows.figure(line, "", *day, "messages_sent", sum);
                }
                Err(why) => rows.reject_for(line, "messages", why),
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hue {
    Green,
    Red,
}

/// Whether a colour (`#4BD964`, `GREEN#34C759`) is green or red.
fn hue(colour: &str) -> Option<Hue> {
    let (_, digits) = colour.split_once('#')?;
    let part = |from: usize| u8::from_str_radix(digits.get(from..from + 2)?, 16).ok();
    let (red, green, blue) = (part(0)?, part(2)?, part(4)?);
    match () {
        () if green > red && green > blue => Some(Hue::Green),
        () if red > green && red > blue => Some(Hue::Red),
        () => None,
    }
}

/// The days of a graph: milliseconds of 00:00 UTC, all of them. Of hours those at midnight would pass for days.
fn days(x: &[Value]) -> Result<Vec<Day>, Why> {
    const DAY: i64 = 86_400_000;
    let day = |value: &Value| {
        let at = value.as_i64().filter(|at| at % DAY == 0 && *at > 0)?;
        let day = chrono::DateTime::from_timestamp_millis(at)?.date_naive();
        super::rows::within_reason(day).then_some(day)
    };
    let days: Option<Vec<Day>> = x.iter().map(day).collect();
    days.ok_or("its points are not days but hours or days of the week")
}

/// A count; none where the graph has a gap.
fn count(value: &Value) -> Result<Option<i64>, Reason> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => {
            let float = || cell::from_float(number.as_f64().unwrap_or(f64::NAN));
            cell::whole(number.as_i64().unwrap_or_else(float))
        }
        _ => Err(Reason::NotWhole),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Told, options, read, read_file, sample, try_read};
    use crate::ingest::{Input, Options};

    fn durov() -> Options {
        let mut options = options();
        options.source.server = Some("durov".to_owned());
        options
    }

    fn refused(name: &str, text: &str) -> String {
        let input = Input::bytes(name, text.to_owned());
        try_read(&input, &durov()).unwrap_err().to_string()
    }

    /// A graph of two days; `y` are its lines: name, colour, values.
    fn graph(y: &[(&str, &str, &str)]) -> String {
        let join =
            |of: &dyn Fn(usize) -> String| (0..y.len()).map(of).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"columns":[["x",1456185600000,1456272000000],{}],"types":{{"x":"x",{}}},"names":{{{}}},"colors":{{{}}}}}"#,
            join(&|i| format!(r#"["y{i}",{}]"#, y[i].2)),
            join(&|i| format!(r#""y{i}":"line""#)),
            join(&|i| format!(r#""y{i}":"{}""#, y[i].0)),
            join(&|i| format!(r#""y{i}":"{}""#, y[i].1)),
        )
    }

    #[test]
    fn real_graphs_are_read_whole() {
        let Some(path) = sample("telegram-stats-graphs/overview-1.json") else {
            return;
        };
        let told = try_read(&Input::path("o.json", path), &durov()).unwrap();
        assert!(told.seen.contains("`columns` and `types`"));
        assert!(told.rejects.is_empty());
        assert_eq!(told.figures[0], "durov 2018-04-07 signups 930");
        let left = told.figures.iter().filter(|f| f.contains(" departures "));
        assert_eq!(left.count() * 2, told.figures.len());
        let Some(path) = sample("telegram-stats-graphs/overview-2.json") else {
            return;
        };
        let told = try_read(&Input::path("o.json", path), &durov()).unwrap();
        assert_eq!(told.figures.len(), 2 * 365);
        assert_eq!(told.figures[729], "durov 2019-04-06 shares 35310");
    }

    #[test]
    fn a_whole_answer_gives_what_its_graphs_show() {
        let told = read_file("telegram_statistics/supergroup.json", &durov());
        assert_eq!(
            told.figures,
            [
                "durov 2016-02-23 registered_users 1000",
                "durov 2016-02-24 registered_users 1004",
                "durov 2016-02-23 signups 6",
                "durov 2016-02-24 signups 7",
                "durov 2016-02-23 departures 2",
                "durov 2016-02-24 messages_sent 75",
            ]
        );
        // -2 joined no one; the messages of the first day have a part that is no number.
        assert_eq!(
            told.rejects,
            [
                "1 followers: negative count: a count is 0 or more",
                "1 messages: not a whole number: digits only, so 1.5 billion is 1500000000",
                "1 interactions: its graph was not loaded (it is a statsGraphAsync): load it with stats.loadAsyncGraph",
                "1 : a graph of a kind that is not known here",
            ]
        );
    }

    #[test]
    fn a_graph_alone_is_known_by_its_lines_or_its_file() {
        let one = [("#0", "#108BE3", "5,6")];
        assert!(refused("chart.json", &graph(&one)).contains("nothing says what its graph shows"));
        assert!(refused("top_hours.json", &graph(&one)).contains("nothing is taken"));
        let told = read("growth.json", graph(&one), &durov());
        assert_eq!(
            told.figures,
            [
                "durov 2016-02-23 registered_users 5",
                "durov 2016-02-24 registered_users 6"
            ]
        );
        let coloured = [
            ("Ушли", "RED#FF3B30", "1,2"),
            ("Пришли", "GREEN#34C759", "3,null"),
        ];
        let told = read("followers.json", graph(&coloured), &durov());
        assert_eq!(
            told.figures,
            [
                "durov 2016-02-23 signups 3",
                "durov 2016-02-23 departures 1",
                "durov 2016-02-24 departures 2"
            ]
        );
        let plain = [("#0", "#108BE3", "1,2"), ("#1", "#108BE3", "3,4")];
        assert!(refused("followers.json", &graph(&plain)).contains("nothing tells them apart"));
        let wrapped = format!(
            r#"{{"_":"StatsGraph","json":{{"data":{}}},"zoom_token":"zoom"}}"#,
            serde_json::to_string(&graph(&[("Total Members", "", "5,6")])).unwrap()
        );
        assert_eq!(read("g.json", wrapped, &durov()).figures.len(), 2);
    }

    #[test]
    fn hours_are_not_taken_for_days() {
        let hours = graph(&[("Joined", "", "1,2"), ("Left", "", "3,4")]);
        for x in ["1456189200000", "7", "\"a\"", "99999999999999999"] {
            let text = hours.replace("1456272000000", x);
            assert!(
                refused("x.json", &text).contains("hours or days of the week"),
                "{x}"
            );
        }
        let weeks = hours.replace("1456272000000", "1456790400000");
        assert!(refused("x.json", &weeks).contains("more than a day apart"));
    }

    #[test]
    fn a_channel_must_be_named() {
        let text = graph(&[("Views", "", "1,2"), ("Shares", "", "3,4")]);
        let input = Input::bytes("views.json", text);
        let error = try_read(&input, &options()).unwrap_err().to_string();
        assert!(error.contains("--server"), "{error}");
    }

    #[test]
    fn tables_are_no_statistics() {
        let Told { seen, .. } = read(
            "f.json",
            r#"{"date":"2016-02-23","platform":"A","dau":5}"#,
            &options(),
        );
        assert_eq!(seen, "");
    }
}
