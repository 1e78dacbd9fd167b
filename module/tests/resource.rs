//! Resources: each has one URL and one key, and no spelling of a request reaches another's.

use std::collections::HashMap;

use modkeep_harness::dice::{Dice, cases};
use modkeep_harness::judge::Judge;
use modkeep_module::resource::{DatabaseName, Query, SumdbRequest, SumdbResource};
use modkeep_module::sumdb::tile::TilePath;
use modkeep_module::{ModulePath, ModuleVersion, Resource, Version};
use proptest::prelude::*;
use serde_json::json;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_resource_is_what_its_url_says(resource in resource()) {
        prop_assert_eq!(Resource::parse(&resource.url_path()), Ok(resource.clone()));
        // The key is itself a spelling of the request: `!` may stand raw.
        prop_assert_eq!(Resource::parse(&format!("/{}", resource.store_key())), Ok(resource));
    }

    #[test]
    fn a_key_is_fit_for_files_and_objects(resource in resource()) {
        let key = resource.store_key();
        let fit = |c: char| c.is_ascii_graphic() && !c.is_ascii_uppercase() || "ABCDEF".contains(c);
        prop_assert!(key.chars().all(fit), "{}", key);
        prop_assert!(key.split('/').all(|element| !matches!(element, "" | "." | "..")), "{}", key);
    }

    #[test]
    fn whatever_is_accepted_is_itself_again(path in any_path()) {
        if let Ok(resource) = Resource::parse(&path) {
            prop_assert_eq!(Resource::parse(&resource.url_path()), Ok(resource));
        }
    }

    #[test]
    fn a_request_with_each_byte_encoded_is_the_same_request(resource in resource()) {
        let encoded: String = resource.url_path().split('/').skip(1).map(|element| {
            let hex: String = percent_decoded(element).bytes().map(|byte| format!("%{byte:02x}")).collect();
            format!("/{hex}")
        }).collect();
        prop_assert_eq!(Resource::parse(&encoded), Ok(resource));
    }
}

#[test]
fn no_two_resources_share_a_key() {
    let mut dice = Dice::of("no_two_resources_share_a_key");
    let mut known: HashMap<String, Resource> = HashMap::new();
    // So few pieces that the same resources come again and again, and near misses with them.
    let modules = ["x.y", "x.y/v2", "x.y/V2", "sumdb.y", "x.y/latest", "x.y/!", "gopkg.in/x.v1"];
    let names = [
        "v1.0.0",
        "v2.0.0",
        "v1",
        "list",
        "V1",
        "v2.0.0+incompatible",
        "v1.0.0-A",
        "v1.0.0-a",
        "%41",
        "latest.x",
        "a b",
    ];
    for _ in 0..cases() {
        let (module, name) = (dice.pick(&modules), dice.pick(&names));
        let Ok(module) = ModulePath::parse(module) else { continue };
        let version = || ModuleVersion::parse(module.as_str(), name).ok();
        let resource = match dice.below(5) {
            0 => Some(Resource::List(module)),
            1 => Some(Resource::Latest(module)),
            2 => Resource::info(module, name).ok(),
            3 => version().map(Resource::Mod),
            _ => version().map(Resource::Zip),
        };
        let Some(resource) = resource else { continue };
        let twin = known.entry(resource.store_key()).or_insert_with(|| resource.clone());
        assert_eq!(*twin, resource, "{}", resource.store_key());
    }
    assert!(known.len() > 40, "{} keys", known.len());
}

#[test]
fn urls_are_escaped_as_the_go_command_escapes_them() {
    let Some(mut judge) = Judge::start_or_skip("urls_are_escaped_as_the_go_command_escapes_them") else {
        return;
    };
    let mut dice = Dice::of("urls_are_escaped_as_the_go_command_escapes_them");
    let pieces: Vec<String> =
        (' '..='~').filter(|c| !"!/\\\"'*:<>?`|;".contains(*c)).map(String::from).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let module = ModulePath::parse("x.y/Z~a_b").unwrap();
    let queries: Vec<_> =
        (0..cases()).filter_map(|_| Query::new(module.clone(), &dice.text(&pieces, 12)).ok()).collect();
    assert!(queries.len() > cases() / 2);
    judge.check("url.PathEscape", &queries, |query| {
        let url = Resource::Query(query.clone()).url_path();
        let file = url.strip_prefix("/x.y/%21z~a_b/@v/").expect("the module of all of these");
        (json!([format!("{}.info", query.escaped())]), Ok(json!(file)))
    });
}

fn config() -> ProptestConfig {
    let cases = cases() as u32;
    ProptestConfig {
        cases,
        max_local_rejects: 10 * cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn module() -> impl Strategy<Value = ModulePath> {
    prop_oneof![
        "(x\\.y|github\\.com|a-b\\.c)(/[A-Za-z0-9]([A-Za-z0-9._~-]{0,3}[A-Za-z])?){0,3}(/v[2-9])?",
        "gopkg\\.in/[a-z]{1,4}\\.v[0-3](-unstable)?",
    ]
    .prop_filter_map("a module path", |path| ModulePath::parse(&path).ok())
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof![
        "v[0-3]\\.[0-9]{1,2}\\.(0|[1-9][0-9]{0,20})(-[A-Za-z0-9-]{1,5}(\\.[A-Za-z]{1,4})?)?(\\+incompatible)?",
        "v[0-3]\\.0\\.0-20[0-9]{12}-[0-9a-f]{12}",
    ]
}

fn module_version() -> impl Strategy<Value = ModuleVersion> {
    (module(), version()).prop_filter_map("a version of the module", |(module, version)| {
        let (_, major) = module.split_major();
        let major = major.trim_start_matches(['/', '.', 'v']).trim_end_matches("-unstable");
        let fitting = if major.is_empty() { version } else { format!("v{major}{}", &version[2..]) };
        ModuleVersion::parse(module.as_str(), &fitting).ok()
    })
}

fn revision() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{1,12}", "[A-Za-z0-9]{1,40}", "v[0-9](\\.[0-9])?", version()]
}

fn resource() -> impl Strategy<Value = Resource> {
    prop_oneof![
        module().prop_map(Resource::List),
        module().prop_map(Resource::Latest),
        (module(), revision())
            .prop_filter_map("a question", |(module, name)| Resource::info(module, &name).ok()),
        module_version().prop_map(Resource::Info),
        module_version().prop_map(Resource::Mod),
        module_version().prop_map(Resource::Zip),
        sumdb().prop_map(Resource::Sumdb),
    ]
}

fn sumdb() -> impl Strategy<Value = SumdbResource> {
    let database = "[a-z0-9.:-]{1,8}(/(latest|supported|[a-z0-9._~-]{1,6})){0,2}"
        .prop_filter_map("a name", |name| DatabaseName::parse(&name).ok());
    let lookup = (module(), version()).prop_filter_map("a lookup", |(module, v)| {
        Some(SumdbRequest::Lookup(module, Version::parse(&v).ok()?))
    });
    let tile = "tile/8/(data|[0-7])/(x[0-9]{3}/)?[0-9]{3}(\\.p/[1-9][0-9]?)?"
        .prop_filter_map("a tile", |path| TilePath::parse(&path).ok().map(SumdbRequest::Tile));
    let request = prop_oneof![Just(SumdbRequest::Supported), Just(SumdbRequest::Latest), lookup, tile];
    (database, request).prop_map(|(database, request)| SumdbResource { database, request })
}

/// Paths near those of resources, and paths that are far from any.
fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![
        (resource(), any::<prop::sample::Index>(), "[!%/.;\\\\A-Za-z0-9\u{0}é]{0,3}").prop_map(
            |(resource, at, piece)| {
                let mut path = resource.url_path();
                let at = at.index(path.len());
                path.replace_range(at..at + 1, &piece);
                path
            }
        ),
        "(/([a-z.]{1,4}|@v|@latest|%2[0-9a-f]|sumdb|lookup|tile|list|v1\\.0\\.0\\.zip)){0,8}",
        "\\PC{0,30}",
    ]
}

fn percent_decoded(element: &str) -> String {
    let mut parts = element.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (hex, rest) = part.split_at(2);
        format!("{text}{}{rest}", char::from(u8::from_str_radix(hex, 16).expect("our own encoding")))
    })
}
