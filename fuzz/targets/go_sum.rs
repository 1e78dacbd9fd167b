//! A go.sum from anybody; what is printed reads as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::GoSum;

fuzz_target!(|bytes: &[u8]| {
    // Damaged lines are left out; they are never a fault of the program.
    let (_, _) = GoSum::parse_repairing(bytes);
    if let Ok(sums) = GoSum::parse("go.sum", bytes) {
        let printed = sums.format();
        let again = GoSum::parse("go.sum", printed.as_slice()).expect("what we print can be read");
        assert_eq!(again.format(), printed, "printing is done once");
    }
});
