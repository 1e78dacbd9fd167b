//! Credentials from a netrc file, read as the go command reads it (`cmd/go/internal/auth/netrc.go`).
//!
//! `machine NAME login USER password SECRET` in any line arrangement; macros are skipped, `default` gives
//! nothing, the first entry for a machine holds. A machine may have a port and a path: the longest prefix of the
//! request's URL that is a machine is used.

use std::collections::HashMap;

use url::Url;

use crate::base::{basic, may_carry_credentials};
use crate::secret::Secret;

/// The entries of a netrc file.
#[derive(Clone, Debug, Default)]
pub struct Netrc {
    machines: HashMap<String, Secret>,
}

impl Netrc {
    /// Reads the text of a file. Nothing in it is an error: what isn't understood gives no credentials.
    pub fn parse(text: &str) -> Self {
        let mut machines = HashMap::new();
        for (machine, login, password) in entries(text) {
            let key = machine.strip_prefix("https://").unwrap_or(machine);
            let key = key.strip_suffix('/').unwrap_or(key).to_owned();
            machines.entry(key).or_insert_with(|| basic(login.as_bytes(), password.as_bytes()));
        }
        Self { machines }
    }

    /// The `Authorization` value for a URL, unless it would travel unencrypted to another machine.
    pub(crate) fn authorization(&self, url: &Url) -> Option<&Secret> {
        if self.machines.is_empty() || !may_carry_credentials(url) {
            return None;
        }
        let text = url.as_str();
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let mut prefix = text.strip_suffix('/').unwrap_or(text);
        loop {
            if let Some(found) = self.machines.get(prefix) {
                return Some(found);
            }
            prefix = &prefix[..prefix.rfind('/')?];
        }
    }
}

/// Machine, login and password of every complete entry, in order.
fn entries(text: &str) -> Vec<(&str, &str, &str)> {
    let mut found = Vec::new();
    let (mut machine, mut login, mut password) = ("", "", "");
    let mut in_macro = false;
    for line in text.split('\n') {
        if in_macro {
            in_macro = !line.is_empty();
            continue;
        }
        let fields: Vec<&str> = line.split_whitespace().collect();
        for pair in fields.chunks_exact(2) {
            match pair[0] {
                "machine" => (machine, login, password) = (pair[1], "", ""),
                "login" => login = pair[1],
                "password" => password = pair[1],
                "macdef" => in_macro = true,
                _ => {}
            }
            if !machine.is_empty() && !login.is_empty() && !password.is_empty() {
                found.push((machine, login, password));
                (machine, login, password) = ("", "", "");
            }
        }
        if fields.len() % 2 == 1 && fields.last() == Some(&"default") {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_as_the_go_command_finds_them() {
        let text = "\
# a comment is words like any other
machine one.example login ada password one

machine two.example
\tpassword two
\tlogin bob
machine half.example
  login nobody
machine three.example login cyd
account x password three

machine four.example macdef init login dan password four
  login inside-the-macro
  password skipped

machine five.example macdef init
machine skipped.example login skipped password skipped

login eve password five
login orphan password orphan
default
machine late.example login late password late
";
        let expected = [
            ("one.example", "ada", "one"),
            ("two.example", "bob", "two"),
            ("three.example", "cyd", "three"),
            ("four.example", "dan", "four"),
            ("five.example", "eve", "five"),
        ];
        assert_eq!(entries(text), expected);
    }

    #[test]
    fn the_longest_prefix_that_is_a_machine_counts_and_only_where_nobody_can_listen() {
        let netrc = Netrc::parse(
            "machine h.example login a password a\nmachine h.example/team login b password b\n\
             machine h.example:8443 login c password c\nmachine 127.0.0.1:3000 login d password d\n\
             machine h.example login second password second\n",
        );
        let (a, b, c, d) = ("Basic YTph", "Basic Yjpi", "Basic Yzpj", "Basic ZDpk");
        for (url, expected) in [
            ("https://h.example/rsc.io/quote/@v/list", Some(a)),
            ("https://h.example/team/rsc.io/quote/@v/list", Some(b)),
            ("https://h.example/teams/x", Some(a)),
            ("https://h.example:8443/x", Some(c)),
            ("https://h.example:9443/x", None),
            ("https://other.example/h.example", None),
            ("http://h.example/x", None),
            ("http://127.0.0.1:3000/x", Some(d)),
        ] {
            let found = netrc.authorization(&Url::parse(url).unwrap());
            assert_eq!(found.map(Secret::reveal), expected, "{url}");
        }
    }
}
