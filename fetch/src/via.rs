//! How modkeep recognises its own shadow: a request that it sent and that came back to it.
//!
//! Every request to an upstream carries `Via: 1.1 modkeep-ID`. A server that finds its own id in an incoming
//! request answers 508 with the same header, and the chain that gets such a 508 knows that the source is itself.

use reqwest::header::{HeaderMap, HeaderValue, InvalidHeaderValue, VIA};

/// The id of one running server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pseudonym: String,
    header: HeaderValue,
}

impl Identity {
    /// `id` should differ between any two servers, such as a random number in hex.
    ///
    /// # Errors
    /// When the id can't stand in a header.
    pub fn new(id: &str) -> Result<Self, InvalidHeaderValue> {
        let pseudonym = format!("modkeep-{id}");
        let header = HeaderValue::from_str(&format!("1.1 {pseudonym}"))?;
        Ok(Self { pseudonym, header })
    }

    /// The value of the `Via` header of our requests, and of our answer 508.
    pub fn via(&self) -> &HeaderValue {
        &self.header
    }

    /// Whether the message with these headers passed through this server.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(VIA).into_iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|hop| hop.split_whitespace().nth(1) == Some(self.pseudonym.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_id_is_found_among_other_hops() {
        let identity = Identity::new("a1").unwrap();
        for (via, expected) in [
            (vec![], false),
            (vec!["1.1 modkeep-a1"], true),
            (vec!["1.1 modkeep-a12"], false),
            (vec!["1.0 fred, 1.1 modkeep-a1 (comment)"], true),
            (vec!["1.0 fred", "2 modkeep-b2,1.1 modkeep-a1"], true),
            (vec!["modkeep-a1"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in &via {
                headers.append(VIA, HeaderValue::from_static(value));
            }
            assert_eq!(identity.is_in(&headers), expected, "{via:?}");
        }
        let mut own = HeaderMap::new();
        own.insert(VIA, identity.via().clone());
        assert!(identity.is_in(&own));
        assert!(Identity::new("a\nb").is_err());
    }
}
