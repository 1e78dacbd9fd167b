//! The table of settings.

use clap::{Arg, ArgAction};

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One text; the word stands for it in the help.
    One(&'static str),
    /// One whole number.
    Number(&'static str),
    /// Any number of texts: the flag repeated, a list in the file, separated by commas in the variable.
    Many(&'static str),
    /// `true` or `false`; the bare flag is `true`.
    Switch,
}

/// One setting, the same by flag, variable and key. Names of a section begin with it and a hyphen: in the file
/// `freshness-list` is `list` in `[freshness]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) help: &'static str,
}

/// What `serve` can be told.
pub(crate) const SERVE: &[Setting] = &[
    one("config", "FILE", "Read settings from this TOML file"),
    one("listen", "HOST:PORT", "Where to listen [default: 127.0.0.1:3000]; port 0 takes a free one"),
    one("store", "DIR|URL", "A folder, or s3://BUCKET/PREFIX [default: modkeep in the user's data folder]"),
    one("s3-endpoint", "URL", "The server of the bucket, for anything but AWS"),
    one("s3-region", "REGION", "The region of the bucket [default: what the AWS SDK finds, else us-east-1]"),
    switch("s3-path-style", "Say the bucket in the path and not in the host, as most servers but AWS want"),
    one("upstream", "LIST", "Where modules come from, as GOPROXY [default: what the go command would use]"),
    many("sumdb", "SPEC", "A checksum database, as GOSUMDB; the first verifies, all are passed on"),
    one(
        "tls-cert",
        "FILE",
        "Speak TLS with this certificate and its chain (PEM); read again when it changes",
    ),
    one("tls-key", "FILE", "The key of the certificate (PEM)"),
    many("trusted-proxies", "NET", "Believe Forwarded and X-Forwarded-For from this address or network"),
    one("max-connections", "NUMBER", "Connections at one time [default: 16384, or what descriptors allow]"),
    one("base-path", "PATH", "Serve under this path of the URL"),
    switch("offline", "Ask nobody: serve only what is kept"),
    one(
        "free-space",
        "SIZE",
        "What must stay free on the disk where files grow; below it nothing new is kept [default: 64MiB]",
    ),
    switch("private-absent", "Answer 404, not 403, for names of GOPRIVATE or GONOPROXY that are not kept"),
    switch("access-log", "Log each request [default: true]"),
    number(
        "absences",
        "NUMBER",
        "How many 404s and refusals are remembered on disk, more only in memory [default: 1000000]",
    ),
    one("log-format", "FORMAT", "text or json [default: text]"),
    one("log-level", "LEVEL", "error, warn, info, debug or trace [default: info]"),
    one(
        "freshness-list",
        "TIME",
        "How long a list of versions is given before it is asked for again [default: 60s]",
    ),
    one("freshness-latest", "TIME", "The same for @latest [default: 60s]"),
    one("freshness-query", "TIME", "The same for what a branch, hash or prefix stands for [default: 60s]"),
    one("freshness-not-found", "TIME", "The same for a 404 or 410 of any of these [default: 60s]"),
    one(
        "freshness-not-found-version",
        "TIME",
        "The same for a 404 or 410 of a version's file [default: 10m]",
    ),
    one(
        "freshness-refusal",
        "TIME",
        "The same for a refusal of the upstream's or of a proof's [default: 30s]",
    ),
    one(
        "freshness-malformed",
        "TIME",
        "How long clients may keep the 404 of a path that names nothing [default: 1d]",
    ),
    one(
        "freshness-wait",
        "TIME",
        "How long a client whose answer is old waits for a newer one [default: 1s]",
    ),
    one("cache-folder", "DIR", "Keep results that builds share (`modkeep build -remote`) in this folder"),
    many(
        "cache-readers",
        "SHA256",
        "The SHA-256 of a token that may read them [default: everybody who reaches the server may]",
    ),
    many("cache-writers", "SHA256", "The SHA-256 of a token that may read and write [default: nobody may]"),
    one("cache-size", "SIZE", "How much may lie there; what was not used for longest goes [default: 20GiB]"),
    one("cache-max-blob", "SIZE", "The longest result, as it is packed; 1GiB is the most [default: 1GiB]"),
];

/// The tables of the file.
pub(crate) const SECTIONS: &[&str] = &["cache", "freshness"];

/// What the verbs about a store can be told.
pub(crate) const STORE: &[Setting] = &[SERVE[0], SERVE[2], SERVE[3], SERVE[4], SERVE[5]];

const fn one(name: &'static str, value: &'static str, help: &'static str) -> Setting {
    Setting { name, shape: Shape::One(value), help }
}

const fn number(name: &'static str, value: &'static str, help: &'static str) -> Setting {
    Setting { name, shape: Shape::Number(value), help }
}

const fn many(name: &'static str, value: &'static str, help: &'static str) -> Setting {
    Setting { name, shape: Shape::Many(value), help }
}

const fn switch(name: &'static str, help: &'static str) -> Setting {
    Setting { name, shape: Shape::Switch, help }
}

impl Setting {
    /// The variable that carries it.
    pub(crate) fn variable(&self) -> String {
        format!("MODKEEP_{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// The table of the file that it stands in, if any, and its key there.
    pub(crate) fn place(&self) -> (Option<&'static str>, &'static str) {
        let within =
            |section: &&'static str| Some((*section, self.name.strip_prefix(section)?.strip_prefix('-')?));
        match SECTIONS.iter().find_map(within) {
            Some((section, key)) => (Some(section), key),
            None => (None, self.name),
        }
    }

    /// The flag that carries it.
    pub(crate) fn argument(&self) -> Arg {
        let argument =
            Arg::new(self.name).long(self.name).help(format!("{} [{}]", self.help, self.variable()));
        match self.shape {
            Shape::One(value) | Shape::Number(value) => argument.value_name(value).action(ArgAction::Set),
            Shape::Many(value) => argument.value_name(value).action(ArgAction::Append),
            Shape::Switch => argument
                .value_name("BOOL")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .action(ArgAction::Set),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_the_name_in_capitals() {
        let variables: Vec<_> = SERVE.iter().map(Setting::variable).collect();
        assert!(variables.contains(&"MODKEEP_BASE_PATH".to_owned()), "{variables:?}");
    }

    #[test]
    fn in_the_file_a_section_is_a_table() {
        let places: Vec<_> = SERVE.iter().map(Setting::place).collect();
        assert!(places.contains(&(Some("freshness"), "not-found")), "{places:?}");
        assert!(places.contains(&(None, "free-space")), "{places:?}");
    }

    #[test]
    fn the_verbs_about_a_store_share_settings_of_serve() {
        let names: Vec<_> = STORE.iter().map(|setting| setting.name).collect();
        assert_eq!(names, ["config", "store", "s3-endpoint", "s3-region", "s3-path-style"]);
    }
}
