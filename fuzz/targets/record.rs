//! A checksum database's reply from anybody; what is printed reads as what it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::sumdb::record::Record;

fuzz_target!(|bytes: &[u8]| {
    let Ok((record, rest)) = Record::parse(bytes) else { return };
    assert!(rest.len() < bytes.len());
    let printed = record.format().expect("a record that was read can be printed");
    let (again, nothing) = Record::parse(printed.as_bytes()).expect("what we print can be read");
    assert_eq!((again.hash(), nothing.len()), (record.hash(), 0));
});
