//! Which endpoints may be pushed to: nothing inside the house, over nothing but HTTPS, unless the operator allows a
//! network by name.
//!
//! Promises: the same policy when an address is saved ([`check_url`]) and when a name is resolved to connect
//! ([`GuardedResolver`]), so that a name that changes its address afterwards (DNS rebinding) gains nothing. Never: trusts
//! what a name resolved to before.

use crate::channel::push::network::{Network, is_public};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};

/// What the operator allows besides the public internet.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Networks inside the house that may be pushed to, also over plain HTTP.
    pub allow_networks: Vec<Network>,
}

impl Policy {
    fn allows(&self, address: IpAddr) -> bool {
        self.allow_networks.iter().any(|network| network.contains(address))
    }
}

/// Why an endpoint may not be pushed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    #[error("this is no URL; write it as https://host/path")]
    NotAUrl,
    #[error("only https:// may be pushed to; plain http:// only inside `allow_networks`")]
    NotHttps,
    #[error("a URL with a user name or password is refused; pushes are signed instead")]
    Credentials,
    #[error("a URL with a fragment (#…) is refused")]
    Fragment,
    #[error("the address is not public; to push inside the house, name its network in `allow_networks`")]
    NotPublic,
}

/// Judges an endpoint when it is saved. A host name is judged again, by its addresses, at each connection.
///
/// # Errors
/// [`UrlFault`]: what is wrong, with the remedy.
pub fn check_url(url: &str, policy: &Policy) -> Result<(), UrlFault> {
    parse(url, policy).map(drop)
}

/// The URL, if it may be pushed to.
pub(super) fn parse(url: &str, policy: &Policy) -> Result<Url, UrlFault> {
    let url = Url::parse(url).map_err(|_| UrlFault::NotAUrl)?;
    let host = url.host_str().ok_or(UrlFault::NotAUrl)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlFault::Credentials);
    }
    if url.fragment().is_some() {
        return Err(UrlFault::Fragment);
    }
    let secure = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(UrlFault::NotHttps),
    };
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    match literal {
        Some(address) if policy.allows(address) => {}
        Some(_) if !secure => return Err(UrlFault::NotHttps),
        Some(address) if !is_public(address) => return Err(UrlFault::NotPublic),
        None if policy.allow_networks.is_empty() && !secure => return Err(UrlFault::NotHttps),
        None if policy.allow_networks.is_empty() && is_local_name(host) => return Err(UrlFault::NotPublic),
        Some(_) | None => {}
    }
    Ok(url)
}

/// Names that no public server answers to (RFC 6761, RFC 6762, RFC 9476, and names of one label).
fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let top = host.rsplit('.').next().unwrap_or_default();
    !host.contains('.')
        || matches!(top, "localhost" | "local" | "internal" | "lan" | "home" | "corp" | "test" | "invalid")
}

/// Resolves names and keeps only the addresses that may be connected to.
pub(super) struct GuardedResolver {
    pub policy: Policy,
    /// Over plain HTTP the public internet is out of bounds too.
    pub plain: bool,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, plain) = (self.policy.clone(), self.plain);
        Box::pin(async move {
            let all = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let fit = |address: &SocketAddr| policy.allows(address.ip()) || (!plain && is_public(address.ip()));
            let fit: Vec<SocketAddr> = all.filter(fit).collect();
            if fit.is_empty() {
                return Err(if plain { UrlFault::NotHttps } else { UrlFault::NotPublic }.into());
            }
            Ok(Box::new(fit.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    fn allowing(networks: &[&str]) -> Policy {
        Policy { allow_networks: networks.iter().map(|network| network.parse().unwrap()).collect() }
    }

    #[test]
    fn addresses_inside_the_house_are_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0.0.0.0",
            "0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "240.0.0.1",
            "192.88.99.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[::7f00:1]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[ff02::1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2001:0:7f00:1::]",
            "[2001:db8::1]",
            "[100::1]",
            "[3fff:100::1]",
            "localhost",
            "LOCALHOST.",
            "api.localhost",
            "printer.local",
            "metadata.google.internal",
            "intranet",
            "db.lan",
            "①②⑦.⓪.⓪.①",
        ] {
            let url = format!("https://{host}/hook");
            assert_eq!(check_url(&url, &Policy::default()), Err(UrlFault::NotPublic), "{url}");
        }
    }

    #[test]
    fn public_endpoints_are_taken_over_https_only() {
        for host in ["school.example", "8.8.8.8", "[2a00:1450::1]", "172.32.0.1", "100.128.0.1", "hooks.example:8443"] {
            assert_eq!(check_url(&format!("https://{host}/hook"), &Policy::default()), Ok(()), "{host}");
            assert_eq!(
                check_url(&format!("http://{host}/hook"), &Policy::default()),
                Err(UrlFault::NotHttps),
                "{host}"
            );
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for (url, fault) in [
            ("", UrlFault::NotAUrl),
            ("school.example", UrlFault::NotAUrl),
            ("https://", UrlFault::NotAUrl),
            ("https://1.2.3.4.5.6/", UrlFault::NotAUrl),
            ("ftp://school.example/", UrlFault::NotHttps),
            ("unix://school.example/", UrlFault::NotHttps),
            ("https://user:hush@school.example/", UrlFault::Credentials),
            ("https://school.example@127.0.0.1/", UrlFault::Credentials),
            ("https://school.example/#x", UrlFault::Fragment),
        ] {
            assert_eq!(check_url(url, &Policy::default()), Err(fault), "{url}");
        }
    }

    #[test]
    fn an_allowed_network_opens_itself_and_nothing_else() {
        let policy = allowing(&["127.0.0.0/8"]);
        assert_eq!(check_url("http://127.0.0.1:8099/hook", &policy), Ok(()));
        assert_eq!(check_url("http://[::ffff:127.0.0.1]/hook", &policy), Ok(()));
        assert_eq!(check_url("http://10.0.0.1/hook", &policy), Err(UrlFault::NotHttps));
        assert_eq!(check_url("https://10.0.0.1/hook", &policy), Err(UrlFault::NotPublic));
        assert_eq!(check_url("http://8.8.8.8/hook", &policy), Err(UrlFault::NotHttps));
    }

    #[tokio::test]
    async fn a_name_that_resolves_into_the_house_is_refused_when_it_is_connected_to() {
        let resolver = |policy, plain| GuardedResolver { policy, plain };
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = resolver(Policy::default(), false).resolve(name()).await;
        assert_eq!(refused.err().and_then(|error| error.downcast_ref().copied()), Some(UrlFault::NotPublic));
        let refused = resolver(Policy::default(), true).resolve(name()).await;
        assert_eq!(refused.err().and_then(|error| error.downcast_ref().copied()), Some(UrlFault::NotHttps));
        let found = resolver(allowing(&["127.0.0.0/8"]), true).resolve(name()).await.unwrap();
        assert!(found.map(|address| address.ip()).eq(["127.0.0.1".parse::<IpAddr>().unwrap()]));
    }
}
