//! Where a version came from, as the proxy that answered says.

use super::InfoError;
use super::object::Object;

/// What some readers of URLs take for a slash.
const SLASHES: [char; 2] = ['/', '\\'];

/// The provenance of a version (`codehost.Origin`); an empty text is a field that was not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The version control system, such as `git`.
    pub vcs: String,
    /// The URL of the repository.
    pub url: String,
    /// The folder of the module in the repository.
    pub subdir: String,
    /// The commit.
    pub hash: String,
    /// The prefix of the tags that count for this module.
    pub tag_prefix: String,
    /// A hash over those tags: the answer holds as long as it does.
    pub tag_sum: String,
    /// The name that led to the commit, such as `refs/heads/main`; the field `Ref`.
    pub reference: String,
    /// A hash over all names of the repository.
    pub repo_sum: String,
}

impl Origin {
    pub(super) fn read(mut object: Object<'_>) -> Result<Self, InfoError> {
        let mut text = |name| object.take(name).map(Option::unwrap_or_default);
        Ok(Self {
            vcs: text("VCS")?,
            url: text("URL")?,
            subdir: text("Subdir")?,
            hash: text("Hash")?,
            tag_prefix: text("TagPrefix")?,
            tag_sum: text("TagSum")?,
            reference: text("Ref")?,
            repo_sum: text("RepoSum")?,
        })
    }

    /// Whether the URL holds a password, a token or anything else that may be one.
    ///
    /// The user of an SSH URL, as in `ssh://git@host` and `git@host:path`, is a name that everyone knows.
    pub fn carries_credentials(&self) -> bool {
        let is_scheme = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let scheme =
            self.url.split_once(':').filter(|(scheme, rest)| is_scheme(scheme) && rest.starts_with(SLASHES));
        let (scheme, rest) = scheme.unwrap_or(("ssh", &self.url));
        let authority =
            rest.trim_start_matches(SLASHES).split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let may_be_secret = |user: &str| match scheme.to_ascii_lowercase().as_str() {
            "ssh" | "git+ssh" | "svn+ssh" | "bzr+ssh" => user.contains([':', '@', '%']),
            _ => !user.is_empty(),
        };
        rest.contains('?') || authority.rsplit_once('@').is_some_and(|(user, _)| may_be_secret(user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_may_hold_a_secret_is_seen() {
        for (url, want) in [
            ("", false),
            ("https://x.y/z", false),
            ("https://x.y/@scope/z", false),
            ("ssh://git@x.y/z", false),
            ("git+ssh://git@x.y/z", false),
            ("git@x.y:z/a", false),
            ("file:///srv/git/z", false),
            ("https://@x.y/z", false),
            ("https://token@x.y/z", true),
            ("https://user:secret@x.y/z", true),
            ("HTTPS://user:secret@x.y/z", true),
            ("https://user:se@cret@x.y/z", true),
            ("https:///token@x.y/z", true),
            ("https:\\\\token@x.y/z", true),
            ("//user:secret@x.y/z", true),
            ("user:secret@x.y:z", true),
            ("ssh://git:secret@x.y/z", true),
            ("https://x.y/z?access_token=secret", true),
        ] {
            let origin = Origin { url: url.to_owned(), ..Origin::default() };
            assert_eq!(origin.carries_credentials(), want, "{url}");
        }
    }
}
