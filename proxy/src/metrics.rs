//! What is counted, and its Prometheus text.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use modkeep_fetch::requests::Requests;
use modkeep_fetch::sumdb::Status;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, LabelValueEncoder};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use crate::server::tls::Certificates;

/// The content type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A request that was answered: what it asked for, and the status.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Answered {
    pub(crate) kind: &'static str,
    pub(crate) status: u16,
}

/// Something that has a kind of resource and nothing else to tell it apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Kind {
    pub(crate) kind: &'static str,
}

/// A checksum database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OfDatabase {
    pub(crate) database: String,
}

/// Why a connection was asked to leave.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Eviction {
    reason: &'static str,
}

impl Eviction {
    pub(crate) const QUIET: Self = Self { reason: "quiet" };
    pub(crate) const STUCK: Self = Self { reason: "stuck" };
    pub(crate) const FICKLE: Self = Self { reason: "fickle" };

    /// For the log.
    pub(crate) fn complaint(&self) -> &'static str {
        match self.reason {
            "quiet" => "the client asks for nothing and others want its place",
            "stuck" => "the client takes nothing of its reply",
            _ => "the client leaves its replies before they are made",
        }
    }
}

/// How a proof ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Verdict {
    pub(crate) kind: &'static str,
    pub(crate) verdict: Outcome,
}

/// The ends that a proof can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// The checksum database vouches for it.
    Proved,
    /// No database is asked for this module; its form is right.
    Unverified,
    /// The proof failed.
    Refused,
    /// No database could be asked.
    Unknown,
}

impl prometheus_client::encoding::EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        use fmt::Write;
        encoder.write_str(match self {
            Self::Proved => "proved",
            Self::Unverified => "unverified",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        })
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Family<Answered, Counter>,
    pub(crate) bytes: Counter,
    pub(crate) broken_streams: Counter,
    pub(crate) upstream_bytes: Counter,
    pub(crate) stale: Family<Kind, Counter>,
    pub(crate) verdicts: Family<Verdict, Counter>,
    pub(crate) panics: Counter,
    pub(crate) sumdb_records: Family<OfDatabase, Gauge>,
    pub(crate) sumdb_head_seconds: Family<OfDatabase, Gauge>,
    pub(crate) sumdb_forked: Family<OfDatabase, Gauge>,
    pub(crate) flights: Gauge,
    pub(crate) connections: Gauge,
    pub(crate) connection_limit: Gauge,
    pub(crate) evictions: Family<Eviction, Counter>,
}

impl Metrics {
    /// `upstream` counts what is asked of the upstream, if there is one.
    pub(crate) fn new(upstream: Option<Arc<Requests>>, certificates: Option<Arc<Certificates>>) -> Self {
        let mut registry = Registry::with_prefix("modkeep");
        let requests = Family::default();
        registry.register("requests", "Requests answered, by kind and status", requests.clone());
        let bytes = Counter::default();
        registry.register("sent_bytes", "Bytes of bodies handed to clients", bytes.clone());
        let broken_streams = Counter::default();
        registry.register("broken_streams", "Replies ended short on purpose", broken_streams.clone());
        if let Some(requests) = upstream {
            registry.register_collector(Box::new(UpstreamRequests(requests)));
        }
        if let Some(certificates) = certificates {
            registry.register_collector(Box::new(OfTls(certificates)));
        }
        let upstream_bytes = Counter::default();
        registry.register("upstream_bytes", "Bytes of bodies from the upstream", upstream_bytes.clone());
        let stale = Family::default();
        registry.register("stale_answers", "Answers given past their lifetime", stale.clone());
        let verdicts = Family::default();
        registry.register("verdicts", "Proofs ended, by kind and verdict", verdicts.clone());
        let panics = Counter::default();
        registry.register("panics", "Requests ended by a fault of our own", panics.clone());
        let sumdb_records = Family::default();
        registry.register("sumdb_records", "Records in the newest proved tree", sumdb_records.clone());
        let sumdb_head_seconds = Family::default();
        let help = "When the newest proved head was installed, in seconds since 1970";
        registry.register("sumdb_head_timestamp_seconds", help, sumdb_head_seconds.clone());
        let sumdb_forked = Family::default();
        let help = "1 when the database was caught with two histories and nothing new is believed";
        registry.register("sumdb_forked", help, sumdb_forked.clone());
        let flights = Gauge::default();
        registry.register("flights", "Fetches in the air", flights.clone());
        let connections = Gauge::default();
        registry.register("connections", "Connections open", connections.clone());
        let connection_limit = Gauge::default();
        registry.register("connection_limit", "Connections that have room", connection_limit.clone());
        let evictions = Family::default();
        registry.register("evictions", "Connections ended for what they cost", evictions.clone());
        Self {
            registry,
            requests,
            bytes,
            broken_streams,
            upstream_bytes,
            stale,
            verdicts,
            panics,
            sumdb_records,
            sumdb_head_seconds,
            sumdb_forked,
            flights,
            connections,
            connection_limit,
            evictions,
        }
    }

    /// Takes down what is known of a database.
    pub(crate) fn note_database(&self, database: String, status: &Status) {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let of = OfDatabase { database };
        self.sumdb_records.get_or_create(&of).set(gauge(status.size.unwrap_or(0)));
        self.sumdb_head_seconds.get_or_create(&of).set(gauge(status.since));
        self.sumdb_forked.get_or_create(&of).set(i64::from(status.is_frozen));
    }

    /// The names of all values; a counter's ends in `_total`.
    pub(crate) fn names(self) -> BTreeSet<String> {
        // What has no value yet is not in the text.
        drop(self.requests.get_or_create(&Answered { kind: "list", status: 200 }));
        drop(self.stale.get_or_create(&Kind { kind: "list" }));
        drop(self.verdicts.get_or_create(&Verdict { kind: "zip", verdict: Outcome::Proved }));
        drop(self.evictions.get_or_create(&Eviction::QUIET));
        let of = OfDatabase { database: String::new() };
        for gauge in [&self.sumdb_records, &self.sumdb_head_seconds, &self.sumdb_forked] {
            drop(gauge.get_or_create(&of));
        }
        let text = self.text();
        let typed = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let name = |(name, kind): (&str, &str)| match kind {
            "counter" => format!("{name}_total"),
            _ => name.to_owned(),
        };
        typed.map(name).collect()
    }

    /// All values in the OpenMetrics text format.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string doesn't fail");
        text
    }
}

/// What the transport to the upstream has counted itself.
#[derive(Debug)]
struct UpstreamRequests(Arc<Requests>);

impl Collector for UpstreamRequests {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let metric = ConstCounter::new(0_u64);
        let help = "Requests that left for upstreams, retries included";
        let mut family = encoder.encode_descriptor("upstream_requests", help, None, metric.metric_type())?;
        for (kind, count) in self.0.snapshot() {
            let labels = [("kind", kind)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// What the certificate knows of itself.
#[derive(Debug)]
struct OfTls(Arc<Certificates>);

impl Collector for OfTls {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let expires = ConstGauge::new(self.0.expires().unwrap_or(0));
        let help = "When the certificate in use ends, in seconds since 1970";
        let name = "tls_certificate_expiry_timestamp_seconds";
        expires.encode(encoder.encode_descriptor(name, help, None, expires.metric_type())?)?;
        let metric = ConstCounter::new(0_u64);
        let help = "Changed certificates that were read, by how that went";
        let mut family = encoder.encode_descriptor("tls_reloads", help, None, metric.metric_type())?;
        for (result, count) in ["taken", "refused"].into_iter().zip(self.0.counts()) {
            let labels = [("result", result)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_what_was_counted() {
        let metrics = Metrics::new(Some(Arc::default()), None);
        metrics.requests.get_or_create(&Answered { kind: "list", status: 404 }).inc_by(2);
        let verdict = Verdict { kind: "zip", verdict: Outcome::Proved };
        metrics.verdicts.get_or_create(&verdict).inc();
        let text = metrics.text();
        for line in [
            "modkeep_upstream_requests_total{kind=\"mod\"} 0",
            "modkeep_requests_total{kind=\"list\",status=\"404\"} 2",
            "modkeep_verdicts_total{kind=\"zip\",verdict=\"proved\"} 1",
            "modkeep_flights 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }
}
