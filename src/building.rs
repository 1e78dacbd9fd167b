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
        &[
            ("a", crate::flags::Kind::Bool),
            ("asan", crate::flags::Kind::Bool),
            ("asmflags", crate::flags::Kind::Text),
            ("buildmode", crate::flags::Kind::Text),
            ("buildvcs", crate::flags::Kind::Optional),
            ("cache-verify", crate::flags::Kind::Text),
            ("compiler", crate::flags::Kind::Text),
            ("cover", crate::flags::Kind::Bool),
            ("covermode", crate::flags::Kind::Text),
            ("coverpkg", crate::flags::Kind::Text),
            ("debug-actiongraph", crate::flags::Kind::Text),
            ("debug-cache", crate::flags::Kind::Bool),
            ("gccgoflags", crate::flags::Kind::Text),
            ("gcflags", crate::flags::Kind::Text),
            ("installsuffix", crate::flags::Kind::Text),
            ("json", crate::flags::Kind::Bool),
            ("ldflags", crate::flags::Kind::Text),
            ("linkshared", crate::flags::Kind::Bool),
            ("mod", crate::flags::Kind::Text),
            ("modcacherw", crate::flags::Kind::Bool),
            ("modfile", crate::flags::Kind::Text),
            ("msan", crate::flags::Kind::Bool),
            ("n", crate::flags::Kind::Bool),
            ("overlay", crate::flags::Kind::Text),
            ("p", crate::flags::Kind::Text),
            ("pgo", crate::flags::Kind::Text),
            ("pkgdir", crate::flags::Kind::Text),
            ("race", crate::flags::Kind::Bool),
            ("remote", crate::flags::Kind::Text),
            ("remote-mode", crate::flags::Kind::Text),
            ("tags", crate::flags::Kind::Text),
            ("targets", crate::flags::Kind::Text),
            ("toolexec", crate::flags::Kind::Text),
            ("trimpath", crate::flags::Kind::Bool),
            ("v", crate::flags::Kind::Bool),
            ("work", crate::flags::Kind::Bool),
            ("x", crate::flags::Kind::Bool),
            $($own),*
        ]
    };
}
pub(crate) use build_flags;
