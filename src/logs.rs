//! The log: on stderr, as lines for people or as JSON objects.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::config::{ConfigError, Layers};
use crate::report;

/// How loud other people's code may be.
const LIBRARIES: LevelFilter = LevelFilter::WARN;

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Starts the log as the settings say; gives its format.
///
/// # Errors
/// For a format or level that there isn't.
pub(crate) fn start(layers: &Layers) -> Result<Format, ConfigError> {
    let format = layers.parsed("log-format", "text or json", |word| match word {
        "text" => Some(Format::Text),
        "json" => Some(Format::Json),
        _ => None,
    })?;
    let level = layers.parsed("log-level", "error, warn, info, debug or trace", |word| word.parse().ok())?;
    let level = level.unwrap_or(LevelFilter::INFO);
    let filter = Targets::new().with_default(LIBRARIES.min(level)).with_target("modkeep", level);
    let stderr = std::io::stderr;
    let lines = tracing_subscriber::fmt::layer().with_ansi(stderr().is_terminal()).with_writer(stderr);
    let registry = tracing_subscriber::registry();
    let format = format.unwrap_or(Format::Text);
    match format {
        Format::Text => registry.with(lines.with_filter(filter)).init(),
        Format::Json => registry.with(lines.json().flatten_event(true).with_filter(filter)).init(),
    }
    Ok(format)
}

impl Format {
    /// Warns of something that must be meant: for people whatever the level of the log, for machines as an event, so
    /// that every line is JSON.
    pub(crate) fn warn(self, text: &str) {
        match self {
            Self::Text => report::warning(text),
            Self::Json => tracing::warn!("{text}"),
        }
    }
}
