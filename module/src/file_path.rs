//! Paths of files as text, by the rules of Go's `path/filepath` on Unix.

/// The shortest path of the same meaning, links not followed (`filepath.Clean`).
pub fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." if elements.last().is_some_and(|last| *last != "..") => {
                elements.pop();
            }
            ".." if is_rooted => {}
            _ => elements.push(element),
        }
    }
    let joined = elements.join("/");
    match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// A path below a folder, cleaned (`filepath.Join`).
pub fn join(folder: &str, path: &str) -> String {
    match (folder.is_empty(), path.is_empty()) {
        (true, true) => String::new(),
        (true, false) => clean(path),
        (false, _) => clean(&format!("{folder}/{path}")),
    }
}

/// The way from a folder to a path; nothing where only one of them is rooted (`filepath.Rel`).
pub fn relative(folder: &str, path: &str) -> Option<String> {
    let (folder, path) = (clean(folder), clean(path));
    if folder == path {
        return Some(".".to_owned());
    }
    if folder.starts_with('/') != path.starts_with('/') {
        return None;
    }
    let elements = |path: &str| -> Vec<String> {
        path.split('/').filter(|element| !matches!(*element, "" | ".")).map(str::to_owned).collect()
    };
    let (from, to) = (elements(&folder), elements(&path));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if from[shared..].iter().any(|element| element == "..") {
        return None;
    }
    let up = from[shared..].iter().map(|_| "..");
    Some(up.chain(to[shared..].iter().map(String::as_str)).collect::<Vec<_>>().join("/"))
}

/// The folder that holds a cleaned path; nothing above the root.
pub fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        Some(("", "")) | None => None,
        Some(("", _)) => Some("/"),
        Some((parent, _)) => Some(parent),
    }
}

/// The folder itself, the one above it and so on up to the root.
pub fn upwards(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |folder| parent(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_as_short_as_they_can_be() {
        for (path, expected) in [
            ("", "."),
            ("a//b/./c/", "a/b/c"),
            ("/../a", "/a"),
            ("../../a/..", "../.."),
            ("a/../..", ".."),
            ("/", "/"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
        assert_eq!(
            (join("/a", "../b"), join("", "b"), join("/a", "")),
            ("/b".into(), "b".into(), "/a".into())
        );
    }

    #[test]
    fn the_way_to_a_path_goes_up_and_then_down() {
        for (folder, path, expected) in [
            ("/a/b", "/a/c/d", Some("../c/d")),
            ("/a/b", "/a/b", Some(".")),
            ("/a", "/a/b", Some("b")),
            ("/", "/a", Some("a")),
            ("a", "/a", None),
            ("..", "a", None),
            (".", "a", Some("a")),
        ] {
            assert_eq!(relative(folder, path).as_deref(), expected, "{folder} to {path}");
        }
    }

    #[test]
    fn all_folders_above_are_met_once() {
        assert_eq!(upwards("/a/b").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
    }
}
