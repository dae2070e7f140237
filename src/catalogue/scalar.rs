//! The rules of single values: alphabets, dates, instants, ids.
//!
//! Promises: each check says exactly what the pattern beside it says, so that a JSON Schema validator, an XSD validator
//! and we never disagree. Never: normalises a value; its spelling is the sender's.

use crate::catalogue::plan::Alphabet;

/// A date of 1900–2099 that exists, as a pattern that needs no `format` assertion.
pub const DATE_PATTERN: &str = "^((19|20)[0-9]{2}-((01|03|05|07|08|10|12)-(0[1-9]|[12][0-9]|3[01])|(04|06|09|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(0[48]|[2468][048]|[13579][26])|20([02468][048]|[13579][26]))-02-29)$";

/// An instant on such a date: no 24:00, no leap second, `Z` or an offset up to ±13:59, at most nanoseconds.
pub const DATE_TIME_PATTERN: &str = "^((19|20)[0-9]{2}-((01|03|05|07|08|10|12)-(0[1-9]|[12][0-9]|3[01])|(04|06|09|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(0[48]|[2468][048]|[13579][26])|20([02468][048]|[13579][26]))-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+\\-](0[0-9]|1[0-3]):[0-5][0-9])$";

/// A UUID in lower case.
pub const UUID_PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// What [`Alphabet::Line`] forbids, as the schemas' `not` spells it.
pub const LINE_FORBIDS: &str = "[\\u0000-\\u001F\\u007F-\\u009F\\uFFFE\\uFFFF]";

/// What [`Alphabet::Lines`] forbids, as the schemas' `not` spells it.
pub const LINES_FORBID: &str = "[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\uFFFE\\uFFFF]";

/// A rule that a value broke, with what the message about it needs. Never the value itself: it is personal data.
#[derive(Debug, Clone, Copy)]
pub enum Rule<'p> {
    ForbiddenCharacter(Alphabet),
    TooLong(usize),
    TooShort(usize),
    NotInList(&'p [Box<str>]),
    BadDate,
    BadDateTime,
    BadUuid,
    BadPattern(&'p str),
    OutOfRange(i64, i64),
    TooFewItems(usize),
    TooManyItems(usize),
    DuplicateItem,
}

impl Rule<'_> {
    /// The stable code of the rule.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ForbiddenCharacter(_) => "forbidden_character",
            Self::TooLong(_) => "too_long",
            Self::TooShort(_) => "too_short",
            Self::NotInList(_) => "not_in_list",
            Self::BadDate => "bad_date",
            Self::BadDateTime => "bad_date_time",
            Self::BadUuid => "bad_uuid",
            Self::BadPattern(_) => "bad_pattern",
            Self::OutOfRange(..) => "out_of_range",
            Self::TooFewItems(_) => "too_few_items",
            Self::TooManyItems(_) => "too_many_items",
            Self::DuplicateItem => "duplicate_item",
        }
    }

    /// What to do about it, in plain English.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::ForbiddenCharacter(Alphabet::Line) => "remove the control characters; this is a single line".into(),
            Self::ForbiddenCharacter(Alphabet::Lines) => {
                "remove the control characters; only tabs and line ends are allowed".into()
            }
            Self::TooLong(max) => format!("shorten it to at most {max} characters"),
            Self::TooShort(1) => "it is empty; fill it in or leave the field out".into(),
            Self::TooShort(min) => format!("write at least {min} characters"),
            Self::NotInList(allowed) => format!("write one of: {}", allowed.join(", ")),
            Self::BadDate => "write an existing date of 1900 to 2099 as YYYY-MM-DD".into(),
            Self::BadDateTime => "write an instant with its offset, as 2026-01-31T09:00:00+08:00".into(),
            Self::BadUuid => "write a UUID in lower case, as 8-4-4-4-12 hexadecimal digits".into(),
            Self::BadPattern(pattern) => format!("write it so that it matches {pattern}"),
            Self::OutOfRange(min, max) => format!("write an integer from {min} to {max}"),
            Self::TooFewItems(min) => format!("give at least {min} items, or leave an optional list out"),
            Self::TooManyItems(max) => format!("give at most {max} items"),
            Self::DuplicateItem => "name each item once".into(),
        }
    }
}

/// Whether `odd` holds for no byte, sixteen at a time and without branches: the compiler makes wide instructions of it.
#[inline]
#[must_use]
pub fn no_byte(text: &[u8], odd: impl Fn(u8) -> bool + Copy) -> bool {
    let clean = |lanes: &[u8; 16]| !lanes.iter().fold(false, |found, byte| found | odd(*byte));
    let (chunks, rest) = text.as_chunks::<16>();
    if !chunks.iter().all(clean) {
        return false;
    }
    match (rest.is_empty(), text.last_chunk::<16>()) {
        (true, _) => true,
        // Some bytes are looked at twice, which costs less than looking at them one by one.
        (false, Some(last)) => clean(last),
        (false, None) => {
            let mut lanes = [b' '; 16];
            lanes[..rest.len()].copy_from_slice(rest);
            clean(&lanes)
        }
    }
}

/// Whether the byte may begin or be a character outside [`Alphabet::Line`].
#[inline]
#[must_use]
pub fn is_suspect(byte: u8) -> bool {
    (byte < 0x20) | (byte == 0x7F) | (byte == 0xC2) | (byte == 0xEF)
}

/// Whether every character belongs to the alphabet.
#[must_use]
pub fn in_alphabet(text: &str, alphabet: Alphabet) -> bool {
    let bytes = text.as_bytes();
    if no_byte(bytes, is_suspect) {
        return true;
    }
    let next = |place: usize| bytes.get(place).copied().unwrap_or_default();
    bytes.iter().enumerate().all(|(place, byte)| match byte {
        b'\t' | b'\n' | b'\r' => alphabet == Alphabet::Lines,
        0..=0x1F => false,
        0x7F => alphabet == Alphabet::Lines,
        // U+0080 to U+009F; the text is UTF-8, so this byte leads a pair.
        0xC2 if next(place + 1) < 0xA0 => alphabet == Alphabet::Lines,
        // U+FFFE and U+FFFF.
        0xEF => next(place + 1) != 0xBF || next(place + 2) < 0xBE,
        _ => true,
    })
}

/// Whether the text is what [`DATE_PATTERN`] says.
#[must_use]
pub fn is_date(text: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return false };
    if ![y1, y2, y3, y4, m1, m2, d1, d2].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let two = |tens: u8, units: u8| u32::from(tens - b'0') * 10 + u32::from(units - b'0');
    let (century, year, month, day) = (two(y1, y2), two(y3, y4), two(m1, m2), two(d1, d2));
    // Of 1900–2099 only 1900 is divisible by four and no leap year.
    let leap = year % 4 == 0 && (century, year) != (19, 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (century == 19 || century == 20) && (1..=days).contains(&day)
}

/// Whether the text is what [`DATE_TIME_PATTERN`] says.
#[must_use]
pub fn is_date_time(text: &[u8]) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else { return false };
    let [b'T', time @ ..] = rest else { return false };
    let Some((clock, rest)) = time.split_at_checked(8) else { return false };
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock else { return false };
    is_date(date) && hours(h1, h2, 23) && sixty(m1, m2) && sixty(s1, s2) && is_fraction_and_offset(rest)
}

fn is_fraction_and_offset(text: &[u8]) -> bool {
    let offset = match text {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            &rest[digits..]
        }
        _ => text,
    };
    match *offset {
        [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => hours(h1, h2, 13) && sixty(m1, m2),
        _ => false,
    }
}

fn hours(tens: u8, units: u8, max: u8) -> bool {
    tens.is_ascii_digit() && units.is_ascii_digit() && (tens - b'0') * 10 + (units - b'0') <= max
}

fn sixty(tens: u8, units: u8) -> bool {
    matches!(tens, b'0'..=b'5') && units.is_ascii_digit()
}

/// Whether the text is what [`UUID_PATTERN`] says.
#[must_use]
pub fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}
