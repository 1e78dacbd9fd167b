//! `.info` documents: what a proxy says of a version, its commit's time and where it came from.
//!
//! A document is served with the bytes it came in; this reads it to judge it. The reading is that of the go command
//! (names of fields match in any case, unknown fields are free). Stricter than Go where two readers could see two
//! things: one object and nothing after it, UTF-8, each field once, times as RFC 3339 writes them.

use jiff::civil::DateTime;

use crate::quote::quote;
use crate::resource::Resource;
use crate::version::{ModuleError, ModuleVersion};

mod object;
mod origin;

use object::Object;
pub use origin::Origin;

/// What an `.info` document says (`modfetch.RevInfo`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// The version that the asked name stands for.
    pub version: String,
    /// The time of the commit, RFC 3339 as in the document; its offset is shown to users.
    pub time: Option<String>,
    /// Where the version came from, and what its resolution depends on.
    pub origin: Option<Origin>,
}

/// A document that is no `.info`, or not the one that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum InfoError {
    /// It is no JSON object of the right kinds.
    #[error("invalid .info document: {source}")]
    Json {
        /// What the reader says.
        source: serde_json::Error,
        /// The first character, where no value begins with it.
        stray: Option<char>,
    },
    /// A field that must be there is not.
    #[error("invalid .info document: no {0}")]
    Missing(&'static str),
    /// A field is there more than once, in the same or in another case.
    #[error("invalid .info document: more than one {0}")]
    Twice(&'static str),
    /// The time is none.
    #[error("invalid .info document: malformed time {}", quote(.0))]
    Time(String),
    /// Another version than the one asked for; in the words of the go command.
    #[error("proxy returned info for version {0} instead of requested version")]
    OtherVersion(String),
    /// A name was resolved to what can be no version of the module.
    #[error("proxy returned info for an impossible version: {0}")]
    NoVersion(#[from] ModuleError),
}

impl Info {
    /// Reads a document.
    pub fn parse(document: &[u8]) -> Result<Self, InfoError> {
        let mut object: Object<'_> = serde_json::from_slice(document).map_err(|source| {
            let text = String::from_utf8_lossy(document);
            let first = text.trim_start().chars().next();
            let is_stray = |c: &char| !matches!(c, '{' | '[' | '"' | '-' | '0'..='9' | 't' | 'f' | 'n');
            InfoError::Json { source, stray: first.filter(is_stray) }
        })?;
        let version: String = object.take("Version")?.ok_or(InfoError::Missing("Version"))?;
        let time: Option<String> = object.take("Time")?;
        let origin: Option<Object<'_>> = object.take("Origin")?;
        match time {
            Some(time) if !is_rfc3339(&time) => Err(InfoError::Time(time)),
            time => Ok(Self { version, time, origin: origin.map(Origin::read).transpose()? }),
        }
    }

    /// Checks that this is an answer to what was asked: the very version, or for a name any version of the module.
    pub fn answers(&self, asked: &Resource) -> Result<(), InfoError> {
        match (asked.version(), asked.module()) {
            (Some(asked), _) if asked.version.as_str() == self.version => Ok(()),
            (None, Some(module)) => {
                ModuleVersion::parse(module.as_str(), &self.version)?;
                Ok(())
            }
            _ => Err(InfoError::OtherVersion(self.version.clone())),
        }
    }

    /// Whether the document tells a secret: it must not be served.
    pub fn carries_credentials(&self) -> bool {
        self.origin.as_ref().is_some_and(Origin::carries_credentials)
    }
}

/// `2006-01-02T15:04:05`, a fraction or none, and `Z` or an offset such as `+01:00`.
fn is_rfc3339(time: &str) -> bool {
    let Some((clock, rest)) = time.split_at_checked(19) else { return false };
    let zone = match rest.strip_prefix('.').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()))
    {
        Some(zone) if rest.len() > 1 + zone.len() => zone,
        Some(_) => return false,
        None => rest,
    };
    has_shape(clock, "0000-00-00T00:00:00")
        && clock.parse::<DateTime>().is_ok()
        && !clock.ends_with("60")
        && (zone == "Z"
            || has_shape(zone, "+00:00") && zone[1..3] < *"24" && zone[4..6] < *"60"
            || has_shape(zone, "-00:00") && zone[1..3] < *"24" && zone[4..6] < *"60")
}

/// Whether a text has a digit wherever the shape has `0`, and is the shape elsewhere.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(c, shape)| if shape == b'0' { c.is_ascii_digit() } else { c == shape })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_the_go_command_reads_it() {
        let document = br#" {"Version":"v1.2.3","Time":"2019-01-29T23:31:27+01:00","Unknown":[{}],"origin":
            {"VCS":"git","URL":"https://x.y/z","Hash":"abc","Ref":"refs/tags/v1.2.3","TagSum":"t1:x","Subdir":null}} "#;
        let info = Info::parse(document).unwrap();
        assert_eq!(info.version, "v1.2.3");
        assert_eq!(info.time.as_deref(), Some("2019-01-29T23:31:27+01:00"));
        let origin = info.origin.unwrap();
        assert_eq!(
            (
                &*origin.vcs,
                &*origin.url,
                &*origin.hash,
                &*origin.reference,
                &*origin.tag_sum,
                &*origin.subdir
            ),
            ("git", "https://x.y/z", "abc", "refs/tags/v1.2.3", "t1:x", "")
        );
        let bare = Info::parse(br#"{"Version":"v1.0.0","Time":null,"Origin":null}"#).unwrap();
        assert_eq!((bare.time, bare.origin), (None, None));
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        for (document, want) in [
            ("", "invalid .info document: EOF while parsing a value"),
            ("null", "invalid .info document: invalid type: null, expected an object"),
            ("[]", "invalid .info document: invalid type: sequence, expected an object"),
            ("{}", "invalid .info document: no Version"),
            (r#"{"Version":null}"#, "invalid .info document: no Version"),
            (r#"{"Version":1}"#, "invalid .info document: invalid type: integer `1`, expected a string"),
            (r#"{"Version":"v1","version":"v2"}"#, "invalid .info document: more than one Version"),
            (r#"{"Version":"v1","Ver\u017fion":"v2"}"#, "invalid .info document: more than one Version"),
            (r#"{"Version":"v1"} {}"#, "invalid .info document: trailing characters"),
            (
                r#"{"Version":"v1","Time":"yesterday"}"#,
                "invalid .info document: malformed time \"yesterday\"",
            ),
            (
                r#"{"Version":"v1","Origin":"x"}"#,
                "invalid .info document: invalid type: string \"x\", expected an object",
            ),
            (
                r#"{"Version":"v1","Origin":{"URL":"a","url":"b"}}"#,
                "invalid .info document: more than one URL",
            ),
        ] {
            let error = Info::parse(document.as_bytes()).unwrap_err().to_string();
            assert_eq!(error.split(" at line").next().unwrap(), want);
        }
    }

    #[test]
    fn a_time_is_one_that_exists_in_the_form_of_rfc_3339() {
        for (time, want) in [
            ("2019-01-29T23:31:27Z", true),
            ("0001-01-01T00:00:00Z", true),
            ("2020-02-29T23:59:59.123456789012-23:59", true),
            ("2019-02-29T23:31:27Z", false),
            ("2019-01-29T24:00:00Z", false),
            ("2019-01-29T23:31:60Z", false),
            ("2019-01-29T23:31:27", false),
            ("2019-01-29T23:31:27.Z", false),
            ("2019-01-29T23:31:27,5Z", false),
            ("2019-01-29 23:31:27Z", false),
            ("2019-01-29T23:31:27+24:00", false),
            ("2019-01-29T23:31:27+01:60", false),
            ("2019-01-29T23:31:27+0100", false),
            ("2019-01-29T3:31:27Z", false),
        ] {
            assert_eq!(is_rfc3339(time), want, "{time}");
        }
    }

    #[test]
    fn an_answer_names_the_version_asked_for_or_one_of_the_module() {
        let answers = |path: &str, version: &str| {
            let info = Info { version: version.to_owned(), time: None, origin: None };
            info.answers(&Resource::parse(path).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(answers("/x.y/z/@v/v1.0.0.info", "v1.0.0"), Ok(()));
        assert_eq!(answers("/x.y/z/@v/main.info", "v0.0.0-20161208181325-20d25e280405"), Ok(()));
        assert_eq!(answers("/x.y/z/@latest", "v2.0.0+incompatible"), Ok(()));
        assert_eq!(
            answers("/x.y/z/@v/v1.0.0.info", "v1.0.1").unwrap_err(),
            "proxy returned info for version v1.0.1 instead of requested version"
        );
        assert_eq!(
            answers("/x.y/z/@latest", "v2.0.0").unwrap_err(),
            "proxy returned info for an impossible version: x.y/z@v2.0.0: invalid version: should be v0 or v1, not v2"
        );
        assert_eq!(
            answers("/x.y/z/@v/main.info", "main").unwrap_err(),
            "proxy returned info for an impossible version: x.y/z@main: invalid version: not a semantic version"
        );
    }
}
