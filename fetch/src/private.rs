//! Names that must not leave: GOPRIVATE, GONOPROXY and GONOSUMDB of the server.

use modkeep_module::glob::match_prefix_patterns;
use modkeep_module::path::ModulePath;

/// The module of Go's own toolchains, which GONOSUMDB does not keep from the checksum database
/// (`cmd/go/internal/modfetch/sumdb.go:useSumDB`).
const TOOLCHAIN: &str = "golang.org/toolchain";

/// Patterns of private module paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Private {
    /// GONOPROXY, or GOPRIVATE where that isn't set: not asked of any upstream.
    pub no_proxy: String,
    /// GONOSUMDB, or GOPRIVATE where that isn't set: not looked up in a checksum database.
    pub no_sumdb: String,
}

impl Private {
    /// Whether no upstream may hear this name, in whatever request.
    pub fn hides(&self, path: &ModulePath) -> bool {
        match_prefix_patterns(&self.no_proxy, path.as_str())
    }

    /// Whether no checksum database may hear it: those hidden from upstreams neither, which is more than the go
    /// command does.
    pub fn hides_from_sumdb(&self, path: &ModulePath) -> bool {
        let is_listed = path.as_str() != TOOLCHAIN && match_prefix_patterns(&self.no_sumdb, path.as_str());
        is_listed || self.hides(path)
    }
}
