//! Directories in replace directives, as text: what they are relative to changes in a workspace.

/// Whether a directory is given from the root.
pub(super) fn is_absolute(directory: &str) -> bool {
    directory.starts_with('/')
}

/// The shortest name of a directory inside another (`filepath.Join`).
pub(super) fn join(base: &str, directory: &str) -> String {
    let mut elements: Vec<&str> = Vec::new();
    for element in base.split('/').chain(directory.split('/')) {
        match element {
            "" | "." => {}
            ".." => drop(elements.pop()),
            element => elements.push(element),
        }
    }
    format!("/{}", elements.join("/"))
}

/// How one absolute directory is called from another, with a leading `./` or `../` (`filepath.Rel`,
/// `modload.ToDirectoryPath`).
pub(super) fn relative(base: &str, target: &str) -> String {
    let elements = |path: &'_ str| -> Vec<String> {
        path.split('/').filter(|element| !element.is_empty()).map(str::to_owned).collect()
    };
    let (base, target) = (elements(base), elements(target));
    let shared = base.iter().zip(&target).take_while(|(a, b)| a == b).count();
    let up = vec!["..".to_owned(); base.len() - shared];
    let path = [&up, &target[shared..]].concat().join("/");
    match path.as_str() {
        "" => ".".to_owned(),
        path if path == ".." || path.starts_with("../") => path.to_owned(),
        path => format!("./{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_named_from_the_workspace() {
        for (module, replacement, want) in [
            ("/w/a", "../b", "./b"),
            ("/w/a", "../../b", "../b"),
            ("/w/a", "./b", "./a/b"),
            ("/w/a", "..", "."),
            ("/v/a", "./b", "../v/a/b"),
        ] {
            assert_eq!(relative("/w", &join(module, replacement)), want, "{module} {replacement}");
        }
    }
}
