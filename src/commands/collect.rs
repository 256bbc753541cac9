//! `essor collect`: receives the phone-home reports that Matrix servers send, and keeps them in files.
//!
//! What a report may hold is named below, and nothing else of it is kept: no other key, no address of the
//! sender, no header. A report is on disk before it is answered. Everything a sender can take is bounded: bytes of a
//! report, reports a second, connections, and the time that a connection stays.

mod connections;
mod journal;
mod report;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;

use self::connections::Bounded;
use self::journal::Journal;
use super::{Outcome, Setting};

/// `essor collect`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  essor collect                               on 127.0.0.1:8437, into data/collected
  essor collect --listen 127.0.0.1:9000 --folder /srv/reports

In each homeserver.yaml:
  report_stats: true
  report_stats_endpoint: https://stats.example.org/report-usage-stats/push
A web server in front does TLS and hands on to the address above; nothing of it is kept but the report.
The files are read by `essor ingest data`, also while reports come in.")]
pub struct Args {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8437")]
    listen: SocketAddr,
    /// The folder that reports are kept in; data/collected of the project unless given
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// How many reports a second are taken at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
}

/// The longest report that is taken: real ones have about 800 bytes.
const LONGEST: usize = 64 << 10;

/// Receives reports until it is told to end.
pub fn run(args: Args, here: &std::path::Path, setting: &Setting) -> Result<Outcome> {
    let folder = match &args.folder {
        Some(folder) => here.join(folder),
        None => setting.project()?.root.join("data/collected"),
    };
    let journal = Journal::open(&folder)
        .with_context(|| format!("can't keep reports in `{}`", folder.display()))?;
    let collector = Arc::new(Collector {
        journal: Arc::new(Mutex::new(journal)),
        bucket: Mutex::new(Bucket::full(args.rate)),
        kept: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    setting.block_on(serve(args.listen, collector.clone()))?;
    let kept = collector.kept.load(Ordering::Relaxed);
    writeln!(
        anstream::stdout(),
        "kept {kept} {}, refused {}",
        if kept == 1 { "report" } else { "reports" },
        collector.refused.load(Ordering::Relaxed),
    )?;
    Ok(Outcome::Done)
}

async fn serve(address: SocketAddr, collector: Arc<Collector>) -> Result<()> {
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on `{address}`"))?;
    let listening = listener.local_addr()?;
    let mut out = anstream::stdout();
    writeln!(
        out,
        "listening on http://{listening}/report-usage-stats/push; ctrl-C ends it"
    )?;
    out.flush()?;
    let asked = asked_to_end()?;
    let router = Router::new().fallback(receive).with_state(collector);
    axum::serve(Bounded::new(listener), router)
        .with_graceful_shutdown(asked)
        .await?;
    Ok(())
}

/// Waits for ctrl-C or for the signal that services are ended with.
fn asked_to_end() -> Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async { _ = tokio::signal::ctrl_c().await })
}

/// What all connections share.
struct Collector {
    journal: Arc<Mutex<Journal>>,
    bucket: Mutex<Bucket>,
    kept: AtomicU64,
    refused: AtomicU64,
}

/// Why a report is not taken.
struct Refusal(StatusCode, &'static str);

async fn receive(State(collector): State<Arc<Collector>>, request: Request) -> Response {
    match take(&collector, request).await {
        Ok(()) => {
            collector.kept.fetch_add(1, Ordering::Relaxed);
            // Synapse takes an answer without a length, or without JSON, for a failure.
            ([(header::CONTENT_TYPE, "application/json")], "{}").into_response()
        }
        Err(Refusal(status, why)) => {
            collector.refused.fetch_add(1, Ordering::Relaxed);
            let said = serde_json::json!({ "error": why }).to_string();
            let mut response =
                (status, [(header::CONTENT_TYPE, "application/json")], said).into_response();
            let headers = response.headers_mut();
            match status {
                StatusCode::METHOD_NOT_ALLOWED => {
                    headers.insert(header::ALLOW, header::HeaderValue::from_static("PUT, POST"));
                }
                StatusCode::TOO_MANY_REQUESTS => {
                    headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
                }
                _ => {}
            }
            response
        }
    }
}

/// Takes one report: it is on disk when this has ended well.
async fn take(collector: &Collector, request: Request) -> Result<(), Refusal> {
    let path = request.uri().path();
    if !path.ends_with("/push") {
        return Err(Refusal(
            StatusCode::NOT_FOUND,
            "reports go to a path that ends in /push",
        ));
    }
    if !matches!(*request.method(), Method::PUT | Method::POST) {
        return Err(Refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            "reports are sent with PUT or POST",
        ));
    }
    let has_place = {
        let mut bucket = collector
            .bucket
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        bucket.take(Instant::now())
    };
    if !has_place {
        return Err(Refusal(
            StatusCode::TOO_MANY_REQUESTS,
            "too many reports a second",
        ));
    }
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > LONGEST as u64) {
        return Err(TOO_LONG);
    }
    let bytes = body(request.into_body()).await?;
    let now = chrono::Utc::now();
    let line = report::kept(&bytes, now.timestamp()).map_err(|why| {
        Refusal(
            StatusCode::from_u16(why.status).unwrap_or(StatusCode::BAD_REQUEST),
            why.said,
        )
    })?;
    let journal = collector.journal.clone();
    let written = tokio::task::spawn_blocking(move || {
        let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.write(now.date_naive(), &line)
    });
    match written.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            _ = writeln!(anstream::stderr(), "error: a report can't be kept: {error}");
            Err(NOT_KEPT)
        }
        Err(_) => Err(NOT_KEPT),
    }
}

const TOO_LONG: Refusal = Refusal(StatusCode::PAYLOAD_TOO_LARGE, "a report has at most 64 KiB");
const NOT_KEPT: Refusal = Refusal(
    StatusCode::INTERNAL_SERVER_ERROR,
    "the report could not be kept",
);

/// All bytes of a request, as far as they are not too many.
async fn body(body: Body) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut stream = body.into_data_stream();
    while let Some(more) = stream.next().await {
        let more =
            more.map_err(|_| Refusal(StatusCode::REQUEST_TIMEOUT, "the report was cut short"))?;
        if bytes.len() + more.len() > LONGEST {
            return Err(TOO_LONG);
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

/// As many reports as there are tokens, which come back at an even rate.
struct Bucket {
    tokens: f64,
    rate: f64,
    since: Instant,
}

impl Bucket {
    fn full(rate: u32) -> Self {
        Bucket {
            tokens: f64::from(rate),
            rate: f64::from(rate),
            since: Instant::now(),
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.rate);
        self.since = now;
        let has = self.tokens >= 1.0;
        if has {
            self.tokens -= 1.0;
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn tokens_come_back_at_the_rate_and_never_beyond_it() {
        let mut bucket = Bucket::full(2);
        let start = bucket.since;
        assert!(bucket.take(start) && bucket.take(start) && !bucket.take(start));
        assert!(!bucket.take(start + Duration::from_millis(400)));
        assert!(bucket.take(start + Duration::from_millis(600)));
        let later = start + Duration::from_secs(60);
        assert!(bucket.take(later) && bucket.take(later) && !bucket.take(later));
    }
}
