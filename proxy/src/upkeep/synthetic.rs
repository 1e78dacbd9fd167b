//! Stores made to be measured: any number of versions as a server would keep them, the same on every machine.

use std::io::Cursor;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use modkeep_module::dirhash::{hash_mod, hash1};
use modkeep_module::resource::Resource;
use modkeep_module::version::ModuleVersion;
use modkeep_store::{Key, Store, StoreError, put_all};

use crate::clock::Moment;
use crate::mirror::fact::{Content, Fact, Proved, State};
use crate::mirror::facts::file_key;

/// Versions of one module.
const VERSIONS_OF_A_MODULE: u64 = 16;
/// Organizations that modules are of.
const ORGANIZATIONS: u64 = 5000;
/// Zips that are written at one time.
const ZIPS_AT_ONCE: usize = 64;
/// When everything was kept: 2027-01-15, in milliseconds since 1970.
const KEPT: Moment = Moment(1_800_000_000_000);

/// What is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synthetic {
    /// Versions, each with `.info`, `.mod` and the fact of its zip.
    pub versions: u64,
    /// So many of them, the first ones, have their zip too; those of the others are missing.
    pub zips: u64,
}

/// The version of a number.
pub fn version(number: u64) -> ModuleVersion {
    let (module, minor) = (number / VERSIONS_OF_A_MODULE, number % VERSIONS_OF_A_MODULE);
    let organization = scramble(module) % ORGANIZATIONS;
    let path = format!("github.com/organization-{organization:04}/module-{module:07}");
    ModuleVersion::parse(&path, &format!("v1.{minor}.0")).expect("made of allowed characters")
}

/// Fills a store, which should be one that syncs nothing.
///
/// # Errors
/// When the store can't be written.
pub async fn fill(store: &dyn Store, synthetic: Synthetic) -> Result<(), StoreError> {
    let zips = stream::iter(0..synthetic.zips).map(|number| keep_zip(store, number));
    zips.buffer_unordered(ZIPS_AT_ONCE).try_for_each(|()| std::future::ready(Ok(()))).await?;
    put_all(store, (0..synthetic.versions).flat_map(facts)).await.map(drop)
}

async fn keep_zip(store: &dyn Store, number: u64) -> Result<(), StoreError> {
    let mut incoming = store.begin().await?;
    incoming.write(zip(&version(number), number)).await?;
    store.keep(incoming).await.map(drop)
}

fn facts(number: u64) -> [(Key, Bytes); 3] {
    let version = version(number);
    let go_mod = go_mod(&version, number);
    let here = |text: String, h1| Proved { content: Content::here(text.into()), h1, by: None };
    let zip = zip(&version, number);
    let digest = modkeep_store::Digest::of(&zip);
    let name = format!("{version}/go.mod");
    let open = |_: &[u8]| Ok(Cursor::new(go_mod.clone().into_bytes()));
    let h1 = hash1(&[name], open).expect("memory can be read");
    let blob = Content::Blob { digest, length: zip.len() as u64 };
    let fact = |resource: Resource, proved| {
        (file_key(&resource), Fact { at: KEPT, state: State::Proved(proved) }.encode())
    };
    let mod_h1 = hash_mod(go_mod.as_bytes()).to_string();
    [
        fact(Resource::Info(version.clone()), here(info(&version, number), None)),
        fact(Resource::Mod(version.clone()), here(go_mod, Some(mod_h1))),
        fact(Resource::Zip(version), Proved { content: blob, h1: Some(h1.to_string()), by: None }),
    ]
}

fn info(version: &ModuleVersion, number: u64) -> String {
    format!(
        "{{\"Version\":\"{}\",\"Time\":\"2026-11-21T10:11:12Z\",\"Origin\":{{\"VCS\":\"git\",\"Hash\":\"{number:040x}\"}}}}",
        version.version
    )
}

fn go_mod(version: &ModuleVersion, number: u64) -> String {
    let requirement =
        |n: u64| format!("\texample.com/dependency-{:05}/v2 v2.{}.0\n", scramble(n) % 99_991, n % 40);
    let requirements: String = (0..1 + number % 12).map(|at| requirement(number + at)).collect();
    format!("module {}\n\ngo 1.24\n\nrequire (\n{requirements})\n", version.path)
}

/// A zip with nothing but the go.mod, not deflated.
fn zip(version: &ModuleVersion, number: u64) -> Bytes {
    let content = go_mod(version, number).into_bytes();
    let name = format!("{version}/go.mod").into_bytes();
    let crc = crc32fast::hash(&content);
    let (content_len, name_len) = (content.len() as u32, name.len() as u16);
    let mut out = Vec::with_capacity(content.len() + 2 * name.len() + 98);
    let common = |out: &mut Vec<u8>| {
        out.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&content_len.to_le_bytes());
        out.extend_from_slice(&content_len.to_le_bytes());
        out.extend_from_slice(&name_len.to_le_bytes());
    };
    out.extend_from_slice(b"PK\x03\x04");
    common(&mut out);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&name);
    out.extend_from_slice(&content);
    let directory = out.len() as u32;
    out.extend_from_slice(b"PK\x01\x02\x14\x00");
    common(&mut out);
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&name);
    let directory_len = out.len() as u32 - directory;
    out.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    out.extend_from_slice(&directory_len.to_le_bytes());
    out.extend_from_slice(&directory.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out.into()
}

/// A fixed scramble, so that the same store is made on every machine.
pub fn scramble(number: u64) -> u64 {
    let mixed = (number ^ 0x5851_f42d_4c95_7f2d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use modkeep_module::zip::prove_zip;
    use modkeep_store::Memory;

    use super::*;
    use crate::upkeep;

    #[test]
    fn a_synthetic_zip_is_one_that_would_be_served() {
        for number in [0, 1, 11, 15, 16, 999_999] {
            let version = version(number);
            let zip = zip(&version, number);
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&zip).unwrap();
            let proved = prove_zip(&file, zip.len() as u64, &version).unwrap();
            let fact = Fact::decode(&facts(number)[2].1).unwrap();
            let State::Proved(kept) = fact.state else { panic!("{fact:?}") };
            assert_eq!(kept.h1, Some(proved.h1.to_string()));
        }
    }

    #[tokio::test]
    async fn a_synthetic_store_is_whole_but_for_the_zips_that_were_left_out() {
        for (zips, flaws) in [(40, 0), (30, 10)] {
            let store = Memory::new();
            fill(&store, Synthetic { versions: 40, zips }).await.unwrap();
            let mut found = Vec::new();
            let inventory = upkeep::check(&store, |damage| found.push(damage)).await.unwrap();
            assert_eq!(inventory.files["zip"], 40);
            assert_eq!(found.len(), flaws, "{found:?}");
        }
    }
}
