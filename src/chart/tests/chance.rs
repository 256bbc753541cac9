//! Charts by chance: every kind, size and mishap of data that the stage must survive.

use crate::chart::*;

/// Names that have broken charts before: long, empty, hostile, in other scripts.
const NAMES: [&str; 12] = [
    "Telegram",
    "WhatsApp",
    "Facebook Messenger",
    "LINE",
    "微信 WeChat 微信支付",
    "واتساب",
    "🐘 Mastodon 🐘",
    "<script>alert(1)</script>",
    "Nachrichtenübermittlungsdienstanbietergesellschaft",
    "\u{202E}gnirts\u{0}\u{1b}",
    "",
    "Сообщения & Ко. \"кавычки\"",
];

/// A small linear congruential generator, so that a failing chart is found again.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        ((self.next() * n as f64) as usize).min(n - 1)
    }

    fn words(&mut self, most: usize) -> String {
        (0..self.below(most + 1))
            .map(|_| NAMES[self.below(NAMES.len())])
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn mark(&mut self) -> Mark {
        [
            Mark::Statement,
            Mark::Computed,
            Mark::Interpolated,
            Mark::Unfinished,
            Mark::Artefact,
        ][self.below(5)]
    }

    fn value(&mut self, shape: usize) -> Option<f64> {
        let size = 10f64.powf(self.next() * 12.0);
        match shape {
            0 => Some(size),
            1 => Some(1e6),
            2 => Some(if self.next() < 0.5 { -size } else { size }),
            3 => (self.next() < 0.7).then_some(100.0 + self.next()),
            4 => [
                None,
                Some(0.0),
                Some(f64::NAN),
                Some(f64::INFINITY),
                Some(-1.0),
                Some(1e300),
            ][self.below(6)],
            _ => Some(size / 1e6),
        }
    }

    fn x(&mut self, shape: usize, at: usize) -> X {
        let day = |n: u64| {
            let first = NaiveDate::from_ymd_opt(2013, 8, 14).expect("a date");
            first
                .checked_add_days(chrono::Days::new(n))
                .expect("a date")
        };
        match shape {
            0 => X::Day(day(at as u64)),
            1 => X::Day(day((self.next() * 4000.0) as u64)),
            2 => X::Number(at as f64 / 3.0),
            3 => X::Name(format!("{} {at}", NAMES[self.below(NAMES.len())])),
            4 => X::Day(day(7)),
            _ => X::Number([f64::NAN, 1e300, -3.0, 0.25][self.below(4)]),
        }
    }

    /// Any chart at all.
    pub(super) fn chart(&mut self) -> Chart {
        let count = [0, 1, 1, 2, 4, 8, 12, 60][self.below(8)];
        let (xs, ys) = (self.below(6), self.below(6));
        let subject = self.below(count.max(1));
        let most = [1, 2, 6, 12, 90][self.below(5)];
        let panels = [1, 1, 3, 9][self.below(4)];
        let series = (0..count).map(|i| {
            let points = (0..self.below(most + 1)).map(|at| Point {
                x: self.x(xs, at),
                y: self.value(ys),
                mark: self.mark(),
                label: (self.next() < 0.2).then(|| self.words(2)),
            });
            let points = points.collect();
            let name: String = if self.next() < 0.2 {
                self.words(9)
            } else {
                self.words(1)
            };
            let role = if i == subject {
                Role::Subject
            } else {
                [
                    Role::Rival,
                    Role::Line,
                    Role::Up,
                    Role::Down,
                    Role::Whole,
                    Role::Net,
                ][self.below(6)]
            };
            let panel = NAMES[self.below(panels)].to_owned();
            Series {
                name: name.chars().take(200).collect(),
                role,
                points,
                panel,
                size: (self.next() < 0.5).then(|| 10f64.powf(self.next() * 11.0)),
            }
        });
        let series = series.collect();
        let references = (0..self.below(3)).map(|i| match i {
            0 => Reference::Horizontal {
                y: self.value(ys).unwrap_or(f64::NAN),
                label: self.words(3),
            },
            _ => Reference::Vertical {
                x: self.x(xs, 3),
                label: self.words(3),
            },
        });
        Chart {
            references: references.collect(),
            title: self.words(8),
            subtitle: self.words(8),
            footer: (0..self.below(4)).map(|_| self.words(12)).collect(),
            kind: [
                Kind::Line,
                Kind::Bars,
                Kind::Columns,
                Kind::Curve,
                Kind::Histogram,
                Kind::Stacked,
                Kind::Heat,
            ][self.below(7)],
            x_title: self.words(2),
            y_unit: if self.next() < 0.3 {
                "%".to_owned()
            } else {
                self.words(2)
            },
            y_title: self.words(1),
            ordered: self.next() < 0.3,
            stamp: (self.next() < 0.3).then(|| self.words(4)),
            scale: [Scale::Linear, Scale::Log][self.below(2)],
            series,
            alt: self.words(3),
        }
    }
}
