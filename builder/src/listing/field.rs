//! One field of a package.

use std::collections::BTreeMap;

use crate::load::PackageError;
use crate::modules::Module;

/// What a field holds.
#[derive(Clone, Debug)]
pub enum Field<'a> {
    /// A text.
    Text(String),
    /// A claim.
    Flag(bool),
    /// A list that is built as it is shown.
    List(&'a [String]),
    /// Another list.
    Texts(Vec<String>),
    /// Keys and values.
    Map(BTreeMap<String, String>),
    /// A module.
    Module(Option<&'a Module>),
    /// What is wrong.
    Error(Option<&'a PackageError>),
    /// What is wrong elsewhere.
    Errors(Vec<&'a PackageError>),
}

impl Field<'_> {
    /// Whether JSON leaves the field out.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Flag(flag) => !flag,
            Self::List(list) => list.is_empty(),
            Self::Texts(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Module(module) => module.is_none(),
            Self::Error(error) => error.is_none(),
            Self::Errors(errors) => errors.is_empty(),
        }
    }
}
