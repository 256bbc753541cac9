//! Reports over a real socket: what is answered stands in the file, whatever happens then.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::project::Project;

/// A collector of a project, and where it listens.
struct Collector {
    child: Child,
    address: String,
}

impl Collector {
    fn start(project: &Project, words: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_essor"))
            .current_dir(project.root())
            .args(["collect", "--listen", "127.0.0.1:0"])
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .split("http://")
            .nth(1)
            .unwrap()
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        Collector { child, address }
    }

    /// Sends bytes as they are and gives the answer's status and all of it.
    fn raw(&self, bytes: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(40)))
            .unwrap();
        // A collector that refuses early may have closed its side.
        _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        (status, answer)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let length = body.len();
        self.raw(format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: 198.51.100.7\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn collected(project: &Project) -> String {
    let mut text = String::new();
    let folder = project.path("data/collected");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        text.push_str(&std::fs::read_to_string(file).unwrap());
    }
    text
}

#[test]
fn an_answered_report_outlives_a_kill_and_is_ingested() {
    let project = Project::new("");
    let mut collector = Collector::start(&project, &[]);
    let report = r#"{"homeserver":"a.example","timestamp":5,"daily_active_users":3,"remote_addr":"198.51.100.7"}"#;
    for (method, path) in [("PUT", "/report-usage-stats/push"), ("POST", "/push")] {
        let (status, answer) = collector.send(method, path, report);
        assert_eq!(status, 200, "{answer}");
        assert!(
            answer.to_lowercase().contains("content-length: 2\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains("application/json") && answer.ends_with("\r\n\r\n{}"),
            "{answer}"
        );
    }
    // SIGKILL: nothing is flushed or finished any more.
    collector.child.kill().unwrap();
    collector.child.wait().unwrap();
    let text = collected(&project);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(!text.contains("198.51"), "{text}");
    assert!(
        text.lines().all(|line| line.starts_with("{\"received\":")),
        "{text}"
    );
    project.ok("ingest data");
    let rows = project.sql("SELECT server, metric, value FROM usage");
    assert_eq!(rows, "a.example,dau,3\n");
}

#[test]
fn what_is_no_report_is_refused_with_a_fitting_status() {
    let project = Project::new("");
    let collector = Collector::start(&project, &[]);
    let report = "{\"homeserver\":\"a.example\"}";
    for (method, path, body, status) in [
        ("GET", "/push", "", 405),
        ("DELETE", "/push", "", 405),
        ("PUT", "/", report, 404),
        ("PUT", "/pushed", report, 404),
        ("PUT", "/push", "{\"homeserver\":", 400),
        ("PUT", "/push", "[]", 422),
        ("PUT", "/push", "{\"total_users\":1}", 422),
        (
            "PUT",
            "/push",
            &format!("{{\"homeserver\":\"a\",\"x\":\"{}\"}}", "y".repeat(70_000)),
            413,
        ),
    ] {
        let (answered, answer) = collector.send(method, path, body);
        assert_eq!(answered, status, "{method} {path}: {answer}");
        assert!(!answer.contains("a.example"), "{answer}");
    }
    // Without a length, in chunks, and with a body that is never finished.
    let chunk = "y".repeat(0x8000);
    let chunked = format!(
        "PUT /push HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n8000\r\n{chunk}\r\n8000\r\n{chunk}\r\n8000\r\n{chunk}\r\n0\r\n\r\n"
    );
    assert_eq!(collector.raw(chunked.as_bytes()).0, 413);
    assert_eq!(collector.raw(b"nonsense\r\n\r\n").0, 400);
    assert!(collected(&project).is_empty());
}

#[test]
fn more_reports_a_second_than_are_taken_are_refused() {
    let project = Project::new("");
    let collector = Collector::start(&project, &["--rate", "3"]);
    let statuses: Vec<u16> = (0..12)
        .map(|_| {
            collector
                .send("PUT", "/push", "{\"homeserver\":\"a.example\"}")
                .0
        })
        .collect();
    assert!(
        statuses.contains(&429) && statuses[0] == 200,
        "{statuses:?}"
    );
    let kept = statuses.iter().filter(|s| **s == 200).count();
    assert_eq!(collected(&project).lines().count(), kept);
}

#[test]
fn who_sends_slowly_does_not_hold_a_place() {
    let project = Project::new("");
    let collector = Collector::start(&project, &[]);
    let start = Instant::now();
    let mut idle: Vec<TcpStream> = Vec::new();
    // As many as there are places, each with half a head.
    for _ in 0..256 {
        let mut stream = TcpStream::connect(&collector.address).unwrap();
        stream
            .write_all(b"PUT /push HTTP/1.1\r\nHost: x\r\n")
            .unwrap();
        idle.push(stream);
    }
    let (status, answer) = collector.send("PUT", "/push", "{\"homeserver\":\"a.example\"}");
    assert_eq!(status, 200, "{answer}");
    let waited = start.elapsed();
    assert!(
        waited > Duration::from_secs(5) && waited < Duration::from_secs(40),
        "{waited:?}"
    );
}

#[cfg(unix)]
#[test]
fn what_was_begun_is_finished_when_it_is_told_to_end() {
    let project = Project::new("");
    let mut collector = Collector::start(&project, &[]);
    let body = "{\"homeserver\":\"a.example\"}";
    let mut stream = TcpStream::connect(&collector.address).unwrap();
    let head = format!(
        "PUT /push HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let pid = collector.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(collector.child.wait().unwrap().success());
    assert_eq!(collected(&project).lines().count(), 1);
}
