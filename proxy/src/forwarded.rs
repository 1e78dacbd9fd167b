//! Who asks, where another proxy stands between.
//!
//! `Forwarded` (RFC 7239) and `X-Forwarded-For` are what anybody can write. They are believed from addresses that
//! are trusted, from the nearest hop on, until one that is not: that is the client.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Headers by which a proxy says that it stands between.
const TRACES: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
/// Hops that are followed.
const HOPS: usize = 16;

/// Addresses of the proxies in front of this server, whose word counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted(Vec<IpNet>);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    /// Whether somebody who isn't trusted says that it only passes the request on: then the address isn't the client's.
    pub(crate) is_veiled: bool,
}

impl Trusted {
    /// Adds an address or a network such as `10.0.0.0/8`; `None` if it is neither.
    #[must_use]
    pub fn with(mut self, text: &str) -> Option<Self> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        self.0.push(text.parse::<IpNet>().or(address).ok()?);
        Some(self)
    }

    fn holds(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// Who sent a request that came from `peer`.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        let mut address = peer.to_canonical();
        if !self.holds(address) {
            return Client { address, is_veiled: TRACES.iter().any(|name| headers.contains_key(*name)) };
        }
        for hop in hops(headers).iter().rev().take(HOPS) {
            match hop {
                Some(next) => address = *next,
                None => return Client { address, is_veiled: true },
            }
            if !self.holds(address) {
                break;
            }
        }
        Client { address, is_veiled: false }
    }
}

/// The addresses that the headers name, the nearest last; nothing for what is no address.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let texts =
        |name: HeaderName| headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or("?"));
    if headers.contains_key(FORWARDED) {
        return texts(FORWARDED).flat_map(|text| text.split(',')).map(forwarded_for).collect();
    }
    texts(X_FORWARDED_FOR).flat_map(|text| text.split(',')).map(|hop| node(hop.trim())).collect()
}

/// The node of one element such as `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut named = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    let (_, value) = named.next()?;
    node(value.trim_matches('"'))
}

/// An address, with a port or without.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, headers: &[(&str, &str)], want: &str, veiled: bool) {
        let trusted = Trusted::default().with("10.0.0.0/8").and_then(|all| all.with("::1")).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let client = trusted.client(peer.parse().unwrap(), &map);
        assert_eq!((client.address.to_string().as_str(), client.is_veiled), (want, veiled), "{headers:?}");
    }

    #[test]
    fn only_trusted_hops_are_believed() {
        check("192.0.2.1", &[], "192.0.2.1", false);
        check("192.0.2.1", &[("x-forwarded-for", "1.2.3.4")], "192.0.2.1", true);
        check("127.0.0.1", &[("x-real-ip", "1.2.3.4")], "127.0.0.1", true);
        check("10.0.0.1", &[], "10.0.0.1", false);
        check("::ffff:10.0.0.1", &[("x-forwarded-for", "1.2.3.4")], "1.2.3.4", false);
        check("::1", &[("x-forwarded-for", "1.2.3.4")], "1.2.3.4", false);
        check("10.0.0.1", &[("x-forwarded-for", "127.0.0.1, 1.2.3.4, 10.9.9.9")], "1.2.3.4", false);
        check(
            "10.0.0.1",
            &[("x-forwarded-for", "127.0.0.1"), ("x-forwarded-for", "1.2.3.4")],
            "1.2.3.4",
            false,
        );
        check("10.0.0.1", &[("x-forwarded-for", "unknown")], "10.0.0.1", true);
        check("10.0.0.1", &[("x-forwarded-for", "127.0.0.1, nonsense")], "10.0.0.1", true);
        check("10.0.0.1", &[("forwarded", "for=1.2.3.4;proto=https, for=10.1.1.1")], "1.2.3.4", false);
        check("10.0.0.1", &[("forwarded", "For=\"[2001:db8::7]:4711\"")], "2001:db8::7", false);
        check("10.0.0.1", &[("forwarded", "proto=https")], "10.0.0.1", true);
        check("10.0.0.1", &[("forwarded", "for=_hidden"), ("x-forwarded-for", "1.2.3.4")], "10.0.0.1", true);
        check("10.0.0.1", &[("x-forwarded-for", "1.2.3.4:80")], "1.2.3.4", false);
    }

    #[test]
    fn what_is_trusted_is_an_address_or_a_network() {
        for text in ["10.0.0.0/8", "192.0.2.7", "::1", "2001:db8::/32"] {
            assert!(Trusted::default().with(text).is_some(), "{text}");
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0"] {
            assert!(Trusted::default().with(text).is_none(), "{text}");
        }
    }
}
