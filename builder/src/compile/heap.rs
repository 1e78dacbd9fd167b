//! Compilers that end before collecting what they no longer need would pay.
//!
//! Go's compiler collects from 128 MiB on as any program does. Most packages need little more in all, and a tenth of what
//! compiling costs is to look for what is garbage. Where there is memory, compilers of packages that are not large collect
//! seldom, up to a bound from which they do so as always. What they make is the same. Not to collect at all is no faster: what
//! is saved goes into pages that are touched for the first time.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use super::Unit;
use crate::action::{Action, Variables};

/// Up to where a compiler collects seldom, in bytes, and how Go's runtime is told so.
const HEAP: u64 = 1 << 30;
const LIMIT: &str = "1GiB";
/// By how much the heap grows before it is collected, in percent of what is in use.
const GROWTH: &str = "400";

/// The bytes of sources of a package that is large: each takes some 250 bytes of memory in all, and beyond the bound
/// collecting would cost more than it does otherwise.
const LARGE: u64 = 2 << 20;

/// Whether all compilers of a build can be given that much, and as much is left for linkers and whatever else runs.
#[derive(Debug, Default)]
pub(crate) struct Heap(OnceLock<bool>);

impl Heap {
    fn is_there(&self, parallel: usize) -> bool {
        *self.0.get_or_init(|| available().is_some_and(|bytes| is_enough(bytes, parallel)))
    }
}

impl Unit<'_> {
    /// Has the compiler collect late, unless the user has settled that.
    pub(super) fn collect_late(&self, action: &mut Action, size: u64) {
        let shop = self.shop;
        let Variables::Closed(variables) = &mut action.environment else { return };
        // What is run before a tool may do anything with its variables.
        let is_settled = variables.contains_key("GOGC") || variables.contains_key("GOMEMLIMIT");
        if is_settled || !shop.flags.wrapper.is_empty() || !shop.tools.heap.is_there(shop.flags.parallel) {
            return;
        }
        if size < LARGE {
            variables.insert("GOGC".to_owned(), GROWTH.to_owned());
            variables.insert("GOMEMLIMIT".to_owned(), LIMIT.to_owned());
        }
    }

    /// The bytes that a compiler reads.
    pub(super) fn size_of(&self, go_files: &[String]) -> u64 {
        go_files.iter().map(|file| fs::metadata(self.actual(file)).map_or(0, |found| found.len())).sum()
    }
}

fn is_enough(bytes: u64, parallel: usize) -> bool {
    bytes / HEAP >= (parallel as u64).saturating_mul(2)
}

/// The bytes of memory that nobody uses, as far as the system and what confines this process in it say.
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let of_system = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10;
    Some(confined().map_or(of_system, |left| left.min(of_system)))
}

/// The names of a memory group's files: its bound, what it uses, and what of that are files that may be dropped at once.
struct Names {
    root: &'static str,
    bound: &'static str,
    used: &'static str,
    dropped: &'static str,
}

const FIRST: Names = Names {
    root: "/sys/fs/cgroup/memory",
    bound: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    dropped: "total_inactive_file ",
};
const SECOND: Names =
    Names { root: "/sys/fs/cgroup", bound: "memory.max", used: "memory.current", dropped: "inactive_file " };

/// What is left in the fullest of the groups that this process is in, and of those around them.
fn confined() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_line = |line: &str| {
        let (_, rest) = line.split_once(':')?;
        let (kinds, path) = rest.split_once(':')?;
        let names = match kinds.split(',').any(|kind| kind == "memory") {
            true => FIRST,
            false if kinds.is_empty() => SECOND,
            false => return None,
        };
        let around = Path::new(path).ancestors();
        around.filter_map(|group| left(&format!("{}{}", names.root, group.display()), &names)).min()
    };
    groups.lines().filter_map(of_line).min()
}

/// What is left in a group; nothing for one without a bound.
fn left(group: &str, names: &Names) -> Option<u64> {
    let number = |name: &str| -> Option<u64> {
        fs::read_to_string(format!("{group}/{name}")).ok()?.trim().parse().ok()
    };
    let bound = number(names.bound)?;
    let used = number(names.used).unwrap_or(0);
    let statistics = fs::read_to_string(format!("{group}/memory.stat")).unwrap_or_default();
    let dropped = statistics.lines().find_map(|line| line.strip_prefix(names.dropped)?.parse().ok());
    Some(bound.saturating_sub(used.saturating_sub(dropped.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_to_as_many_compilers_as_it_is_there_for_twice() {
        for (bytes, parallel, expected) in
            [(4 * HEAP, 2, true), (4 * HEAP - 1, 2, false), (4 * HEAP, 3, false), (0, 1, false)]
        {
            assert_eq!(is_enough(bytes, parallel), expected, "{bytes} for {parallel}");
        }
        let Some(bytes) = available() else { return };
        assert!(bytes > 0);
        let most = usize::try_from(bytes / HEAP).unwrap();
        assert!(!Heap::default().is_there(most * 2 + 2));
    }

    #[test]
    fn what_a_group_uses_is_not_left() {
        let folder = tempfile::tempdir().unwrap();
        let group = folder.path().to_str().unwrap();
        let write = |name: &str, text: &str| {
            crate::shop::write_throwaway(&format!("{group}/{name}"), text.as_bytes()).unwrap();
        };
        assert_eq!(left(group, &SECOND), None);
        write("memory.max", "max\n");
        assert_eq!(left(group, &SECOND), None);
        write("memory.max", "1000\n");
        assert_eq!(left(group, &SECOND), Some(1000));
        write("memory.current", "700\n");
        assert_eq!(left(group, &SECOND), Some(300));
        write("memory.stat", "anon 500\ninactive_file 150\nactive_file 50\n");
        assert_eq!(left(group, &SECOND), Some(450));
        write("memory.current", "2000\n");
        assert_eq!(left(group, &SECOND), Some(0));
        write("memory.limit_in_bytes", "1000\n");
        write("memory.usage_in_bytes", "900\n");
        write("memory.stat", "inactive_file 5\ntotal_inactive_file 50\n");
        assert_eq!(left(group, &FIRST), Some(150));
    }
}
