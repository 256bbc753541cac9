//! The questions asked of every platform, and which model answers each.

use essor::query::parameter::Given;

use super::answer::Expected;
use super::data::Data;
use super::{active, growth, messages, retention};

/// A query with its parameters, written as they are read: `retention cohort week kind n_day`.
pub struct Question(pub &'static str);

impl Question {
    pub fn query(&self) -> &'static str {
        self.0.split(' ').next().unwrap()
    }

    fn pairs(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let words: Vec<&str> = self.0.split(' ').skip(1).collect();
        (0..words.len() / 2).map(move |i| (words[2 * i], words[2 * i + 1]))
    }

    pub fn given(&self, platform: &str) -> Given {
        let mut given: Given = self
            .pairs()
            .map(|(name, word)| (name.to_owned(), word.to_owned()))
            .collect();
        given.insert("platform".into(), platform.to_owned());
        given
    }

    /// A parameter; empty where it is not given.
    pub fn word(&self, parameter: &str) -> &'static str {
        let known = self.pairs().find(|(name, _)| *name == parameter);
        known.map_or("", |(_, word)| word)
    }

    pub fn number(&self, parameter: &str) -> u64 {
        self.word(parameter).parse().unwrap()
    }

    pub fn dimension(&self) -> &'static str {
        self.word("dimension")
    }

    /// An answer of rows by these keys. By a dimension a value need not stand where its amounts are zero; the one row that
    /// is not divided must.
    pub fn expected(
        &self,
        keys: &'static [&'static str],
        amounts: &'static [&'static str],
    ) -> Expected {
        if self.dimension().is_empty() {
            Expected::exactly(keys)
        } else {
            Expected::but_for_zeros(keys, amounts)
        }
    }

    /// What plain sets answer.
    pub fn answer(&self, data: &Data) -> Expected {
        let model = match self.query() {
            "active_users" => active::active_users,
            "active_users_calendar" => active::active_users_calendar,
            "actives" => active::actives,
            "activity_by_dimension" => messages::activity_by_dimension,
            "growth_accounting" => growth::growth_accounting,
            "growth_moves" => growth::growth_moves,
            "messages_per_active_user" => messages::messages_per_active_user,
            "new_users" => growth::new_users,
            "power_users" => active::power_users,
            "quick_ratio" => growth::quick_ratio,
            "r30v2" => active::r30v2,
            "retention" => retention::retention,
            "retention_curve" => retention::retention_curve,
            "stickiness" => active::stickiness,
            other => panic!("no model answers {other}"),
        };
        model(data, self)
    }
}

pub const QUESTIONS: [Question; 65] = [
    Question("active_users window 1"),
    Question("active_users window 7"),
    Question("active_users window 28"),
    Question("active_users window 30"),
    Question("active_users window 31"),
    Question("active_users window 1 dimension country"),
    Question("active_users window 7 dimension client"),
    Question("active_users window 28 dimension country"),
    Question("active_users window 30 dimension country"),
    Question("active_users_calendar by week"),
    Question("active_users_calendar by month"),
    Question("active_users_calendar by quarter"),
    Question("active_users_calendar by year"),
    Question("active_users_calendar by week dimension country"),
    Question("active_users_calendar by month dimension client"),
    Question("active_users_calendar by quarter dimension country"),
    Question("active_users_calendar by year dimension country"),
    Question("actives"),
    Question("activity_by_dimension dimension country"),
    Question("activity_by_dimension dimension client"),
    Question("growth_accounting by day"),
    Question("growth_accounting by week"),
    Question("growth_accounting by month"),
    Question("growth_accounting by day dimension country"),
    Question("growth_accounting by week dimension client"),
    Question("growth_accounting by month dimension country"),
    Question("growth_moves by day dimension client"),
    Question("growth_moves by week dimension country"),
    Question("growth_moves by month dimension country"),
    Question("messages_per_active_user by day"),
    Question("messages_per_active_user by week"),
    Question("messages_per_active_user by month"),
    Question("messages_per_active_user by day dimension client"),
    Question("messages_per_active_user by week dimension country"),
    Question("messages_per_active_user by month dimension country"),
    Question("new_users"),
    Question("power_users window 7"),
    Question("power_users window 28"),
    Question("power_users window 7 dimension client"),
    Question("power_users window 28 dimension country"),
    Question("quick_ratio by day"),
    Question("quick_ratio by week"),
    Question("quick_ratio by month"),
    Question("quick_ratio by day dimension country"),
    Question("quick_ratio by week dimension country"),
    Question("quick_ratio by month dimension client"),
    Question("r30v2 by week"),
    Question("r30v2 by month"),
    Question("r30v2 by day dimension client"),
    Question("r30v2 by month dimension country"),
    Question("retention cohort day kind n_day"),
    Question("retention cohort week kind n_day"),
    Question("retention cohort month kind unbounded"),
    Question("retention cohort day kind unbounded"),
    Question("retention cohort week kind bracket bracket_from 1 bracket_to 7"),
    Question("retention cohort month kind bracket bracket_from 5 bracket_to 10"),
    Question("retention cohort day kind n_day dimension country"),
    Question("retention cohort week kind n_day dimension country"),
    Question("retention cohort month kind n_day dimension client"),
    Question("retention cohort week kind unbounded dimension client"),
    Question("retention cohort week kind bracket bracket_from 1 bracket_to 7 dimension country"),
    Question("retention_curve"),
    Question("retention_curve dimension country"),
    Question("stickiness window 28"),
    Question("stickiness window 7 dimension country"),
];
