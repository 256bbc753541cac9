//! What each number means: one name, one definition.
//!
//! Every metric that a table, query, chart or report names is registered here. A file may call it
//! by an alias; what is stored and shown is the registered name.

use std::fmt;

/// How a metric behaves over days and over servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A count of the day: adds up over days and over servers.
    Flow,
    /// Users counted once within a window of its own: adds up over neither.
    Distinct,
    /// A total of several days that end on the day: adds up over servers, and is never added to that of another day.
    Window,
    /// How many there are at a moment: the last reading of a day stands for the day.
    Level,
}

impl Kind {
    /// The name in the `kind` column of `usage`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Flow => "flow",
            Kind::Distinct => "distinct",
            Kind::Window => "window",
            Kind::Level => "level",
        }
    }
}

/// One registered metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The registered name: `mau_30d`.
    pub name: &'static str,
    /// What it is called where a reader sees it: `monthly active users`.
    pub title: &'static str,
    /// The question it answers, shared by its variants: `mau` for every window of a month.
    pub measure: &'static str,
    /// How it behaves over days.
    pub kind: Kind,
    /// What is counted: `users`, `messages`.
    pub unit: &'static str,
    /// The window that it looks over.
    pub window: &'static str,
    /// The definition, in one or two sentences.
    pub definition: &'static str,
    /// Other names by which files give it.
    pub aliases: &'static [&'static str],
}

macro_rules! metric {
    ($name:literal, $title:literal, $measure:literal, $kind:ident, $unit:literal, $window:literal, $definition:literal $(, $alias:literal)*) => {
        Metric { name: $name, title: $title, measure: $measure, kind: Kind::$kind, unit: $unit, window: $window, definition: $definition, aliases: &[$($alias),*] }
    };
}

/// Every metric, in the order in which a reader meets them.
pub static METRICS: &[Metric] = &[
    metric!(
        "mau_stated",
        "monthly active users",
        "mau",
        Distinct,
        "users",
        "a month, as the platform understands it",
        "Users active within a month, given without saying how they were counted: the window may be 28, 30 or 31 days or a calendar month. Press releases rarely say; of your own counts essor.toml can, as in `columns = { mau = \"mau_30d\" }`.",
        "mau",
        "monthly_active_users"
    ),
    metric!(
        "mau_28d",
        "monthly active users (28 days)",
        "mau",
        Distinct,
        "users",
        "28 days ending on the day",
        "Distinct users active in the 28 days that end on the day named. Four whole weeks keep the weekdays balanced."
    ),
    metric!(
        "mau_30d",
        "monthly active users (30 days)",
        "mau",
        Distinct,
        "users",
        "30 days ending on the day",
        "Distinct users active in the 30 days that end on the day named. The window of Synapse and of NodeInfo."
    ),
    metric!(
        "mau_31d",
        "monthly active users (31 days)",
        "mau",
        Distinct,
        "users",
        "31 days ending on the day",
        "Distinct users active in the 31 days that end on the day named. The window of Mattermost."
    ),
    metric!(
        "mau_month",
        "monthly active users (calendar month)",
        "mau",
        Distinct,
        "users",
        "a calendar month",
        "Distinct users active in the calendar month."
    ),
    metric!(
        "mau_1month",
        "monthly active users (a month to the day)",
        "mau",
        Distinct,
        "users",
        "28 to 31 days ending on the day: from the day after the same day of the month before",
        "Distinct users active in the month that ends on the day named. The window of Rocket.Chat; on the last day of a month it is the calendar month."
    ),
    metric!(
        "wau_7d",
        "weekly active users (7 days)",
        "wau",
        Distinct,
        "users",
        "7 days ending on the day",
        "Distinct users active in the 7 days that end on the day named.",
        "wau"
    ),
    metric!(
        "wau_week_sunday",
        "weekly active users (Sunday to Saturday)",
        "wau",
        Distinct,
        "users",
        "a week, Sunday to Saturday",
        "Distinct users active in the calendar week that starts on Sunday."
    ),
    metric!(
        "r30v2",
        "users who stay (R30v2)",
        "r30v2",
        Distinct,
        "users",
        "60 days ending on the day",
        "Distinct users whose first and last active day within the 60 days that end on the day named lie more than 30 days apart (Synapse's R30v2).",
        "r30v2_users_all"
    ),
    metric!(
        "r30",
        "users who stay (R30)",
        "r30",
        Distinct,
        "users",
        "30 days ending on the day",
        "Distinct users of the last 30 days who were last seen more than 30 days after they signed up (Synapse's R30, up to version 1.84; R30v2 counts otherwise).",
        "r30_users_all"
    ),
    metric!(
        "wau_week",
        "weekly active users (ISO week)",
        "wau",
        Distinct,
        "users",
        "an ISO week, Monday to Sunday",
        "Distinct users active in the calendar week."
    ),
    metric!(
        "dau_stated",
        "daily active users",
        "dau",
        Distinct,
        "users",
        "a day, as the platform understands it",
        "Users active on a day, as a public statement gives them, usually as a mean over days that it does not name."
    ),
    metric!(
        "dau",
        "daily active users",
        "dau",
        Distinct,
        "users",
        "a day",
        "Distinct users active on the day.",
        "daily_active_users"
    ),
    metric!(
        "active_users_6d",
        "active users of 6 days",
        "active_users_6d",
        Distinct,
        "users",
        "6 days ending on the day",
        "Distinct users active in the 6 days that end on the day named: what Mastodon from 3.5 on counts of a week. Estimated (HyperLogLog), about one percent off."
    ),
    metric!(
        "active_users_15d",
        "active users of 15 days",
        "active_users_15d",
        Distinct,
        "users",
        "15 days ending on the day",
        "Distinct users active in the 15 days that end on the day named. The longest window of Zulip."
    ),
    metric!(
        "posters",
        "users who post",
        "posters",
        Distinct,
        "users",
        "a day",
        "Distinct users who sent a message on the day: fewer than those who were active."
    ),
    metric!(
        "registered_users",
        "registered users",
        "registered_users",
        Level,
        "users",
        "since launch",
        "Accounts that exist, whether or not anybody uses them. Never compared with active users.",
        "accounts",
        "total_users",
        "users"
    ),
    metric!(
        "signups_per_day",
        "signups a day",
        "signups",
        Flow,
        "users/day",
        "a day",
        "New accounts a day, as a public statement gives them.",
        "signups_a_day"
    ),
    metric!(
        "signups",
        "signups",
        "signups",
        Flow,
        "users",
        "a day",
        "New accounts on the day.",
        "registrations",
        "new_users"
    ),
    metric!(
        "signups_week",
        "signups of a week",
        "signups_week",
        Window,
        "users",
        "an ISO week, Monday to Sunday",
        "New accounts in the calendar week that ends on the day named. A total of the week, never added to those of days."
    ),
    metric!(
        "signups_6d",
        "signups of 6 days",
        "signups_6d",
        Window,
        "users",
        "6 days ending on the day",
        "New accounts in the 6 days that end on the day named: what Mastodon from 3.5 on counts of a week. Never added to those of days."
    ),
    metric!(
        "departures",
        "departures",
        "departures",
        Flow,
        "users",
        "a day",
        "Members who left on the day, as the platform counts them (Telegram's statistics of channels and groups)."
    ),
    metric!(
        "net_adds",
        "net added accounts",
        "net_adds",
        Flow,
        "users",
        "a day",
        "The difference of two readings of existing accounts: signups less deletions. Never called signups."
    ),
    metric!(
        "messages_per_day",
        "messages a day",
        "messages",
        Flow,
        "messages/day",
        "a day",
        "Messages a day, as a public statement gives them; whether sent or delivered is in the statement's definition.",
        "messages_a_day"
    ),
    metric!(
        "messages_sent",
        "messages",
        "messages",
        Flow,
        "messages",
        "a day",
        "Messages or posts sent on the day.",
        "messages",
        "posts",
        "toots",
        "statuses"
    ),
    metric!(
        "messages_seen",
        "messages seen",
        "messages_seen",
        Flow,
        "messages",
        "a day",
        "Messages that a server saw on the day, those that came from other servers included: summed over servers of one network they count again and again."
    ),
    metric!(
        "messages_week",
        "messages of a week",
        "messages_week",
        Window,
        "messages",
        "an ISO week, Monday to Sunday",
        "Messages or posts sent in the calendar week that ends on the day named. A total of the week, never added to those of days."
    ),
    metric!(
        "messages_6d",
        "messages of 6 days",
        "messages_6d",
        Window,
        "messages",
        "6 days ending on the day",
        "Messages or posts sent in the 6 days that end on the day named: what Mastodon from 3.5 on counts of a week. Never added to those of days."
    ),
    metric!(
        "views",
        "views of posts",
        "views",
        Flow,
        "views",
        "a day",
        "Times that posts were seen on the day, of whatever day they are (Telegram's statistics of channels)."
    ),
    metric!(
        "shares",
        "shares of posts",
        "shares",
        Flow,
        "shares",
        "a day",
        "Times that posts were passed on on the day, of whatever day they are (Telegram's statistics of channels)."
    ),
    metric!(
        "servers",
        "servers",
        "servers",
        Level,
        "servers",
        "the moment of the reading",
        "Servers of the network that answered.",
        "instances",
        "homeservers"
    ),
    metric!(
        "headcount",
        "people employed",
        "headcount",
        Level,
        "people",
        "the day named",
        "People who work on the platform; whether employees or developers is in the statement's unit.",
        "employees",
        "team"
    ),
    metric!(
        "monthly_cost",
        "cost a month",
        "monthly_cost",
        Flow,
        "money/month",
        "a month",
        "Running costs a month, in the currency of the statement's unit. Currencies are never mixed.",
        "cost_a_month"
    ),
];

/// A name that no metric has.
#[derive(Debug, thiserror::Error)]
pub struct UnknownMetric {
    /// The name given.
    pub given: String,
    /// The nearest registered name, if one is near.
    pub near: Option<&'static str>,
}

impl fmt::Display for UnknownMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a metric", self.given)?;
        match self.near {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => write!(f, "; `essor explain` lists them all"),
        }
    }
}

/// Finds a metric by its name or alias, whatever the case.
pub fn find(name: &str) -> Result<&'static Metric, UnknownMetric> {
    let wanted = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    METRICS
        .iter()
        .find(|m| m.name == wanted)
        .or_else(|| {
            METRICS
                .iter()
                .find(|m| m.aliases.contains(&wanted.as_str()))
        })
        .ok_or_else(|| UnknownMetric {
            given: name.to_owned(),
            near: nearest(&wanted),
        })
}

/// The metric that a public statement means by a name: a bare `mau` or `dau` says nothing of its
/// window, and a bare count of messages or signups is one a day.
pub fn in_a_statement(name: &str) -> Result<&'static Metric, UnknownMetric> {
    let metric = find(name)?;
    match metric.name {
        "dau" => find("dau_stated"),
        "messages_sent" => find("messages_per_day"),
        "signups" => find("signups_per_day"),
        _ => Ok(metric),
    }
}

fn nearest(wanted: &str) -> Option<&'static str> {
    METRICS
        .iter()
        .flat_map(|m| std::iter::once(m.name).chain(m.aliases.iter().copied()))
        .map(|name| {
            // One slip in a short name (`mua`) is near, however little of it is left.
            let one_slip = strsim::damerau_levenshtein(name, wanted) == 1;
            (
                if one_slip {
                    1.0
                } else {
                    strsim::jaro_winkler(name, wanted)
                },
                name,
            )
        })
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_unique() {
        let mut names: Vec<_> = METRICS
            .iter()
            .flat_map(|m| std::iter::once(m.name).chain(m.aliases.iter().copied()))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_bare_mau_in_a_statement_is_of_unstated_window() {
        assert_eq!(in_a_statement("MAU").unwrap().name, "mau_stated");
        assert_eq!(in_a_statement("dau").unwrap().name, "dau_stated");
        assert_eq!(find("dau").unwrap().name, "dau");
        assert_eq!(
            find("mua").unwrap_err().to_string(),
            "`mua` is not a metric; did you mean `mau`?"
        );
    }
}
