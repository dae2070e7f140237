//! Text that others wrote, made safe to look at.
//!
//! Promises: a character that is invisible or moves other characters (bidi marks, escape sequences, control characters)
//! is shown as its code, so that a page, a print and a file say what is there. Never: drops a character.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every deceiving character written as `⟨U+202E⟩`. Line breaks and tabs stay.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(deceives) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if deceives(letter) {
            // Writing to a String cannot fail.
            let _ = write!(out, "⟨U+{:04X}⟩", u32::from(letter));
        } else {
            out.push(letter);
        }
    }
    Cow::Owned(out)
}

/// Control characters, bidi controls, invisible joiners at the edge of spoofing, line separators, tags.
fn deceives(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{2060}' | '\u{180e}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

/// The filters of the pages.
pub(super) mod filters {
    use askama::Values;
    use std::fmt::Display;

    /// [`super::shown`] for templates; the result is escaped like any other text.
    #[askama::filter_fn]
    pub fn shown(text: impl Display, _: &dyn Values) -> askama::Result<String> {
        Ok(super::shown(&text.to_string()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bidi_and_escape_characters_are_shown_as_codes() {
        assert_eq!(shown("ab\u{202e}cd\u{1b}[31m\r"), "ab⟨U+202E⟩cd⟨U+001B⟩[31m⟨U+000D⟩");
    }

    #[test]
    fn plain_text_stays_as_it_is() {
        assert!(matches!(shown("Школа № 17,\nИванов И. И.\t"), Cow::Borrowed(_)));
    }
}
