//! A list of patterns and a name from anybody (GOPRIVATE): an answer in bounded time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::glob::{match_prefix_patterns, path_match};

fuzz_target!(|both: (&str, &str)| {
    let (pattern, name) = both;
    if pattern.len() <= 256 && name.len() <= 256 {
        let whole = path_match(pattern, name);
        if whole == Ok(true) && !pattern.is_empty() && !pattern.contains(',') && !name.is_empty() {
            assert!(match_prefix_patterns(pattern, name), "{pattern:?} {name:?}");
        }
    }
});
