//! The rules for one element of a path, and for the slashes between elements.

use super::PathKind;
use crate::quote::{quote, quote_char};
use crate::unicode::is_letter;

/// The rule a path breaks; reads as Go says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the text of each is its meaning")]
pub enum PathProblem {
    #[error("empty string")]
    Empty,
    #[error("leading dash")]
    LeadingDash,
    #[error("double slash")]
    DoubleSlash,
    #[error("trailing slash")]
    TrailingSlash,
    #[error("empty path element")]
    EmptyElement,
    #[error("invalid path element {}", quote(.0))]
    DotsOnly(String),
    #[error("leading dot in path element")]
    LeadingDot,
    #[error("trailing dot in path element")]
    TrailingDot,
    #[error("invalid char {}", quote_char(*.0))]
    InvalidChar(char),
    #[error("{} disallowed as path element component on Windows", quote(.0))]
    WindowsName(String),
    #[error("trailing tilde and digits in path element")]
    WindowsShortName,
    #[error("missing dot in first path element")]
    NoDotInFirstElement,
    #[error("invalid char {} in first path element", quote_char(*.0))]
    InvalidCharInFirstElement(char),
    #[error("invalid version")]
    InvalidVersion,
}

/// Names that Windows keeps for devices, with any extension and in any case.
const WINDOWS_DEVICES: [&str; 22] = [
    "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
    "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
];

pub(super) fn check_elements(path: &str, kind: PathKind) -> Result<(), PathProblem> {
    if path.is_empty() {
        return Err(PathProblem::Empty);
    }
    if path.starts_with('-') && kind != PathKind::File {
        return Err(PathProblem::LeadingDash);
    }
    if path.contains("//") {
        return Err(PathProblem::DoubleSlash);
    }
    if path.ends_with('/') {
        return Err(PathProblem::TrailingSlash);
    }
    path.split('/').try_for_each(|element| check_element(element, kind))
}

pub(crate) fn check_element(element: &str, kind: PathKind) -> Result<(), PathProblem> {
    if element.is_empty() {
        return Err(PathProblem::EmptyElement);
    }
    if element.bytes().all(|b| b == b'.') {
        return Err(PathProblem::DotsOnly(element.to_owned()));
    }
    if element.starts_with('.') && kind == PathKind::Module {
        return Err(PathProblem::LeadingDot);
    }
    if element.ends_with('.') {
        return Err(PathProblem::TrailingDot);
    }
    if let Some(char) = element.chars().find(|&c| !may_stand_in(kind, c)) {
        return Err(PathProblem::InvalidChar(char));
    }
    let stem = element.split('.').next().unwrap_or(element);
    if matches!(stem.len(), 3 | 4) && WINDOWS_DEVICES.iter().any(|device| device.eq_ignore_ascii_case(stem)) {
        return Err(PathProblem::WindowsName(stem.to_owned()));
    }
    if kind != PathKind::File && looks_like_a_short_name(stem) {
        return Err(PathProblem::WindowsShortName);
    }
    Ok(())
}

pub(super) fn may_stand_in_host(c: char) -> bool {
    matches!(c, '-' | '.' | '0'..='9' | 'a'..='z')
}

fn may_stand_in(kind: PathKind, c: char) -> bool {
    match kind {
        _ if c.is_ascii_alphanumeric() => true,
        PathKind::Module => matches!(c, '-' | '.' | '_' | '~'),
        PathKind::Import => matches!(c, '-' | '.' | '_' | '~' | '+'),
        PathKind::File if c.is_ascii() => "!#$%&()+,-.=@[]^_{}~ ".contains(c),
        PathKind::File => is_letter(c),
    }
}

/// `PROGRA~1`: a tilde and nothing but digits after it.
fn looks_like_a_short_name(stem: &str) -> bool {
    stem.rsplit_once('~')
        .is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}
