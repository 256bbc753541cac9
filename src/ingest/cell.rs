//! Reading one value: counts and names.

use super::reject::Reason;
use crate::schema::LARGEST;

/// Stands in a column of whole numbers for a number that is not whole.
pub(super) const NOT_WHOLE: i64 = i64::MIN;

/// Text without the padding that fixed-width exports leave around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// A count written in digits; `None` where the cell is empty.
#[inline]
pub(super) fn count(text: &str) -> Result<Option<i64>, Reason> {
    let digits = text.as_bytes();
    let digits = if digits.first().is_some_and(|b| *b <= b' ')
        || digits.last().is_some_and(|b| *b <= b' ')
    {
        trim(text).as_bytes()
    } else {
        digits
    };
    if digits.is_empty() {
        return Ok(None);
    }
    // 18 digits fit into 64 bits whatever they are, so the loop needs no check of overflow.
    if digits.len() > 18 {
        return Err(long_count(digits));
    }
    let mut number: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(long_count(digits));
        }
        number = number * 10 + i64::from(digit);
    }
    if number > LARGEST {
        Err(Reason::Overflow)
    } else {
        Ok(Some(number))
    }
}

/// What is wrong with a text that is no count, or one of more than 18 digits.
fn long_count(text: &[u8]) -> Reason {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        Reason::NotWhole
    } else if negative {
        Reason::Negative
    } else {
        Reason::Overflow
    }
}

/// A count that the file holds as a number.
#[inline]
pub(super) fn whole(number: i64) -> Result<Option<i64>, Reason> {
    match number {
        NOT_WHOLE => Err(Reason::NotWhole),
        n if n < 0 => Err(Reason::Negative),
        n if n > LARGEST => Err(Reason::Overflow),
        n => Ok(Some(n)),
    }
}

/// A floating-point number as a column of whole numbers holds it.
pub(super) fn from_float(number: f64) -> i64 {
    // Beyond 2^53 not every whole number can be represented: what stands here may have been another.
    let largest = LARGEST as f64;
    if number.fract() != 0.0 || !number.is_finite() {
        NOT_WHOLE
    } else if number > largest {
        i64::MAX
    } else if number < -largest {
        -i64::MAX
    } else {
        number as i64
    }
}

/// A name: trimmed, of at most 200 characters, without control characters. May be empty.
pub(super) fn name(text: &str) -> Result<&str, Reason> {
    let name = text.trim();
    if name.chars().any(char::is_control) {
        return Err(Reason::NameControl);
    }
    if name.len() > 200 && name.chars().count() > 200 {
        return Err(Reason::NameLength);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_are_a_count() {
        assert_eq!(count("9007199254740992"), Ok(Some(LARGEST)));
        assert_eq!(count(" 42 "), Ok(Some(42)));
        assert_eq!(count("000000000000000000000"), Err(Reason::Overflow));
        assert_eq!(count("9007199254740993"), Err(Reason::Overflow));
        assert_eq!(count("99999999999999999999999"), Err(Reason::Overflow));
        assert_eq!(count("  "), Ok(None));
        assert_eq!(count("-5"), Err(Reason::Negative));
        for text in [
            "+5", "1 000", "1,000", "1.5", "1.0", "1e6", "1,5 Mrd", "-", "٣", "0x10", "NaN",
            "\u{a0}5",
        ] {
            assert_eq!(count(text), Err(Reason::NotWhole), "{text}");
        }
    }

    #[test]
    fn a_float_counts_only_where_it_is_exact() {
        assert_eq!(whole(from_float(3.0)), Ok(Some(3)));
        assert_eq!(whole(from_float(-0.0)), Ok(Some(0)));
        assert_eq!(whole(from_float(3.5)), Err(Reason::NotWhole));
        assert_eq!(whole(from_float(f64::NAN)), Err(Reason::NotWhole));
        assert_eq!(whole(from_float(1e300)), Err(Reason::Overflow));
        assert_eq!(whole(from_float(-1e300)), Err(Reason::Negative));
    }

    #[test]
    fn a_name_has_200_characters_at_most() {
        assert_eq!(name("  Viber "), Ok("Viber"));
        assert_eq!(name(&"é".repeat(200)).map(str::len), Ok(400));
        assert_eq!(name(&"é".repeat(201)), Err(Reason::NameLength));
        assert_eq!(name("a\u{7}b"), Err(Reason::NameControl));
    }
}
