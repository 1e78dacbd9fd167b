//! The flags of `vet`: those of building, its own few, and those of the tool, which are passed on as they stand.
//!
//! Sources of the rules: `cmd/go/internal/vet/vetflag.go:toolFlags`, `cmd/go/internal/cmdflag`.

use std::collections::BTreeMap;

use super::USAGE;
use super::tool::{ToolFlag, flags_of, of_toolchain};
use crate::building::BuildFlags;
use crate::flags::{GoFlags, Kind, boolean, integer};
use crate::goenv::GoEnv;
use crate::report::Failure;

/// What was given.
#[derive(Debug, Default)]
pub(super) struct VetFlags {
    pub(super) build: BuildFlags,
    /// `-vettool`, absolute.
    pub(super) tool: Option<String>,
    /// The tool as it was named.
    named: String,
    /// The flags of the tool as they were given, those of GOFLAGS first.
    pub(super) to_tool: Vec<String>,
    /// `-c`: lines around each finding.
    pub(super) context: Option<usize>,
    json: bool,
    fix: bool,
    diff: bool,
    /// As they were given; none means the current folder.
    pub(super) packages: Vec<String>,
}

/// What is done with what the tool writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is told on stderr.
    Findings,
    /// It is passed on.
    Json,
    /// It is passed on, and anything at all is a failure.
    Diff,
    /// It is passed on, and fixes are applied.
    Fix,
}

impl VetFlags {
    pub(super) fn parse(go: &GoEnv, words: &[String]) -> Result<Self, Failure> {
        let mut flags = Self::default();
        if let Some(named) = named_tool(words)? {
            flags.tool = Some(go.absolute(&named));
            flags.named = named;
        }
        let path = match &flags.tool {
            Some(tool) => tool.clone(),
            None => of_toolchain(go)?,
        };
        // The toolchain's own may be named as well.
        flags.tool.take_if(|tool| of_toolchain(go).is_ok_and(|own| own == *tool));
        let mut of_tool = flags_of(&path)?;
        of_tool.retain(|flag| flag.name != "c");
        let known: Vec<&str> = of_tool.iter().map(|flag| flag.name.as_str()).collect();
        let goflags = GoFlags::parse_with(go.get("GOFLAGS").unwrap_or_default(), &known)?;
        let mut implied = flags.set_from(go, &goflags, &of_tool)?;
        let mut explicit = Vec::new();
        let mut rest = words;
        while let [word, behind @ ..] = rest {
            let text = word.strip_prefix('-').filter(|text| !text.starts_with("--")).unwrap_or_default();
            let text = text.strip_prefix('-').unwrap_or(text);
            match (word.as_str(), text) {
                ("--", _) => {
                    rest = behind;
                    break;
                }
                (_, "h" | "help" | "?") => return Err(Failure::exact(2, flags.usage())),
                (_, "") => break,
                _ if text.starts_with('=') => break,
                _ => {}
            }
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (text, None),
            };
            let Some(kind) = kind_of(name, &of_tool) else {
                return Err(flags.refuse(&format!("flag provided but not defined: -{name}")));
            };
            let (value, behind) = match (kind, value, behind) {
                (Kind::Bool | Kind::Optional, value, behind) => (value.unwrap_or("true"), behind),
                (Kind::Text, Some(value), behind) => (value, behind),
                (Kind::Text, None, [value, behind @ ..]) => (value.as_str(), behind),
                (Kind::Text, None, []) => {
                    return Err(flags.refuse(&format!("flag needs an argument: -{name}")));
                }
            };
            flags.set(go, name, kind, value)?;
            if of_tool.iter().any(|flag| flag.name == name) {
                explicit.extend(rest[..rest.len() - behind.len()].iter().cloned());
                implied.remove(name);
            }
            rest = behind;
        }
        flags.packages = rest.to_vec();
        flags.to_tool = implied.iter().map(|(name, value)| format!("-{name}={value}")).collect();
        flags.to_tool.extend(explicit);
        Ok(flags)
    }

    /// Takes what GOFLAGS say; gives those of the tool, in the order in which they are passed on.
    fn set_from(
        &mut self,
        go: &GoEnv,
        goflags: &GoFlags,
        of_tool: &[ToolFlag],
    ) -> Result<BTreeMap<String, String>, Failure> {
        let mut implied = BTreeMap::new();
        for (name, value) in goflags.words() {
            let Some(kind) = kind_of(name, of_tool) else { continue };
            let value = match (kind, value) {
                (Kind::Text, None) => {
                    let problem = format!("go: flag needs an argument: -{name} (from $GOFLAGS)");
                    return Err(self.refuse(&problem));
                }
                (_, value) => value.unwrap_or("true"),
            };
            self.set(go, name, kind, value)?;
            if of_tool.iter().any(|flag| flag.name == name) {
                let value = match (kind, boolean(value)) {
                    (Kind::Bool, Some(is_set)) => is_set.to_string(),
                    // What go's own flag of that name calls itself.
                    _ if name == "tags" => "<TagsFlag>".to_owned(),
                    _ => value.to_owned(),
                };
                implied.insert(name.to_owned(), value);
            }
        }
        Ok(implied)
    }

    fn set(&mut self, go: &GoEnv, name: &str, kind: Kind, value: &str) -> Result<(), Failure> {
        let quoted = modkeep_module::quote::quote(value);
        let is_set = match (kind, boolean(value)) {
            (Kind::Bool, None) => {
                let problem = format!("invalid boolean value {quoted} for -{name}: parse error");
                return Err(self.refuse(&problem));
            }
            (_, is_set) => is_set.unwrap_or_default(),
        };
        let normal = if kind == Kind::Bool { if is_set { "true" } else { "false" } } else { value };
        match name {
            "C" => {
                let reason = "-C flag must be first flag on command line";
                return Err(self.refuse(&format!("invalid value {quoted} for flag -C: {reason}")));
            }
            "json" => self.json = is_set,
            "fix" => self.fix = is_set,
            "diff" => self.diff = is_set,
            "c" => match integer(value) {
                Ok(lines) => self.context = usize::try_from(lines).ok(),
                Err(error) => {
                    return Err(self.refuse(&format!("invalid value {quoted} for flag -c: {error}")));
                }
            },
            // Found before all others.
            "vettool" => {}
            name => {
                // What it is refused for is said with the whole usage of the verb.
                self.build.set(&USAGE, go, name, normal).map_err(|failure| match failure.status {
                    2 => Failure::exact(2, format!("{failure}\n{}", self.more_help())),
                    _ => failure,
                })?;
            }
        }
        Ok(())
    }

    /// What is done with findings, and all the flags that the tool gets.
    pub(super) fn mode(&self) -> Result<(Mode, Vec<String>), Failure> {
        let mut to_tool = self.to_tool.clone();
        let refuse = |problem: &str| Err(Failure::exact(1, problem));
        let mut add = |flag: &str| to_tool.push(flag.to_owned());
        let mode = match (self.fix, self.json, self.diff) {
            (true, true, true) => return refuse("-json and -diff cannot be used together"),
            (false, _, true) => return refuse("go vet -diff flag requires -fix"),
            (_, true, _) => Mode::Json,
            (true, false, true) => {
                add("-fix");
                add("-diff");
                Mode::Diff
            }
            (true, false, false) => {
                add("-fix");
                Mode::Fix
            }
            (false, false, false) => {
                add("-json");
                Mode::Findings
            }
        };
        if self.fix && self.context.is_some() {
            return refuse("-c flag cannot be used when applying fixes");
        }
        Ok((mode, to_tool))
    }

    fn refuse(&self, problem: &str) -> Failure {
        Failure::exact(2, format!("{problem}\n{}", self.usage()))
    }

    fn usage(&self) -> String {
        format!("usage: {}\nRun 'go help vet' for details.\n{}", USAGE.line, self.more_help())
    }

    fn more_help(&self) -> String {
        let tool = if self.named.is_empty() { "go tool vet" } else { &self.named };
        format!(
            "Run '{tool} help' for a full list of flags and analyzers.\nRun '{tool} -help' for an overview."
        )
    }
}

/// How a flag takes its value; the verb's own come before those of the tool.
fn kind_of(name: &str, of_tool: &[ToolFlag]) -> Option<Kind> {
    let own = USAGE.flags.iter().chain(&[("C", Kind::Text)]).find(|(own, _)| *own == name);
    let of_tool = of_tool.iter().find(|flag| flag.name == name);
    own.map(|(_, kind)| *kind)
        .or_else(|| of_tool.map(|flag| if flag.is_bool { Kind::Bool } else { Kind::Text }))
}

/// The tool that is named anywhere among the words, which says what flags there are.
fn named_tool(words: &[String]) -> Result<Option<String>, Failure> {
    for (index, word) in words.iter().enumerate() {
        let Some(text) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else { continue };
        if text == "vettool" {
            let next = words.get(index + 1).cloned();
            let next = next.ok_or_else(|| Failure::exact(1, format!("{word} requires a filename")))?;
            return Ok(Some(next).filter(|name| !name.is_empty()));
        }
        if let Some(name) = text.strip_prefix("vettool=") {
            return Ok(Some(name.to_owned()).filter(|name| !name.is_empty()));
        }
    }
    Ok(None)
}
