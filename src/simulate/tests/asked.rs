//! What is refused, what is replaced, how quantities are read, and the draws.

use std::collections::HashSet;
use std::fs;

use super::super::draw::{Keys, Order, probit};
use super::super::*;
use super::{ask, target, written};

fn refused(ask: &Ask) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = simulate(ask, &target(folder.path()), &|_| ()).unwrap_err();
    assert!(matches!(error, SimulateError::Impossible(_)), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    error.to_string()
}

#[test]
fn what_cannot_be_is_refused_with_a_way_out() {
    type Change = fn(&mut Ask);
    let cases: [(Change, &str); 10] = [
        (|a| a.days = 0, "ask for 1 to 1100"),
        (|a| a.monthly_actives = 5, "ask for 100 to 10G"),
        (|a| a.signups = 0, "at least 1 signup"),
        (|a| a.signups = 1000, "at most 300 signups"),
        (|a| a.signups = 295, "or for fewer signups"),
        (|a| a.signups = 1, "more signups or fewer"),
        (
            |a| a.messages = 9,
            "too few for 4.5k daily actives; ask for 450 to 22M",
        ),
        (|a| a.daily_share = 1.0, "between 0 and 1"),
        (|a| a.daily_share = 0.97, "or less"),
        (|a| a.daily_share = 0.02, "or more"),
    ];
    for (change, way_out) in cases {
        let mut asked = ask(30, 10_000);
        change(&mut asked);
        let sentence = refused(&asked);
        assert!(sentence.contains(way_out), "{sentence}");
    }
}

#[test]
fn only_a_simulation_is_replaced() {
    let small = ask(2, 200);
    let (folder, _) = written(&ask(3, 200));
    let kept = folder.path().join("data/activity/notes.txt");
    fs::write(&kept, "mine").unwrap();
    let again = target(folder.path());
    let error = simulate(&small, &again, &|_| ()).unwrap_err();
    assert!(matches!(error, SimulateError::NotEmpty(_)));
    let forced = Target {
        force: true,
        with_signups: false,
        ..again
    };
    simulate(&small, &forced, &|_| ()).unwrap();
    let days = fs::read_dir(folder.path().join("data/activity")).unwrap();
    assert_eq!(days.count(), 3);
    assert!(kept.exists() && !folder.path().join("data/signups.parquet").exists());
    fs::write(folder.path().join("essor.toml"), "[project]\n").unwrap();
    let error = simulate(&small, &forced, &|_| ()).unwrap_err();
    assert!(matches!(error, SimulateError::Genuine(_)));
}

#[test]
fn quantities_are_read_and_written() {
    for (text, value) in [
        ("350k", 350_000),
        ("100M", 100_000_000),
        ("15G", 15_000_000_000),
        ("1.5bn", 1_500_000_000),
        ("2B", 2_000_000_000),
        ("0", 0),
        ("3500", 3_500),
        ("1.50K", 1_500),
    ] {
        assert_eq!(text.parse(), Ok(Quantity(value)), "{text}");
        assert_eq!(Quantity(value).to_string().parse(), Ok(Quantity(value)));
    }
    for text in [
        "",
        "k",
        "-1",
        "1.5",
        "1.2345k",
        "1 M",
        "99999999999G",
        "1e6",
        ".5M",
    ] {
        assert!(text.parse::<Quantity>().is_err(), "{text}");
    }
    assert_eq!(Quantity(1_200_000).to_string(), "1.2M");
}

#[test]
fn draws_are_bijections_and_quantiles() {
    let keys = Keys::of(7);
    let identities: HashSet<u64> = (0..100_000).map(|n| keys.identity(n)).collect();
    assert_eq!(identities.len(), 100_000);
    for len in [1, 2, 3, 7, 1000, 4097] {
        let order = Order::new(len, 0x1234_5678_9abc_def0);
        let all: HashSet<u64> = (0..len).map(|place| order.at(place)).collect();
        assert_eq!(all.len() as u64, len);
    }
    for (p, z) in [(0.5, 0.0), (0.975, 1.959_964), (0.001, -3.090_232)] {
        assert!((probit(p) - z).abs() < 1e-6);
    }
}
