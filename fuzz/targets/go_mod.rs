//! A go.mod from anybody, strictly and as a dependency's is read; what is printed reads as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::GoMod;
use modkeep_module::gomod::summary::Summary;

fuzz_target!(|bytes: &[u8]| {
    let summary = Summary::parse("go.mod", bytes).is_ok();
    let lax = GoMod::parse_lax("go.mod", bytes);
    assert_eq!(summary, lax.is_ok(), "the short reader and the long one differ");
    if let Ok(file) = GoMod::parse("go.mod", bytes) {
        let printed = file.format();
        let again = GoMod::parse("go.mod", &printed).expect("what we print can be read");
        assert_eq!(again.format(), printed, "printing is done once");
    }
});
