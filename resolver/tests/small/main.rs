//! The resolver over registries that are written down in the tests.

mod explain;
mod imports;
mod registry;
