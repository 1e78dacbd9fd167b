//! Verbs that build: what is around them is made into the settings of a build, and what the builder tells is printed.

pub(crate) mod build;
pub(crate) mod clean;
mod flags;
pub(crate) mod install;
mod interrupt;
pub(crate) mod rebuild;
pub(crate) mod remote;
pub(crate) mod run;
mod settings;
mod site;
mod telling;
pub(crate) mod test;
pub(crate) mod tool;
pub(crate) mod vet;
mod work_folder;

pub(crate) use settings::{cache_folder_of, open_cache, settings};

pub(crate) use flags::BuildFlags;
pub(crate) use site::Site;

/// The flags that all verbs that build share, and those of one verb.
macro_rules! build_flags {
    ($($own:expr),* $(,)?) => {
        crate::flags::go_build_flags![
            ("cache-verify", crate::flags::Kind::Text),
            ("cover", crate::flags::Kind::Bool),
            ("covermode", crate::flags::Kind::Text),
            ("coverpkg", crate::flags::Kind::Text),
            ("debug-actiongraph", crate::flags::Kind::Text),
            ("debug-cache", crate::flags::Kind::Bool),
            ("json", crate::flags::Kind::Bool),
            ("mod", crate::flags::Kind::Text),
            ("remote", crate::flags::Kind::Text),
            ("remote-mode", crate::flags::Kind::Text),
            ("targets", crate::flags::Kind::Text),
            $($own),*
        ]
    };
}
pub(crate) use build_flags;
