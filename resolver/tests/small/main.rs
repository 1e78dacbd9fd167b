//! The resolver over registries that are written down in the tests.

mod all;
mod explain;
mod hostile;
mod imports;
mod queries;
mod registry;
