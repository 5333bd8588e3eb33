//! Numbers as people write them, in the thousandths that weights are counted in: exact, without fractions of binary numbers.

/// Reads "5", "-2.5" or "0,125". None for what is no number, has more than three digits behind the point, or more than twelve
/// before it.
pub fn read(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let long = whole.len() > 12 || fraction.len() > 3;
    if long || whole.len() + fraction.len() == 0 || !plain(whole) || !plain(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<3}").parse::<i64>().ok().map(|number| sign * number)
}

/// Writes 2500 as "2.5".
pub fn write(thousandths: i64) -> String {
    let (sign, size) = (if thousandths < 0 { "-" } else { "" }, thousandths.unsigned_abs());
    let text = format!("{sign}{}.{:03}", size / 1000, size % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_the_thousandth() {
        for (text, number) in
            [("5", 5000), ("-2.5", -2500), ("+0,125", 125), (".5", 500), ("7.", 7000), ("0", 0)]
        {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in [
            "", "-", ".", "five", "NaN", "inf", "1e3", "1e999", "0x10", "1.2345", "1 2", "٣", "--1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("9999999999999"), None);
    }

    #[test]
    fn numbers_are_written_without_needless_zeros() {
        for (number, text) in [(2500, "2.5"), (-125, "-0.125"), (10_000, "10"), (0, "0")] {
            assert_eq!(write(number), text);
        }
    }
}
