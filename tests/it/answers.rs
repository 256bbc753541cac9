//! What programs answer again and again: answers that overlap, and ids that two servers both give.

use crate::project::Project;

/// An answer of a Mastodon server: the running week, which is not taken, and its posts of the weeks before it.
fn weeks(newest: i64, posts: [u32; 2]) -> String {
    const WEEK: i64 = 7 * 86_400;
    let week = |ago: i64, posts: u32| {
        let begins = newest - ago * WEEK;
        format!(r#"{{"week":"{begins}","statuses":"{posts}","logins":"9","registrations":"2"}}"#)
    };
    let all = [week(0, 5), week(1, posts[0]), week(2, posts[1])];
    format!("[{}]", all.join(","))
}

/// 2023-02-13T00:00:00Z, a Monday.
const MONDAY: i64 = 1_676_246_400;

const POSTS: &str = "query daily_usage --platform Mastodon --metric messages_week --format csv";

#[test]
fn of_answers_that_overlap_the_one_that_reaches_further_counts() {
    let project = Project::new("[project]\n");
    let (earlier, later) = (
        weeks(MONDAY, [100, 80]),
        weeks(MONDAY + 604_800, [120, 101]),
    );
    // Whichever comes first.
    project.write("data/a.example-2023-02-20.json", later);
    project.ok("ingest data");
    project.write("data/a.example-2023-02-13.json", earlier);
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let told = project.ok(POSTS);
    let figures: Vec<&str> = told.lines().skip(1).collect();
    assert_eq!(figures.len(), 3, "{told}");
    for (figure, of) in figures
        .iter()
        .zip(["2023-02-05,80,", "2023-02-12,101,", "2023-02-19,120,"])
    {
        assert!(figure.starts_with(&format!("messages_week,{of}")), "{told}");
    }
    let refusing = Project::new("[project]\non_conflict = \"refuse\"\n");
    refusing.write("data/a.example-2023-02-13.json", weeks(MONDAY, [100, 80]));
    refusing.write(
        "data/a.example-2023-02-20.json",
        weeks(MONDAY + 604_800, [120, 101]),
    );
    assert_eq!(refusing.essor("ingest data").code, 1);
}

#[test]
fn of_contents_of_one_path_the_newer_counts_though_it_holds_few_days() {
    let project = Project::new("[project]\n[[source]]\npath = \"data/*.csv\"\nplatform = \"A\"\n");
    project.write(
        "data/a.csv",
        "date,signups\n2016-01-01,1\n2016-01-02,2\n2016-01-03,3\n",
    );
    project.ok("ingest data");
    project.write("data/a.csv", "date,signups\n2016-01-02,22\n");
    project.ok("ingest data");
    let told = project.ok("query daily_usage --platform A --metric signups --format csv");
    let figures: Vec<&str> = told.lines().skip(1).collect();
    for (figure, of) in figures
        .iter()
        .zip(["2016-01-01,1,", "2016-01-02,22,", "2016-01-03,3,"])
    {
        assert!(figure.starts_with(&format!("signups,{of}")), "{told}");
    }
}

#[test]
fn an_answer_that_says_otherwise_of_weeks_long_over_restates_them() {
    let project = Project::new("[project]\n");
    project.write("data/a.example-2023-02-13.json", weeks(MONDAY, [100, 80]));
    let mut later = weeks(MONDAY, [100, 81]);
    later.insert_str(
        1,
        r#"{"week":"1676851200","statuses":"1","logins":"1","registrations":"0"},"#,
    );
    project.write("data/a.example-2023-02-20.json", later);
    project.ok("ingest data");
    let told = project.ok("query sanity --format csv");
    assert!(
        told.contains("unlikely,restated,Mastodon,a.example,messages_week,2023-02-05,81,80,"),
        "{told}"
    );
    assert_eq!(told.matches("restated").count(), 1, "{told}");
}

#[test]
fn weeks_of_two_servers_add_up_and_those_of_two_weeks_do_not() {
    let project = Project::new("[project]\nplatform = \"Fleet\"\nnetwork = \"Fleet\"\n");
    project.write("data/a.example-2023-02-13.json", weeks(MONDAY, [100, 80]));
    project.write("data/b.example-2023-02-13.json", weeks(MONDAY, [7, 3]));
    project.ok("ingest data");
    let told = project.ok(&POSTS.replace("Mastodon", "Fleet"));
    for figure in ["2023-02-05,83,,,2,2,", "2023-02-12,107,,,2,2,"] {
        assert!(told.contains(figure), "{told}");
    }
    let monthly = project.ok("query monthly_usage --platforms Fleet --month 2023-02 --format csv");
    assert!(
        monthly.contains("Fleet,messages_week,107,messages,2023-02-12"),
        "{monthly}"
    );
}

#[test]
fn equal_ids_of_two_servers_are_two_people() {
    let project = Project::new("[project]\n");
    let counts = "id,realm_id,user_id,property,subgroup,end_time,value\n\
                  1,1,42,1day_actives::day,,2016-02-24 00:00:00+00,1\n\
                  2,1,43,1day_actives::day,,2016-02-24 00:00:00+00,1\n";
    project.write("data/a.example.csv", counts);
    project.write("data/b.example.csv", counts);
    project.ok("ingest data");
    let told = project.ok("query active_users --platform Zulip --format csv");
    assert!(told.contains("2016-02-23,,4,"), "{told}");
}

#[test]
fn a_network_is_of_servers_and_takes_no_chat_of_another_platform() {
    let project = Project::new("[project]\nplatform = \"Fleet\"\nnetwork = \"Fleet\"\n");
    project.write(
        "data/result.json",
        r#"{"name": "x", "type": "private_group", "id": 1, "messages": [
            {"id": 1, "type": "message", "date": "2016-02-23T10:00:00", "date_unixtime": "1456221600", "from_id": "user1", "text": ""}]}"#,
    );
    project.ok("ingest data");
    let told = project.sql("SELECT DISTINCT platform FROM activity");
    assert_eq!(told, "Telegram chats\n");
}

/// An export of Telegram Desktop: a chat, and the days of February 2016 of its messages.
fn chat(id: u32, days: std::ops::Range<u32>) -> String {
    let message = |day: u32| {
        format!(
            r#"{{"id": {day}, "type": "message", "date": "2016-02-{day:02}T10:00:00", "from_id": "user{}", "text": "id"}}"#,
            day % 3
        )
    };
    let messages: Vec<String> = days.map(message).collect();
    let messages = messages.join(",");
    format!(r#"{{"name": "x", "type": "private_group", "id": {id}, "messages": [{messages}]}}"#)
}

const MESSAGES: &str = "SELECT sum(value) FROM platform_days WHERE metric = 'messages_sent' AND day < DATE '2016-03-01'";

#[test]
fn a_chat_exported_again_counts_once_and_another_chat_besides() {
    let project = Project::new("[project]\n");
    project.write("data/ChatExport_2016-02-10/result.json", chat(7, 1..11));
    project.write("data/ChatExport_2016-02-20/result.json", chat(7, 1..21));
    project.write("data/other/result.json", chat(8, 1..6));
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("in place of an earlier load"),
        "{}",
        ran.err
    );
    assert_eq!(project.sql(MESSAGES), "25\n");
    // An export made before those.
    project.write("data/early/result.json", chat(7, 1..9));
    project.ok("ingest data");
    assert_eq!(project.sql(MESSAGES), "25\n");
    // From the middle on: some of the days again, and not all.
    project.write("data/late/result.json", chat(7, 15..25));
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("is of the same chat as `data/ChatExport_2016-02-20/result.json`"),
        "{}",
        ran.err
    );
    assert_eq!(project.sql(MESSAGES), "25\n");
}

#[test]
fn a_whatsapp_chat_exported_again_counts_once() {
    let project = Project::new("[project]\n");
    let first = "05/02/16, 10:14 - Ann: a\n05/02/16, 10:15 - Bob: b\n13/02/16, 10:15 - Ann: c\n";
    project.write("data/WhatsApp Chat with Ann.txt", first);
    project.write(
        "data/WhatsApp Chat with Ann (1).txt",
        format!("{first}14/02/16, 11:00 - Bob: d\n"),
    );
    project.write("data/WhatsApp Chat with Cy.txt", first.replace("Bob", "Cy"));
    project.ok("ingest data");
    let told = project.sql(MESSAGES);
    assert_eq!(told, "7\n");
}

#[test]
fn a_file_that_turns_out_to_be_of_another_platform_moves_there() {
    let project = Project::new("[project]\n");
    let series = r#"{"message": "success", "data": [{"time": "2016-02-23", "dau": 7}]}"#;
    project.write("data/kpi.json", series);
    project.ok("ingest data/kpi.json");
    project.ok("ingest data/kpi.json --platform Pigeon");
    assert_eq!(
        project.sql("SELECT platform, value FROM usage"),
        "Pigeon,7\n"
    );
}

#[test]
fn what_lies_beside_an_export_is_passed_over_and_a_refusal_is_told() {
    let project = Project::new("[project]\n");
    let counts = r#"{"analytics_realmcount": [], "analytics_usercount": [{"id": 1, "user": 3, "property": "1day_actives::day", "subgroup": null, "end_time": 1456272000.0, "value": 1}]}"#;
    project.write("data/chat.example.org/analytics.json", counts);
    project.write(
        "data/chat.example.org/realm.json",
        r#"{"zerver_realm": [{"name": "secret"}]}"#,
    );
    project.write(
        "data/chat.example.org/messages-000001.json",
        r#"{"zerver_message": []}"#,
    );
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err
            .contains("nothing is read of `data/chat.example.org/realm.json`"),
        "{}",
        ran.err
    );
    project.write("data/refused.json", r#"{"error": "Record not found"}"#);
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("a server's word that it refused to answer"),
        "{}",
        ran.err
    );
}
