//! What a file's name says about where the file belongs: its kind, and the target in `name_GOOS_GOARCH_test.go`.

use crate::release::{is_known_arch, is_known_os};
use crate::tags::Tags;

/// Whether the name's suffixes let the file belong to the target (`go/build.go:goodOSArchFile`).
///
/// Only what follows the first `_` counts, so that `linux.go` is for all.
pub fn fits(name: &str, tags: &Tags) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let Some((_, suffixes)) = stem.split_once('_') else {
        return true;
    };
    let mut words = suffixes.rsplit('_').peekable();
    words.next_if_eq(&"test");
    let Some(last) = words.next() else {
        return true;
    };
    match words.next() {
        Some(os) if is_known_os(os) && is_known_arch(last) => tags.holds(last) && tags.holds(os),
        _ if is_known_os(last) || is_known_arch(last) => tags.holds(last),
        _ => true,
    }
}

/// The end of the name from its last dot; empty without one.
pub fn extension(name: &str) -> &str {
    name.rfind('.').map_or("", |dot| &name[dot..])
}

/// Whether the name is one that the go command passes over in silence.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Release;
    use crate::tags::Settings;

    #[test]
    fn suffixes_name_a_target() {
        let settings = Settings {
            release: Release::Go1_27,
            os: "android",
            arch: "arm64",
            cgo: true,
            level: "",
            experiments: "",
            tags: &[],
            instrument: None,
        };
        let tags = Tags::new(&settings).unwrap();
        let cases = [
            ("file.go", true),
            ("windows.go", true),
            ("x_windows.go", false),
            ("x_linux.go", true),
            ("x_linux_arm64.go", true),
            ("x_linux_amd64.go", false),
            ("x_windows_arm64.go", false),
            ("x_windows_test.go", false),
            ("x_android_arm64_test.go", true),
            ("x_windows_other.go", true),
            ("x_windows_test_test.go", true),
            ("x_amd64_windows.go", false),
            ("x_amd64_linux.go", true),
            ("_windows.go", false),
            ("x_test.go", true),
            ("x_hurd.s", false),
            ("x_arm64.windows.go", true),
            ("x_unix.go", true),
        ];
        for (name, expected) in cases {
            assert_eq!(fits(name, &tags), expected, "{name}");
        }
    }

    #[test]
    fn an_extension_begins_at_the_last_dot() {
        assert_eq!(["a.b.go", "Makefile", ".s"].map(extension), [".go", "", ".s"]);
    }
}
