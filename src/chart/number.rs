//! Figures as a reader of a newspaper expects them: rounded for a chart, grouped for a table.

/// Narrow no-break space: between the groups of a number, and between a number and its letter.
const THIN: char = '\u{202F}';

/// Letters of the thousands, from none to 10^12.
const LETTERS: [&str; 5] = ["", "k", "M", "bn", "tn"];

/// `value` with at most three significant digits: `100 M`, `1.2 bn`, `-12.3 k`, `0.4`.
///
/// What is no number at all is shown as a dash.
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    // Rounding comes before the choice of the letter: 999 999 is 1 M, not 1000 k.
    let scientific = format!("{:.2e}", value.abs());
    let (mantissa, exponent) = match scientific.split_once('e') {
        Some((m, e)) => (m.replace('.', ""), e.parse::<i32>().unwrap_or(0)),
        None => (String::from("000"), 0),
    };
    if exponent < -6 || mantissa.chars().all(|c| c == '0') {
        return "0".to_owned();
    }
    let step = usize::try_from(exponent.div_euclid(3))
        .unwrap_or(0)
        .min(LETTERS.len() - 1);
    let places = exponent - 3 * i32::try_from(step).unwrap_or(0);
    let digits = decimal(&mantissa, places);
    let sign = if value < 0.0 { "-" } else { "" };
    match LETTERS.get(step) {
        Some(letter) if !letter.is_empty() => format!("{sign}{digits}{THIN}{letter}"),
        _ => format!("{sign}{digits}"),
    }
}

/// Three digits with the point after the first `places + 1` of them, and no idle zeros behind it.
fn decimal(mantissa: &str, places: i32) -> String {
    let mut text = String::new();
    if places < 0 {
        text.push_str("0.");
        text.extend((1..-places).map(|_| '0'));
        text.push_str(mantissa);
    } else {
        let whole = usize::try_from(places).unwrap_or(0) + 1;
        let mut digits: String = mantissa.to_owned();
        digits.extend((mantissa.len()..whole).map(|_| '0'));
        let (head, tail) = digits.split_at(whole.min(digits.len()));
        text.push_str(&grouped(head));
        if !tail.is_empty() {
            text.push('.');
            text.push_str(tail);
        }
    }
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// `value` to the last unit, in groups of three: `1 000 000`.
pub fn exact(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(&value.unsigned_abs().to_string()))
}

/// Digits in groups of three, counted from the right.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_have_three_digits_and_a_letter() {
        let cases = [
            (100e6, "100_M"),
            (1e9, "1_bn"),
            (1.2e9, "1.2_bn"),
            (15e9, "15_bn"),
            (350e3, "350_k"),
            (62e6, "62_M"),
            (-12_345.0, "-12.3_k"),
            (0.4, "0.4"),
            (0.0, "0"),
            (-0.0, "0"),
            (999.4, "999"),
            (999_999.0, "1_M"),
            (1234.0, "1.23_k"),
            (1e12, "1_tn"),
            (1e15, "1_000_tn"),
            (0.001_234, "0.00123"),
            (1e-9, "0"),
            (f64::NAN, "–"),
        ];
        for (value, shown) in cases {
            assert_eq!(short(value), shown.replace('_', "\u{202F}"), "{value}");
        }
    }

    #[test]
    fn exact_numbers_are_grouped() {
        assert_eq!(exact(1_000_000), "1\u{202F}000\u{202F}000");
        assert_eq!(exact(-1234), "-1\u{202F}234");
        assert_eq!(exact(999), "999");
        assert_eq!(
            exact(i64::MIN),
            "-9\u{202F}223\u{202F}372\u{202F}036\u{202F}854\u{202F}775\u{202F}808"
        );
    }
}
