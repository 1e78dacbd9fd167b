//! The index as bytes: a mark, the digest of the rest, and then numbers of 4 or 8 bytes, the lowest first.
//!
//! Every text stands in one table and every node in another, so that a requirement is one number. Nobody else reads the
//! form: when it changes the mark changes, and what was kept is read anew.

use std::sync::Arc;

use hashbrown::HashMap;
use modkeep_module::gomod::{Interval, Retract};
use modkeep_module::hash::H1;
use modkeep_resolver::known::GoModFacts;
use modkeep_resolver::node::{NodeId, Nodes, PathId};
use modkeep_resolver::world::World;
use modkeep_store::{Digest, Stamp};

use super::{Entries, Entry, InfoEntry};

const MARK: &[u8; 16] = b"modkeep graph 03";

/// The number of a text that is not there.
const NONE: u32 = u32::MAX;

/// The entries as bytes.
pub(super) fn encode(nodes: &Nodes, entries: &Entries) -> Vec<u8> {
    let mut tables = Tables { nodes, texts: Table::default(), pairs: Table::default() };
    let mut sorted: Vec<_> = entries.go_mods.iter().collect();
    sorted.sort_unstable_by_key(|(module, _)| **module);
    let mut body = Bytes::default();
    body.length(sorted.len());
    for (module, entry) in sorted {
        tables.entry(&mut body, *module, entry);
    }
    let mut sorted: Vec<_> = entries.infos.iter().collect();
    sorted.sort_unstable_by_key(|(module, _)| **module);
    body.length(sorted.len());
    for (module, InfoEntry { stamp, time }) in sorted {
        body.number(tables.node(*module));
        stamp.to_numbers().into_iter().for_each(|number| body.long(number));
        body.number(time.as_deref().map_or(NONE, |time| tables.texts.number(time)));
    }
    let mut head = Bytes::default();
    head.length(tables.texts.all.len());
    for text in &tables.texts.all {
        head.length(text.len());
        head.0.extend_from_slice(text.as_bytes());
    }
    head.length(tables.pairs.all.len());
    for (path, version) in &tables.pairs.all {
        head.number(*path);
        head.number(*version);
    }
    head.0.append(&mut body.0);
    [&MARK[..], Digest::of(&head.0).as_bytes(), &head.0].concat()
}

/// The entries that the bytes hold; nothing where they are not whole.
pub(super) fn decode(data: &[u8], world: &mut World) -> Option<Entries> {
    let (digest, rest) = data.strip_prefix(MARK)?.split_at_checked(32)?;
    if Digest::of(rest).as_bytes() != digest {
        return None;
    }
    let mut reader = Reader(rest);
    let texts: Option<Vec<&str>> = (0..reader.number()?).map(|_| reader.text()).collect();
    let texts = texts?;
    let text = |number: u32| texts.get(number as usize).copied();
    // A path has many versions, and is looked for once.
    let mut paths: Vec<Option<PathId>> = vec![None; texts.len()];
    let mut nodes = Vec::new();
    for _ in 0..reader.number()? {
        let path = reader.number()? as usize;
        let known = paths.get_mut(path)?;
        let path = *known.get_or_insert_with(|| world.path(texts[path]));
        nodes.push(world.at(path, text(reader.number()?)?));
    }
    let node = |number: u32| nodes.get(number as usize).copied();
    let mut entries = Entries::default();
    for _ in 0..reader.number()? {
        let module = node(reader.number()?)?;
        let stamp = reader.stamp()?;
        let hash = H1::from_bytes(reader.take(32)?.try_into().ok()?);
        let is_made_up = reader.number()? == 1;
        let optional = |number: u32| match number {
            NONE => Some(None),
            number => text(number).map(|text| Some(text.to_owned())),
        };
        let (declared, go) = (optional(reader.number()?)?, optional(reader.number()?)?);
        let deprecated = text(reader.number()?)?.to_owned();
        let requires: Option<Arc<[NodeId]>> = (0..reader.number()?).map(|_| node(reader.number()?)).collect();
        let retracts: Option<Vec<_>> = (0..reader.number()?)
            .map(|_| {
                let [low, high] = [text(reader.number()?)?, text(reader.number()?)?].map(str::to_owned);
                Some(Retract { interval: Interval { low, high }, rationale: text(reader.number()?)?.into() })
            })
            .collect();
        let ignores: Option<Vec<_>> =
            (0..reader.number()?).map(|_| text(reader.number()?).map(str::to_owned)).collect();
        let (requires, retracts, ignores) = (requires?, retracts?, ignores?);
        let facts = Arc::new(GoModFacts { module: declared, deprecated, go, requires, retracts, ignores });
        entries.go_mods.insert(module, Entry { stamp, hash, is_made_up, facts });
    }
    for _ in 0..reader.number()? {
        let module = node(reader.number()?)?;
        let stamp = reader.stamp()?;
        let time = match reader.number()? {
            NONE => None,
            number => Some(text(number)?.to_owned()),
        };
        entries.infos.insert(module, InfoEntry { stamp, time });
    }
    reader.0.is_empty().then_some(entries)
}

/// Things that are written once and then spoken of by number.
struct Table<T> {
    all: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { all: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Table<T> {
    fn number(&mut self, thing: T) -> u32 {
        *self.numbers.entry(thing).or_insert_with(|| {
            self.all.push(thing);
            u32::try_from(self.all.len() - 1).expect("fewer texts than bytes of go.mod files")
        })
    }
}

struct Tables<'a> {
    nodes: &'a Nodes,
    texts: Table<&'a str>,
    pairs: Table<(u32, u32)>,
}

impl<'a> Tables<'a> {
    fn node(&mut self, node: NodeId) -> u32 {
        let node = self.nodes.node(node);
        let pair = (self.texts.number(&node.path), self.texts.number(&node.version));
        self.pairs.number(pair)
    }

    fn entry(&mut self, body: &mut Bytes, module: NodeId, entry: &'a Entry) {
        let Entry { stamp, hash, is_made_up, facts } = entry;
        body.number(self.node(module));
        stamp.to_numbers().into_iter().for_each(|number| body.long(number));
        body.0.extend_from_slice(hash.as_bytes());
        body.number(u32::from(*is_made_up));
        for text in [&facts.module, &facts.go] {
            body.number(text.as_deref().map_or(NONE, |text| self.texts.number(text)));
        }
        body.number(self.texts.number(&facts.deprecated));
        body.length(facts.requires.len());
        facts.requires.iter().for_each(|required| body.number(self.node(*required)));
        body.length(facts.retracts.len());
        for Retract { interval, rationale } in &facts.retracts {
            for text in [&*interval.low, &*interval.high, &**rationale] {
                body.number(self.texts.number(text));
            }
        }
        body.length(facts.ignores.len());
        facts.ignores.iter().for_each(|ignore| body.number(self.texts.number(ignore)));
    }
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(u32::try_from(length).expect("fewer things than bytes of go.mod files"));
    }

    fn long(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn stamp(&mut self) -> Option<Stamp> {
        let mut numbers = [0; 5];
        for number in &mut numbers {
            *number = self.long()?;
        }
        Some(Stamp::from_numbers(numbers))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length as usize)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use modkeep_module::GoMod;
    use modkeep_resolver::main_modules::MainModule;
    use modkeep_resolver::node::Node;
    use modkeep_resolver::world::{LocalGo, Mode};

    use super::*;

    fn world() -> World {
        let file = GoMod::parse("go.mod", b"module ex.com/m\n").unwrap();
        let main = MainModule { file, was_fixed: false, directory: "/m".into(), shown: ".".into() };
        let local = LocalGo { version: "1.27.3".into(), explain: String::new() };
        World::new(vec![main], None, Mode::Mod, local).unwrap()
    }

    /// A world that was told some files, and their entries.
    fn told() -> (World, Entries) {
        let mut world = world();
        let mut entries = Entries::default();
        for (number, text) in [
            "module ex.com/a\n",
            "// Deprecated: no more\nmodule ex.com/a\ngo 1.21\nrequire (\n\tex.com/b v1.2.3-pre\n\tex.com/a v1.1.0\n)\n",
            "module \"ex.com/a\"\nretract [v1.0.0, v1.1.0] // why\nignore ./x\n",
            "",
        ]
        .into_iter()
        .enumerate()
        {
            let node = Node::new("ex.com/a", format!("v1.{number}.0"));
            world.known.tell_go_mod(&node, "go.mod", Ok(text.as_bytes()));
            let module = world.id(&node.path, &node.version);
            let facts = world.known.facts(module).unwrap().clone().unwrap();
            let stamp = Stamp::from_numbers([3, 1 << 40, 7, u64::MAX, i64::MAX.cast_unsigned()]);
            let hash = H1::from_bytes([number as u8; 32]);
            let is_made_up = world.known.is_made_up(module);
            entries.go_mods.insert(module, Entry { stamp, hash, is_made_up, facts });
            let time = (number > 1).then(|| format!("2020-01-0{number}T00:00:00Z"));
            entries.infos.insert(module, InfoEntry { stamp, time });
        }
        (world, entries)
    }

    #[test]
    fn what_is_kept_is_what_was_told() {
        let (mut before, entries) = told();
        let data = encode(before.nodes(), &entries);
        assert_eq!(decode(&data, &mut before), Some(entries.clone()));
        // In another run the nodes have other numbers.
        let mut after = world();
        after.id("ex.com/b", "v9.0.0");
        let found = decode(&data, &mut after).unwrap();
        assert_eq!((found.go_mods.len(), found.infos.len()), (4, 4));
        for (module, entry) in &entries.go_mods {
            let node = before.nodes().node(*module);
            let id = after.id(&node.path, &node.version);
            let other = &found.go_mods[&id];
            assert_eq!(entries.infos[module], found.infos[&id]);
            let texts = |world: &World, entry: &Entry| world.nodes().texts(&entry.facts.requires);
            assert_eq!(texts(&before, entry), texts(&after, other));
            assert_eq!(
                (entry.stamp, entry.hash, entry.is_made_up),
                (other.stamp, other.hash, other.is_made_up)
            );
            assert_eq!(entry.facts.retracts, other.facts.retracts);
            assert_eq!(entry.facts.deprecated, other.facts.deprecated);
        }
    }

    #[test]
    fn what_is_damaged_is_not_there() {
        let (world_before, entries) = told();
        let data = encode(world_before.nodes(), &entries);
        for at in 0..data.len() {
            let mut spoiled = data.clone();
            spoiled[at] ^= 1;
            assert_eq!(decode(&spoiled, &mut world()), None, "byte {at}");
            assert_eq!(decode(&data[..at], &mut world()), None, "cut at {at}");
        }
        assert_eq!(decode(&[&data[..], b"x"].concat(), &mut world()), None);
    }

    #[test]
    fn numbers_that_lead_nowhere_are_not_followed() {
        let (world_before, entries) = told();
        let data = encode(world_before.nodes(), &entries);
        // As if a program with another form had written it, and had made the digest fit.
        for at in 48..data.len() {
            let mut other = data[48..].to_vec();
            other[at - 48] = 0xff;
            let whole = [&MARK[..], Digest::of(&other).as_bytes(), &other].concat();
            drop(decode(&whole, &mut world()));
        }
    }
}
