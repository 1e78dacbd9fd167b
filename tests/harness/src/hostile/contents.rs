//! Contents that are not what is declared.

use super::Corpus;
use super::Verdict::{Other, Refused, Same, Stricter};
use crate::raw_zip::{DEFLATED, Part, RawZip, deflate};

/// What an entry that was deflated and one with a descriptor are in the genuine zip.
const PLAIN: usize = 1;
const DESCRIBED: usize = 2;

pub(super) fn add(corpus: &mut Corpus) {
    add_sums(corpus);
    add_sizes(corpus);
    add_streams(corpus);
    add_overlaps(corpus);
}

fn add_sums(corpus: &mut Corpus) {
    corpus.changed("a wrong CRC", Refused, |zip| zip.parts[PLAIN].crc ^= 1);
    corpus.changed("a CRC of 0", Same, |zip| zip.parts[PLAIN].crc = 0);
    corpus.changed("a CRC of 0 and another content", Other, |zip| {
        zip.parts[0].body[0] ^= 1;
        zip.parts[0].crc = 0;
    });
    corpus.changed("another content", Refused, |zip| zip.parts[0].body[0] ^= 1);
    corpus.changed("a wrong local CRC", Same, |zip| zip.parts[PLAIN].local_crc = Some(7));
    corpus.changed("a CRC of 0 before a descriptor", Refused, |zip| zip.parts[DESCRIBED].crc = 0);
    corpus.changed("a wrong CRC in a descriptor", Refused, |zip| zip.parts[DESCRIBED].descriptor[4] ^= 1);
    corpus.changed("wrong CRCs in descriptor and directory", Refused, |zip| {
        zip.parts[DESCRIBED].crc ^= 1;
        zip.parts[DESCRIBED].descriptor[4] ^= 1;
    });
    corpus.changed("a descriptor without signature", Same, |zip| {
        drop(zip.parts[DESCRIBED].descriptor.drain(..4))
    });
    corpus.changed("no descriptor", Refused, |zip| zip.parts[DESCRIBED].descriptor.clear());
    corpus.changed("wrong sizes in a descriptor", Same, |zip| {
        zip.parts[DESCRIBED].descriptor[8..].copy_from_slice(&[9; 8]);
    });
    corpus.changed("a descriptor with 64-bit sizes", Same, |zip| {
        zip.parts[DESCRIBED].descriptor.extend_from_slice(&[0; 8]);
    });
    corpus.changed("a descriptor that nobody announces", Same, |zip| {
        zip.parts[PLAIN].descriptor = zip.parts[PLAIN].descriptor_bytes();
    });
    corpus.changed("an empty file whose CRC is wrong", Refused, |zip| {
        zip.parts[PLAIN] = Part::new(zip.parts[PLAIN].name.clone(), "").but(|part| part.crc = 7);
    });
}

fn add_sizes(corpus: &mut Corpus) {
    type Change = fn(&mut Part);
    let changes: [(&str, super::Verdict, Change); 14] = [
        ("size one less", Refused, |part| part.size -= 1),
        ("size one more", Refused, |part| part.size += 1),
        ("size 0", Refused, |part| part.size = 0),
        ("size 500 MiB", Refused, |part| part.size = 500 << 20),
        ("size 500 MiB + 1", Refused, |part| part.size = (500 << 20) + 1),
        ("size 4 GiB - 2", Refused, |part| part.size = u32::MAX - 1),
        ("size 4 GiB - 1", Refused, |part| part.size = u32::MAX),
        ("compressed size one less", Refused, |part| part.compressed_size -= 1),
        ("compressed size 0", Refused, |part| part.compressed_size = 0),
        ("compressed size one more", Same, |part| part.compressed_size += 1),
        ("compressed size of 4 GiB", Stricter("entries overlap"), |part| part.compressed_size = u32::MAX),
        ("local size one less", Same, |part| part.local_sizes = Some((part.compressed_size, part.size - 1))),
        ("local sizes 0", Same, |part| part.local_sizes = Some((0, 0))),
        ("local sizes 4 GiB", Same, |part| part.local_sizes = Some((u32::MAX, u32::MAX))),
    ];
    for (what, verdict, change) in changes {
        corpus.changed(format!("a deflated entry with {what}"), verdict, |zip| change(&mut zip.parts[PLAIN]));
    }
    let changes: [(&str, Change); 5] = [
        ("size one less", |part| part.size -= 1),
        ("size one more", |part| part.size += 1),
        ("compressed size one less", |part| part.compressed_size -= 1),
        ("compressed size one more", |part| part.compressed_size += 1),
        ("compressed size of 4 GiB", |part| part.compressed_size = u32::MAX),
    ];
    for (what, change) in changes {
        corpus.changed(format!("a stored entry with {what}"), Refused, |zip| change(&mut zip.parts[0]));
    }
    let of = corpus.of.clone();
    for name in ["go.mod", "LICENSE"] {
        let at = usize::from(name == "LICENSE");
        corpus.changed(format!("a {name} of 16 MiB + 1"), Refused, |zip| zip.parts[at].size = (16 << 20) + 1);
        corpus.made(format!("a {name} of 16 MiB"), Other, {
            let (of, genuine) = (of.clone(), corpus.genuine.clone());
            move || {
                let large = Part::deflated(of.name(name), vec![b'\n'; 16 << 20]);
                genuine.clone().but(|zip| zip.parts[at] = large).bytes()
            }
        });
    }
    corpus.changed("sizes that add up to 500 MiB + 1", Refused, |zip| {
        let rest: u32 = zip.parts.iter().skip(1).map(|part| part.size).sum();
        zip.parts[0].name = of.name("large.bin");
        zip.parts[0].size = (500 << 20) + 1 - rest;
    });
    corpus.changed("sizes that add up to 4 GiB", Refused, |zip| {
        zip.parts.iter_mut().for_each(|part| part.size = 1 << 30);
    });
}

fn add_streams(corpus: &mut Corpus) {
    type Change = fn(&mut Part);
    let changes: [(&str, super::Verdict, Change); 13] = [
        ("cut off", Refused, |part| part.body.truncate(part.body.len() / 2)),
        ("empty", Refused, |part| part.body.clear()),
        ("zeros", Refused, |part| part.body = vec![0; 100]),
        ("ones", Refused, |part| part.body = vec![0xff; 100]),
        ("with bytes behind it", Same, |part| part.body.extend_from_slice(b"hidden bytes")),
        ("with a second stream behind it", Same, |part| part.body.extend(deflate(b"hidden"))),
        ("with a damaged start", Refused, |part| part.body[0] ^= 0xff),
        ("with a damaged end", Refused, |part| {
            let last = part.body.len() - 3;
            part.body[last] ^= 0xff;
        }),
        ("of empty stored blocks that never end", Refused, |part| part.body = EMPTY_BLOCK.repeat(1000)),
        ("with empty stored blocks before it", Same, |part| {
            part.body = [EMPTY_BLOCK.repeat(1000), std::mem::take(&mut part.body)].concat();
        }),
        ("with a block of the reserved kind", Refused, |part| part.body = vec![0x07]),
        ("with a distance too far back", Refused, |part| part.body = vec![0x63, 0x00, 0x42, 0x00]),
        ("with a zlib header", Refused, |part| part.body.splice(..0, [0x78, 0x9c]).for_each(drop)),
    ];
    for (what, verdict, change) in changes {
        corpus.changed(format!("a stream {what}"), verdict, |zip| {
            let part = &mut zip.parts[PLAIN];
            change(part);
            part.compressed_size = part.body.len() as u32;
        });
    }
    corpus.changed("an empty file with a stream", Other, |zip| {
        let name = zip.parts[PLAIN].name.clone();
        zip.parts[PLAIN] = Part::deflated(name, "");
    });
    for method in [1, 6, 9, 12, 14, 93, 95, 97, 98, 99, 0xffff] {
        corpus.changed(format!("method {method}"), Refused, |zip| zip.parts[PLAIN].method = method);
    }
    corpus.changed("stored, said to be deflated", Refused, |zip| zip.parts[0].method = DEFLATED);
    corpus.changed("deflated, said to be stored", Refused, |zip| zip.parts[PLAIN].method = 0);
    corpus.changed("another local method", Same, |zip| zip.parts[PLAIN].local_method = Some(99));
    for flag in [0x1, 0x20, 0x40, 0x2000, 0xf7f6] {
        corpus.changed(format!("flags {flag:#x}"), Same, |zip| zip.parts[PLAIN].flags |= flag);
    }
}

/// A stored block without bytes, not the last one.
const EMPTY_BLOCK: &[u8] = &[0, 0, 0, 0xff, 0xff];

/// Archives in which bytes count for several entries, so that small ones cost much.
fn add_overlaps(corpus: &mut Corpus) {
    let of = corpus.of.clone();
    let zeros = Part::deflated(of.name("kernel"), vec![0; 1 << 20]);
    let same_place = |count: usize, kernel: &Part| {
        let twins = (0..count).map(|i| {
            kernel.clone().but(|part| {
                (part.name, part.at) = (of.name(format!("f{i}")), Some(0));
                part.is_there = i == 0;
            })
        });
        RawZip::new(twins)
    };
    let few = same_place(2, &Part::new(of.name("small"), "small"));
    corpus.bytes("two small entries at one place", Other, few.bytes());
    let many = same_place(100, &zeros);
    corpus.made("a hundred entries at one place", Stricter("entries overlap"), move || many.bytes());
    let too_many = same_place(501, &zeros);
    corpus.made("entries at one place of more than 500 MiB", Refused, move || too_many.bytes());
    let idle = Part::new(of.name("idle"), "").but(|part| {
        part.method = DEFLATED;
        part.body = [EMPTY_BLOCK.repeat(100_000), deflate(b"")].concat();
        part.compressed_size = part.body.len() as u32;
    });
    let idle = same_place(40, &idle);
    corpus.made("entries at one place that yield nothing, slowly", Stricter("entries overlap"), move || {
        idle.bytes()
    });
    let genuine = corpus.genuine.clone();
    let bomb_name = of.name("bomb");
    corpus.made("a bomb of 64 MiB", Other, move || {
        let bomb = Part::deflated(&bomb_name, vec![0; 64 << 20]);
        genuine.clone().but(|zip| zip.parts.push(bomb)).bytes()
    });
    let genuine = corpus.genuine.clone();
    let bomb_name = of.name("bomb");
    corpus.made("a bomb of 64 MiB that declares one byte", Refused, move || {
        let bomb = Part::deflated(&bomb_name, vec![0; 64 << 20]).but(|part| part.size = 1);
        genuine.clone().but(|zip| zip.parts.push(bomb)).bytes()
    });
    let inner = corpus.genuine.clone().bytes();
    corpus.with("a zip in the zip", Other, [Part::new(of.name("testdata/inner.zip"), inner)]);
}
