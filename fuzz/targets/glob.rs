//! A list of patterns and a name from anybody (GOPRIVATE): an answer in bounded time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::glob::{match_prefix_patterns, path_match};

fuzz_target!(|both: (&str, &str)| {
    let (pattern, name) = both;
    if pattern.len() <= 256 && name.len() <= 256 {
        let whole = path_match(pattern, name);
        // Elements are counted by the slashes of the pattern, and one at its end counts for nothing.
        let is_plain = !pattern.is_empty() && !pattern.ends_with('/') && !pattern.contains([',', '[', '\\']);
        if whole == Ok(true) && is_plain && !name.is_empty() {
            assert!(match_prefix_patterns(pattern, name), "{pattern:?} {name:?}");
        }
    }
});
