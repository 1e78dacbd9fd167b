//! A go.work from anybody; what is printed reads as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::GoWork;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = GoWork::parse("go.work", bytes) {
        let printed = file.format();
        let again = GoWork::parse("go.work", &printed).expect("what we print can be read");
        assert_eq!(again.format(), printed, "printing is done once");
    }
});
