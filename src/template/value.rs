//! What templates work on.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use jiff::civil::DateTime;

/// One value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A pointer to nothing, of this type.
    Nil(&'static str),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A time, RFC 3339.
    Time(String),
    /// Texts by texts.
    Map(BTreeMap<String, String>),
    /// Named fields.
    Record(Rc<Record>),
}

/// A structure behind a pointer.
#[derive(Debug)]
pub(crate) struct Record {
    /// Its type in Go, such as `*modinfo.ModulePublic`.
    pub(crate) kind: &'static str,
    /// Its fields.
    pub(crate) fields: Vec<(&'static str, Value)>,
    /// How it is printed, which is what its method `String` gives, if it has one; empty where its fields are.
    pub(crate) shown: String,
    /// Whether it has that method.
    pub(crate) has_string: bool,
}

impl Value {
    /// Whether a condition holds.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil(_) => false,
            Self::Bool(is_true) => *is_true,
            Self::Int(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Time(_) | Self::Record(_) => true,
        }
    }

    /// The type's name in Go.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil(kind) => kind,
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Text(_) => "string",
            Self::List(_) => "[]string",
            Self::Time(_) => "*time.Time",
            Self::Map(_) => "map[string]string",
            Self::Record(record) => record.kind,
        }
    }
}

/// As `fmt.Print` shows it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil(_) => f.write_str("<nil>"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(value) => f.write_str(value),
            Self::List(list) => {
                let texts: Vec<_> = list.iter().map(Value::to_string).collect();
                write!(f, "[{}]", texts.join(" "))
            }
            Self::Time(time) => f.write_str(&plain_time(time)),
            Self::Map(map) => {
                let texts: Vec<_> = map.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                write!(f, "map[{}]", texts.join(" "))
            }
            Self::Record(record) if record.shown.is_empty() => {
                let texts: Vec<_> = record.fields.iter().map(|(_, value)| value.to_string()).collect();
                write!(f, "{{{}}}", texts.join(" "))
            }
            Self::Record(record) => f.write_str(&record.shown),
        }
    }
}

/// A time taken apart: the clock, the fraction, the zone.
fn take_apart(time: &str) -> (Option<DateTime>, &str, &str) {
    let at = time.rfind(['Z', '+']).or_else(|| time.rfind('-').filter(|at| *at > 10)).unwrap_or(time.len());
    let (clock, zone) = time.split_at(at);
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    (whole.parse().ok(), fraction, zone)
}

fn plain_time(time: &str) -> String {
    let (clock, fraction, zone) = take_apart(time);
    let Some(clock) = clock else { return time.to_owned() };
    let dot = if fraction.is_empty() { "" } else { "." };
    let day = clock.strftime("%Y-%m-%d %H:%M:%S");
    match zone {
        "Z" => format!("{day}{dot}{fraction} +0000 UTC"),
        zone => {
            let zone = zone.replace(':', "");
            format!("{day}{dot}{fraction} {zone} {zone}")
        }
    }
}

/// A time in a layout of Go's (`time.Format`), in its own zone.
pub(super) fn format_time(time: &str, layout: &str) -> String {
    let (clock, fraction, zone) = take_apart(time);
    let Some(clock) = clock else { return time.to_owned() };
    let part = |pattern: &str| clock.strftime(pattern).to_string();
    let is_utc = zone == "Z";
    let offset = if is_utc { "+00:00" } else { zone };
    let parts = [
        ("January", part("%B")),
        ("Jan", part("%b")),
        ("Monday", part("%A")),
        ("Mon", part("%a")),
        ("MST", if is_utc { "UTC".to_owned() } else { offset.replace(':', "") }),
        ("2006", part("%Y")),
        ("-0700", offset.replace(':', "")),
        ("-07:00", offset.to_owned()),
        ("-07", offset[..3].to_owned()),
        ("Z0700", if is_utc { "Z".to_owned() } else { offset.replace(':', "") }),
        ("Z07:00", if is_utc { "Z".to_owned() } else { offset.to_owned() }),
        (".999999999", if fraction.is_empty() { String::new() } else { format!(".{fraction}") }),
        (".000", format!(".{:0<3.3}", fraction)),
        ("01", part("%m")),
        ("02", part("%d")),
        ("03", part("%I")),
        ("04", part("%M")),
        ("05", part("%S")),
        ("06", part("%y")),
        ("15", part("%H")),
        ("PM", part("%p")),
        ("1", part("%-m")),
        ("2", part("%-d")),
        ("3", part("%-I")),
        ("4", part("%-M")),
        ("5", part("%-S")),
    ];
    let mut shown = String::new();
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        match parts.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                shown.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                shown.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_gos_layouts() {
        let time = "2018-02-14T15:44:20Z";
        for (layout, want) in [
            ("2006-01-02", "2018-02-14"),
            ("2006-01-02T15:04:05Z07:00", time),
            ("Jan 2, 2006 at 3:04pm (MST)", "Feb 14, 2018 at 3:44pm (UTC)"),
            ("Mon Jan _2", "Wed Feb _14"),
        ] {
            assert_eq!(format_time(time, layout), want);
        }
        assert_eq!(Value::Time(time.into()).to_string(), "2018-02-14 15:44:20 +0000 UTC");
        assert_eq!(format_time("2018-02-14T15:44:20-07:00", "-0700 Z07:00"), "-0700 -07:00");
    }
}
