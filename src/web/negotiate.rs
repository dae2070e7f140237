//! What the caller wants to read, by `Accept`.
//!
//! Promises: the offer with the highest quality, ours first among equals; `None` when nothing offered is acceptable.
//! Never: guesses by the name of a program.

use axum::http::{HeaderMap, header};

/// The offer that the caller likes best; the first one when it says nothing.
pub(super) fn best<T: Copy>(headers: &HeaderMap, offers: &[(&str, T)]) -> Option<T> {
    let stated: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    if stated.is_empty() {
        return offers.first().map(|(_, offer)| *offer);
    }
    let mut best: Option<(u32, T)> = None;
    for (media_type, offer) in offers {
        let quality = quality(&stated, media_type);
        if quality > best.map_or(0, |(reached, _)| reached) {
            best = Some((quality, *offer));
        }
    }
    best.map(|(_, offer)| offer)
}

/// Whether the caller is somebody with a browser.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    best(headers, &[("application/problem+json", false), ("application/json", false), ("text/html", true)])
        .unwrap_or(false)
}

/// The quality in thousandths that the caller gives this type; the most specific range decides.
fn quality(stated: &[&str], media_type: &str) -> u32 {
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    let mut decided = (0, 0);
    for range in stated.iter().flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specificity = match name.split_once('/') {
            _ if name == media_type => 3,
            Some((range_kind, "*")) if range_kind == kind => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        let weight = parts.filter_map(|part| part.strip_prefix("q=")).filter_map(|q| q.parse::<f32>().ok()).next();
        if specificity > decided.0 {
            decided = (specificity, (weight.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u32);
        }
    }
    decided.1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    const OFFERS: [(&str, u8); 2] = [("application/json", 1), ("application/xml", 2)];

    fn accept(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT, line.parse().unwrap())])
    }

    #[test]
    fn most_specific_range_and_highest_quality_decide() {
        assert_eq!(best(&accept("application/xml"), &OFFERS), Some(2));
        assert_eq!(best(&accept("application/json;q=0.5, application/xml;q=0.9"), &OFFERS), Some(2));
        assert_eq!(best(&accept("*/*"), &OFFERS), Some(1));
        assert_eq!(best(&accept("application/*;q=0.5, application/json;q=0.1"), &OFFERS), Some(2));
        assert_eq!(best(&accept("text/csv"), &OFFERS), None);
        assert_eq!(best(&accept("application/json;q=0"), &OFFERS), None);
        assert_eq!(best(&HeaderMap::new(), &OFFERS), Some(1));
    }

    #[test]
    fn browser_wants_a_page_and_curl_does_not() {
        assert!(wants_page(&accept("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")));
        assert!(!wants_page(&accept("*/*")));
    }
}
