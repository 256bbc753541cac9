//! What is kept of a report.

use serde_json::{Map, Value};

/// Keys that hold numbers: counts, moments, and how a server fares.
const NUMBERS: [&str; 31] = [
    "timestamp",
    "uptime_seconds",
    "total_users",
    "total_nonbridged_users",
    "daily_user_type_native",
    "daily_user_type_guest",
    "daily_user_type_bridged",
    "total_room_count",
    "daily_active_users",
    "monthly_active_users",
    "daily_active_rooms",
    "daily_messages",
    "daily_sent_messages",
    "daily_active_e2ee_rooms",
    "daily_e2ee_messages",
    "daily_sent_e2ee_messages",
    "r30v2_users_all",
    "r30v2_users_android",
    "r30v2_users_ios",
    "r30v2_users_electron",
    "r30v2_users_web",
    "r30_users_all",
    "r30_users_android",
    "r30_users_ios",
    "r30_users_electron",
    "r30_users_web",
    "r30_users_unknown",
    "memory_rss",
    "cpu_average",
    "cache_factor",
    "event_cache_size",
];

/// Keys that hold a word: the group of a server, and what it runs on.
const WORDS: [&str; 5] = [
    "server_context",
    "python_version",
    "database_engine",
    "database_server_version",
    "log_level",
];

/// The longest word; names of servers have at most 255 bytes.
const LONGEST: usize = 255;

/// Why a report is refused.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    pub said: &'static str,
}

const NOT_JSON: Refused = Refused {
    status: 400,
    said: "the report is not JSON",
};
const NO_OBJECT: Refused = Refused {
    status: 422,
    said: "the report is not a JSON object",
};
const NO_SERVER: Refused = Refused {
    status: 422,
    said: "the report names no `homeserver`",
};

/// The line that is kept of a report that was received at a moment, in seconds since 1970. What stands under other
/// keys, or is of another kind than its key's, is left out.
pub fn kept(bytes: &[u8], received: i64) -> Result<String, Refused> {
    let report: Value = serde_json::from_slice(bytes).map_err(|_| NOT_JSON)?;
    let Value::Object(report) = report else {
        return Err(NO_OBJECT);
    };
    let word = |key: &str| report.get(key)?.as_str().filter(|text| is_word(text));
    let server = word("homeserver")
        .filter(|name| !name.trim().is_empty())
        .ok_or(NO_SERVER)?;
    let mut kept = Map::new();
    kept.insert("received".to_owned(), Value::from(received));
    kept.insert("homeserver".to_owned(), Value::from(server));
    for key in NUMBERS {
        if let Some(Value::Number(number)) = report.get(key) {
            kept.insert(key.to_owned(), Value::Number(number.clone()));
        }
    }
    for key in WORDS {
        if let Some(word) = word(key) {
            kept.insert(key.to_owned(), Value::from(word));
        }
    }
    Ok(Value::Object(kept).to_string())
}

fn is_word(text: &str) -> bool {
    text.len() <= LONGEST && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_report_is_known_to_hold_is_kept() {
        let report = br#"{"remote_addr": "198.51.100.7", "homeserver": "few.turtles", "daily_active_users": 3, "total_users": "198.51.100.7",
            "daily_messages": [1], "cache_factor": 0.5, "server_context": null, "log_level": "INFO", "admin_contact": "x@y.example"}"#;
        assert_eq!(
            kept(report, 7).unwrap(),
            r#"{"received":7,"homeserver":"few.turtles","daily_active_users":3,"cache_factor":0.5,"log_level":"INFO"}"#
        );
    }

    #[test]
    fn what_is_no_report_is_refused() {
        assert_eq!(kept(b"{\"homeserver\": \"a", 7), Err(NOT_JSON));
        assert_eq!(kept(b"[1]", 7), Err(NO_OBJECT));
        for report in [
            &b"{}"[..],
            b"{\"homeserver\": 5}",
            b"{\"homeserver\": \" \"}",
            b"{\"homeserver\": \"a\\nb\"}",
        ] {
            assert_eq!(kept(report, 7), Err(NO_SERVER));
        }
        let long = format!("{{\"homeserver\": \"{}\"}}", "a".repeat(256));
        assert_eq!(kept(long.as_bytes(), 7), Err(NO_SERVER));
        // Depth is bounded by the parser.
        assert_eq!(kept("[".repeat(60_000).as_bytes(), 7), Err(NOT_JSON));
    }
}
