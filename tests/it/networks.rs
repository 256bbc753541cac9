//! Servers of one network, and figures that can't be so or hardly are.

use crate::project::Project;

/// A report as a homeserver sends it, for the seconds since 1970.
fn report(server: &str, seconds: i64, users: u32) -> String {
    format!(
        "{{\"homeserver\":\"{server}\",\"timestamp\":{seconds},\"daily_active_users\":{users},\"total_users\":50,\"daily_messages\":7,\"daily_e2ee_messages\":3}}\n"
    )
}

/// 2016-02-23T00:00:00Z.
const DAY: i64 = 1_456_185_600;

#[test]
fn reports_of_several_servers_add_up_to_their_network_with_its_coverage() {
    let project = Project::new("[project]\nplatform = \"Pigeon\"\nnetwork = \"Pigeon\"\n");
    let lines = [
        // The last report of a day stands for it, wherever its line is.
        report("a.example", DAY + 40_000, 12),
        report("a.example", DAY + 30_000, 11),
        report("b.example", DAY + 30_000, 5),
        report("a.example", DAY + 86_400 + 10, 13),
    ];
    project.write("data/reports.ndjson", lines.concat());
    let ran = project.essor("ingest data");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err
            .contains("phone-home reports of Matrix Synapse: its first report has `homeserver`"),
        "{}",
        ran.err
    );
    let told = project.ok("query daily_usage --platform Pigeon --metric dau --format csv");
    assert_eq!(
        told,
        "metric,day,value,mean_7d,flag,servers,known_servers,carried,mark\n\
         dau,2016-02-23,17,,,2,2,0,computed\n\
         dau,2016-02-24,13,,,1,2,0,computed\n"
    );
    let coverage =
        project.ok("query coverage --platform Pigeon --metric messages_seen --format csv");
    assert!(coverage.contains("messages_seen,2016-02-24,1,2,0,0.5"));
    let again = project.ok("ingest data");
    assert!(again.contains("0 files loaded, 1 already known"), "{again}");
}

#[test]
fn a_restated_figure_is_told_with_what_it_was() {
    let project = Project::new("[[source]]\npath = \"data/*\"\nplatform = \"Pigeon\"\n");
    for figure in [100, 130] {
        project.write(
            "data/daily.csv",
            format!("date,messages\n2016-02-01,90\n2016-02-02,{figure}\n"),
        );
        project.ok("ingest data");
    }
    assert_eq!(
        project.ok("query sanity --format csv"),
        "verdict,rule,platform,server,metric,day,value,against,change_rate,days\n\
         unlikely,restated,Pigeon,,messages_sent,2016-02-02,130,100,0.3,1\n"
    );
    let status = project.ok("status");
    assert!(status.contains("Doubtful figures") && status.contains("restated"));
}
