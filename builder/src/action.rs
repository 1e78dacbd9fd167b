//! One command of a build as a closed value: what is run, with which arguments, environment and files, and what it leaves.
//!
//! A closed value says all that its outcome follows from, files by their content; whoever has it can run it elsewhere or
//! know it by its digest. A command that reads more than it says (a C compiler finds headers on the machine) is marked as
//! open and stays here. How it is run is [`crate::execute`]'s business.

use std::collections::BTreeMap;

use modkeep_store::{Digest, Hasher};

/// How a program of Go's collects garbage and how many threads it has, which changes nothing that it leaves: another machine
/// says other things.
const OF_MACHINE: [&str; 3] = ["GOGC", "GOMAXPROCS", "GOMEMLIMIT"];
/// The same among the arguments of a compiler.
const THREADS: &str = "-c=";

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The program: an absolute path, or a name that is looked up in PATH.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The folder that it runs in, absolute.
    pub folder: String,
    /// Its variables.
    pub environment: Variables,
    /// The files that it reads, except itself.
    pub inputs: Vec<Input>,
    /// The files that it leaves, absolute paths.
    pub outputs: Vec<String>,
}

/// The variables of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variables {
    /// These and no others.
    Closed(BTreeMap<String, String>),
    /// Those of the machine with these over them: the command is open.
    Inherited(Vec<(String, String)>),
}

/// A file that a command reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Input {
    /// Its absolute path.
    pub path: String,
    /// Its content.
    pub content: Digest,
}

impl Action {
    /// Whether the value says all that the outcome follows from.
    pub fn is_closed(&self) -> bool {
        matches!(self.environment, Variables::Closed(_))
    }

    /// The digest of the whole value, given that of its program; `None` for an open one.
    ///
    /// Paths count as they stand, so the value is that of one layout of folders.
    pub fn digest(&self, program: &Digest) -> Option<Digest> {
        let Variables::Closed(variables) = &self.environment else {
            return None;
        };
        let mut hasher = Hasher::default();
        // Lengths go before texts, so that no two values have one text.
        let mut field = |text: &str| {
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        };
        field(&program.to_string());
        field(&self.folder);
        let count = |list: usize| list.to_string();
        let arguments = || self.arguments.iter().filter(|argument| !argument.starts_with(THREADS));
        field(&count(arguments().count()));
        arguments().for_each(|argument| field(argument));
        let counted = || variables.iter().filter(|(name, _)| !OF_MACHINE.contains(&name.as_str()));
        field(&count(counted().count()));
        for (name, value) in counted() {
            field(name);
            field(value);
        }
        let mut inputs: Vec<&Input> = self.inputs.iter().collect();
        inputs.sort();
        field(&count(inputs.len()));
        for input in inputs {
            field(&input.path);
            field(&input.content.to_string());
        }
        self.outputs.iter().for_each(|output| field(output));
        Some(hasher.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Action {
        Action {
            program: "/go/compile".into(),
            arguments: vec!["-o".into(), "x".into()],
            folder: "/".into(),
            environment: Variables::Closed(BTreeMap::from([("GOOS".into(), "linux".into())])),
            inputs: vec![Input { path: "/a".into(), content: Digest::of(b"a") }],
            outputs: vec!["/x".into()],
        }
    }

    #[test]
    fn every_part_of_a_closed_value_counts() {
        let tool = Digest::of(b"tool");
        let before = sample().digest(&tool).unwrap();
        let mut others: Vec<Action> = vec![sample(); 5];
        others[0].arguments = vec!["-ox".into()];
        others[1].folder = "/tmp".into();
        others[2].environment = Variables::Closed(BTreeMap::new());
        others[3].inputs[0].content = Digest::of(b"b");
        others[4].outputs.clear();
        for other in others {
            assert_ne!(other.digest(&tool), Some(before), "{other:?}");
        }
        assert_ne!(sample().digest(&Digest::of(b"other tool")), Some(before));
        assert_eq!(sample().digest(&tool), Some(before));
    }

    #[test]
    fn what_memory_and_threads_a_tool_has_does_not_count() {
        let tool = Digest::of(b"tool");
        let mut frugal = sample();
        let Variables::Closed(variables) = &mut frugal.environment else { panic!("closed") };
        variables.extend(
            [("GOGC", "off"), ("GOMEMLIMIT", "1GiB"), ("GOMAXPROCS", "1")]
                .map(|(name, value)| (name.into(), value.into())),
        );
        frugal.arguments.push("-c=4".into());
        assert_eq!(frugal.digest(&tool), sample().digest(&tool));
    }

    #[test]
    fn an_open_value_has_no_digest() {
        let open = Action { environment: Variables::Inherited(Vec::new()), ..sample() };
        assert!(!open.is_closed());
        assert_eq!(open.digest(&Digest::of(b"tool")), None);
    }
}
