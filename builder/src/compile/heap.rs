//! Compilers that end before collecting what they no longer need would pay.
//!
//! Go's compiler collects from 128 MiB on as any program does. Most packages need little more in all, and a tenth of what
//! compiling costs is to look for what is garbage. Where there is memory, compilers of packages that are not large go on
//! without, up to a bound from which they collect after all. What they make is the same.

use std::fs;
use std::sync::OnceLock;

use super::Unit;
use crate::action::{Action, Variables};

/// Up to where a compiler doesn't collect, in bytes, and how Go's runtime is told so.
const HEAP: u64 = 1 << 30;
const LIMIT: &str = "1GiB";

/// The bytes of sources of a package that is large: each takes some 250 bytes of memory in all, and beyond the bound
/// collecting would cost more than it does otherwise.
const LARGE: u64 = 2 << 20;

/// Whether all compilers of a build can be given that much.
#[derive(Debug, Default)]
pub(crate) struct Heap(OnceLock<bool>);

impl Heap {
    fn is_there(&self, parallel: usize) -> bool {
        *self.0.get_or_init(|| available().is_some_and(|bytes| bytes / HEAP >= parallel as u64))
    }
}

impl Unit<'_> {
    /// Has the compiler collect late, unless the user has settled that.
    pub(super) fn collect_late(&self, action: &mut Action, go_files: &[String]) {
        let shop = self.shop;
        let Variables::Closed(variables) = &mut action.environment else { return };
        // What is run before a tool may do anything with its variables.
        let is_settled = variables.contains_key("GOGC") || variables.contains_key("GOMEMLIMIT");
        if is_settled || !shop.flags.wrapper.is_empty() || !shop.tools.heap.is_there(shop.flags.parallel) {
            return;
        }
        let size = |file: &String| fs::metadata(self.actual(file)).map_or(0, |found| found.len());
        if go_files.iter().map(size).sum::<u64>() < LARGE {
            variables.insert("GOGC".to_owned(), "off".to_owned());
            variables.insert("GOMEMLIMIT".to_owned(), LIMIT.to_owned());
        }
    }
}

/// The bytes of memory that nobody uses, as far as the system and what confines this process in it say.
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let of_system = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10;
    Some(confined().map_or(of_system, |most| most.min(of_system)))
}

/// The least bound of the groups that this process is in, and of those around them.
fn confined() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_line = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let (kinds, path) = rest.split_once(':')?;
        let (root, name) = match kinds.split(',').any(|kind| kind == "memory") {
            true => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            false if kinds.is_empty() => ("/sys/fs/cgroup", "memory.max"),
            false => return None,
        };
        let around = std::path::Path::new(path).ancestors();
        let bounds = around.filter_map(|group| {
            let file = format!("{root}{}/{name}", group.display());
            fs::read_to_string(file).ok()?.trim().parse::<u64>().ok()
        });
        bounds.min()
    };
    groups.lines().filter_map(of_line).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_to_as_many_compilers_as_it_is_there_for() {
        let Some(bytes) = available() else { return };
        assert!(bytes > 0);
        let most = usize::try_from(bytes / HEAP).unwrap();
        assert!(Heap::default().is_there(most / 2));
        assert!(!Heap::default().is_there(most * 2 + 2));
    }
}
