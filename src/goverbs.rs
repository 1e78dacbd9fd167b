//! Verbs of the go command that modkeep doesn't have. They are refused by name: another tool is never run behind
//! the user's back.

use std::ffi::OsString;

use crate::report::Failure;

/// What `go help` lists, less what we have.
const NOT_OURS: &[&str] = &[
    "bug",
    "build",
    "clean",
    "doc",
    "env",
    "fix",
    "fmt",
    "generate",
    "get",
    "install",
    "list",
    "mod",
    "run",
    "telemetry",
    "test",
    "tool",
    "vet",
    "work",
];

/// Fails if the words, or the verb that they want help for, are the go command's alone.
pub(crate) fn refuse(words: &[OsString]) -> Result<(), Failure> {
    let mut verbs = words.iter().filter_map(|word| word.to_str());
    let verb = match verbs.next() {
        Some("help") => verbs.next(),
        verb => verb,
    };
    match verb {
        Some(verb) if NOT_OURS.contains(&verb) => {
            Err(Failure::usage(format!("there is no verb `{verb}` here"))
                .with_hint(format!("the go command has it: go {verb}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_of_go_name_the_go_command() {
        for words in [&["build", "./..."][..], &["help", "build"]] {
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            let failure = refuse(&words).unwrap_err();
            assert_eq!(failure.status, 2);
            assert!(failure.to_string().contains("go build"), "{failure}");
        }
        assert!(refuse(&["serve".into(), "build".into()]).is_ok());
        assert!(refuse(&[]).is_ok());
    }
}
