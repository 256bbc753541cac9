//! Random platforms: what their files say, as rows and as the text of the files.

use std::fmt::Write as _;

use chrono::{Days, NaiveDate};

use crate::project::Project;

/// Numbers that look random and are the same on every run.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Chance(seed)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// True once in `n` times.
    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A row of a file. Without messages the file doesn't count them.
#[derive(Clone, Copy)]
pub struct Row {
    pub user: u32,
    pub day: NaiveDate,
    pub messages: Option<u64>,
    pub country: &'static str,
    pub client: &'static str,
}

impl Row {
    /// The value of a dimension; without one, all rows have the same.
    pub fn value(&self, dimension: &str) -> &'static str {
        match dimension {
            "country" => self.country,
            "client" => self.client,
            _ => "",
        }
    }
}

/// One platform: its loads, each a file, and the files of its signups.
pub struct Data {
    pub loads: Vec<Vec<Row>>,
    pub signups: Vec<Vec<(u32, NaiveDate)>>,
    /// Whether the first load's file stands there twice, under two names.
    twice: bool,
    seed: u64,
}

// Ends of years, leap days, and changes of clocks.
const STARTS: [&str; 6] = [
    "2015-12-20",
    "2016-02-25",
    "2015-02-26",
    "2016-03-25",
    "2016-10-28",
    "2016-06-01",
];
const COUNTRIES: [&str; 4] = ["", "BR", "DE", "é"];
const CLIENTS: [&str; 3] = ["web", "ios", "Web"];

impl Data {
    pub fn random(chance: &mut Chance) -> Self {
        let start: NaiveDate = chance.of(&STARTS).parse().unwrap();
        let (users, days) = (1 + chance.below(9), 1 + chance.below(75));
        let mut loads: Vec<Vec<Row>> = (0..1 + chance.below(3))
            .map(|_| random_load(chance, start, users, days))
            .collect();
        // The same rows in another file, the other way round: their messages add up.
        if chance.once_in(4) {
            loads.push(loads[0].iter().rev().copied().collect());
        }
        let files = if chance.once_in(2) {
            0
        } else {
            1 + chance.below(2)
        };
        let signups = (0..files)
            .map(|_| random_signups(chance, start, users, days))
            .collect();
        Data {
            loads,
            signups,
            twice: chance.once_in(4),
            seed: chance.below(1 << 20),
        }
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.loads.iter().flatten()
    }

    /// Writes the files of the platform into a project.
    pub fn write(&self, project: &Project, platform: &str) {
        let mut chance = Chance::new(self.seed);
        let texts: Vec<String> = self
            .loads
            .iter()
            .map(|load| {
                let servers = chance.once_in(4);
                load_text(load, platform, servers, &mut chance)
            })
            .collect();
        for (place, text) in texts.iter().enumerate() {
            project.write(&format!("data/{platform}-{place}.csv"), text);
        }
        if self.twice {
            project.write(&format!("data/{platform}-again.csv"), &texts[0]);
        }
        for (place, signups) in self.signups.iter().enumerate() {
            let mut text = String::from("platform,user,signup_day\n");
            for (user, day) in signups {
                _ = writeln!(text, "{platform},{user},{day}");
            }
            project.write(&format!("data/{platform}-signups-{place}.csv"), text);
        }
    }
}

/// Rows of some days of the platform's, at least one.
fn random_load(chance: &mut Chance, start: NaiveDate, users: u64, days: u64) -> Vec<Row> {
    let first = start + Days::new(chance.below(days));
    let length = 1 + chance.below(days);
    let counted = !chance.once_in(8);
    let rows = 1 + chance.below(60);
    (0..rows)
        .map(|_| Row {
            user: chance.below(users) as u32,
            day: first + Days::new(chance.below(length)),
            messages: Some(chance.of(&[0, 1, 1, 3, 250])).filter(|_| counted),
            country: chance.of(&COUNTRIES),
            client: chance.of(&CLIENTS),
        })
        .collect()
}

/// Signups of a few weeks before the first day to as long after the last; of some who never come, too.
fn random_signups(
    chance: &mut Chance,
    start: NaiveDate,
    users: u64,
    days: u64,
) -> Vec<(u32, NaiveDate)> {
    let earliest = start - Days::new(20);
    let signups = 1 + chance.below(users + 3);
    (0..signups)
        .map(|_| {
            let day = earliest + Days::new(chance.below(days + 40));
            (chance.below(users + 3) as u32, day)
        })
        .collect()
}

/// The text of a load's file; of several servers, they are no matter to the platform's figures.
fn load_text(load: &[Row], platform: &str, servers: bool, chance: &mut Chance) -> String {
    let counted = load.iter().all(|r| r.messages.is_some());
    let mut text = String::from("platform,user,day,country,client");
    text.push_str(if servers { ",server" } else { "" });
    text.push_str(if counted { ",messages\n" } else { "\n" });
    for row in load {
        let (user, day) = (row.user, row.day);
        let (country, client) = (row.country, row.client);
        _ = write!(text, "{platform},{user},{day},{country},{client}");
        if servers {
            _ = write!(text, ",s{}", chance.below(3));
        }
        if let Some(messages) = row.messages {
            _ = write!(text, ",{messages}");
        }
        text.push('\n');
    }
    text
}
