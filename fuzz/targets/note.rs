//! A signed note and a key from anybody. What a stranger's bytes say is never signed by a key that we know.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modkeep_module::sumdb::note::{self, Signer, Verifier};
use modkeep_module::sumdb::{SignedHead, TreeHead};

fuzz_target!(|bytes: &[u8]| {
    let signer = Signer::from_seed("example.com", [7; 32]).unwrap();
    let known = [signer.verifier()];
    if let Ok(note) = note::open(bytes, &known) {
        // The only signed note about is in the seeds.
        assert_eq!(note.text, "a note of the seeds\n");
    }
    drop(SignedHead::open(bytes, &known[0]));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(head) = TreeHead::parse(text) {
        assert_eq!(TreeHead::parse(&head.text()), Some(head));
    }
    drop((Verifier::parse(text), Signer::parse(text)));
});
