//! Integers of JSON: any spelling that is exactly an integer, as JSON Schema 2020-12 reads it (`1.0`, `1e2`).
//!
//! Promises: exact; never rounds. Never: computes with floating point.

use crate::format::walk::Number;

/// What a number is as an integer.
pub(super) fn integer(spelled: &str) -> Number {
    if spelled.len() <= 18 && !spelled.contains(['.', 'e', 'E']) {
        return spelled.parse().map_or(Number::Other, Number::Integer);
    }
    let (sign, unsigned) = spelled.strip_prefix('-').map_or(("", spelled), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Number::Integer(0);
    }
    // Exponents beyond 64 bits are beyond every integer, or below every one.
    let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 });
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX / 4);
    let zeros = exponent - length(fraction) + length(&digits) - length(significant);
    if zeros < 0 {
        return Number::Other;
    }
    let significant = significant.trim_start_matches('0');
    match usize::try_from(zeros) {
        Ok(zeros) if significant.len() + zeros <= 19 => {
            format!("{sign}{significant}{}", "0".repeat(zeros)).parse().map_or(Number::Beyond, Number::Integer)
        }
        _ => Number::Beyond,
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, integer};

    fn read(spelled: &str) -> Option<i64> {
        if let Number::Integer(value) = integer(spelled) { Some(value) } else { None }
    }

    #[test]
    fn every_exact_spelling_of_an_integer_is_read() {
        for (spelled, value) in [
            ("0", 0),
            ("-0", 0),
            ("7", 7),
            ("1.0", 1),
            ("1e2", 100),
            ("1E+2", 100),
            ("10e-1", 1),
            ("-1.50e1", -15),
            ("0e999999999999999999999", 0),
            ("0.000", 0),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("922337203685477580.70e1", i64::MAX),
            ("0.1e1", 1),
        ] {
            assert_eq!(read(spelled), Some(value), "{spelled}");
        }
    }

    #[test]
    fn what_is_no_integer_of_64_bits_is_told_apart() {
        for spelled in [
            "9223372036854775808",
            "-9223372036854775809",
            "1e19",
            "1e999999999999999999999",
            "12345678901234567890123",
        ] {
            assert!(matches!(integer(spelled), Number::Beyond), "{spelled}");
        }
        for spelled in ["0.5", "1e-1", "1.00000000000000000000001", "1e-999999999999999999999", "9007199254740993.5"] {
            assert!(matches!(integer(spelled), Number::Other), "{spelled}");
        }
    }
}
