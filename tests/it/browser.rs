//! The page in headless Chromium: charts render, nothing overflows, no error, no request.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::project::Project;

/// Runs in the page and leaves what it saw in an attribute, which `--dump-dom` prints.
const LOOK: &str = r#"<script>
addEventListener("load", () => document.fonts.ready.then(() => {
  const wide = document.documentElement.scrollWidth > innerWidth + 1;
  const over = [...document.querySelectorAll("main *")].filter(e => !e.closest(".scroll") && !e.closest("svg") && e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className);
  const shown = [...document.querySelectorAll(".chart svg")].filter(s => s.getClientRects().length);
  const empty = shown.filter(s => s.getBoundingClientRect().height < 100 || !s.querySelector("text"));
  const texts = shown.flatMap(s => { const f = s.getBoundingClientRect(); return [...s.querySelectorAll("text")].filter(t => { const b = t.getBoundingClientRect(); return b.left < f.left - 1 || b.right > f.right + 1 || b.top < f.top - 1 || b.bottom > f.bottom + 1; }).map(t => t.textContent); });
  const fonts = document.fonts.check("16px 'Essor Inter'");
  document.body.setAttribute("data-seen", JSON.stringify({ wide, over: over.slice(0, 5), charts: shown.length, empty: empty.length, texts: texts.slice(0, 5), fonts }));
}));
</script>"#;

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("ESSOR_CHROMIUM").map(PathBuf::from);
    let usual = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ]
    .map(PathBuf::from);
    named.into_iter().chain(usual).find(|p| p.exists())
}

fn open(
    browser: &PathBuf,
    page: &std::path::Path,
    width: u32,
    log: &std::path::Path,
    profile: &std::path::Path,
) -> Output {
    Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            "--virtual-time-budget=4000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("--window-size={width},900"))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap()
}

#[test]
fn the_page_renders_without_overflow_error_or_request() {
    let Some(browser) = chromium() else {
        println!("skipped: no Chromium here; install it, or name it in ESSOR_CHROMIUM");
        return;
    };
    let project = Project::of_repository();
    project.ok("report 2016-02");
    project.ok("report 2022-11 --platform Mastodon");
    for month in ["2016-02", "2022-11"] {
        let folder = project.path(&format!("reports/{month}"));
        let page = std::fs::read_to_string(folder.join("index.html")).unwrap();
        // The page forbids scripts; the copy that is measured lets this one in.
        let policy = page
            .find("<meta http-equiv=\"Content-Security-Policy\"")
            .unwrap();
        let end = policy + page[policy..].find('>').unwrap() + 1;
        let copy = folder.join("measured.html");
        std::fs::write(
            &copy,
            format!("{}{}{}", &page[..policy], LOOK, &page[end..]),
        )
        .unwrap();
        for width in [500, 820, 1280] {
            let profile = tempfile::tempdir().unwrap();
            let log = profile.path().join("net.json");
            let output = open(&browser, &copy, width, &log, profile.path());
            let dom = String::from_utf8_lossy(&output.stdout);
            let seen = dom
                .split("data-seen=\"")
                .nth(1)
                .and_then(|s| s.split('"').next())
                .unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
            let seen: serde_json::Value =
                serde_json::from_str(&seen.replace("&quot;", "\"")).unwrap();
            assert_eq!(seen["wide"], false, "{month} at {width}: {seen}");
            assert_eq!(
                seen["over"].as_array().unwrap().len(),
                0,
                "{month} at {width}: {seen}"
            );
            assert_eq!(
                seen["texts"].as_array().unwrap().len(),
                0,
                "{month} at {width}: {seen}"
            );
            assert_eq!(
                (&seen["empty"], &seen["fonts"]),
                (&0.into(), &true.into()),
                "{month} at {width}: {seen}"
            );
            assert!(
                seen["charts"].as_u64().unwrap() >= 3,
                "{month} at {width}: {seen}"
            );
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!errors.contains("CONSOLE"), "{month} at {width}: {errors}");
        }
        // The page as it is, under its own policy: no script, and nothing that is refused.
        let profile = tempfile::tempdir().unwrap();
        let log = profile.path().join("net.json");
        let output = open(
            &browser,
            &folder.join("index.html"),
            820,
            &log,
            profile.path(),
        );
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("CONSOLE"), "{month}: {errors}");
        let net = std::fs::read_to_string(&log).unwrap_or_default();
        // The browser's own calls to its maker are not the page's.
        let own = [
            "clients2.google.com",
            "update.googleapis.com",
            "accounts.google.com",
            "optimizationguide",
            "safebrowsing",
        ];
        let asked: Vec<&str> = net
            .match_indices("\"url\":\"http")
            .map(|(i, _)| net[i..].get(7..87).unwrap_or_default())
            .filter(|url| !own.iter().any(|o| url.contains(o)))
            .collect();
        assert!(asked.is_empty(), "{month}: {asked:?}");
    }
}
