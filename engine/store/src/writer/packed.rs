//! Rows packed for the bulk statements: numbers in columns of fixed width, then a text.
//!
//! The place and the length of each row come beside the blob as one JSON array of numbers, so that SQLite neither
//! parses nor unescapes the texts.

use std::fmt::Write as _;

/// Rows under construction.
#[derive(Default)]
pub(super) struct Packed {
    blob: Vec<u8>,
    rows: String,
    count: u64,
}

impl Packed {
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Adds a row. The numbers take 12, 12, 16 and 18 digits, as the statements read them.
    pub(super) fn push<const N: usize>(&mut self, numbers: [i64; N], text: &str) {
        self.push_with(numbers, |blob| blob.extend_from_slice(text.as_bytes()));
    }

    /// Adds a row whose text is appended by `text`.
    pub(super) fn push_with<const N: usize, T>(
        &mut self,
        numbers: [i64; N],
        text: impl FnOnce(&mut Vec<u8>) -> T,
    ) -> T {
        let place = self.blob.len() + 1;
        for (number, width) in numbers.into_iter().zip([12, 12, 16, 18]) {
            push_number(&mut self.blob, number, width);
        }
        let start = self.blob.len();
        let answer = text(&mut self.blob);
        self.rows.push(if self.count > 0 { ',' } else { '[' });
        let _ = write!(self.rows, "{}", (place << 32) | (self.blob.len() - start));
        self.count += 1;
        answer
    }

    /// The rows and their places, as arguments; nothing if there are none.
    pub(super) fn finish(mut self) -> (Option<Vec<u8>>, Option<String>) {
        if self.count == 0 {
            return (None, None);
        }
        self.rows.push(']');
        (Some(self.blob), Some(self.rows))
    }
}

/// Right-aligned, with leading zeros, so that every column begins at a known place.
fn push_number(blob: &mut Vec<u8>, number: i64, width: usize) {
    let end = blob.len() + width;
    let start = blob.len();
    blob.resize(end, b'0');
    let mut rest = number.unsigned_abs();
    for digit in blob.iter_mut().skip(start).rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if let (true, Some(sign)) = (number < 0, blob.get_mut(start)) {
        *sign = b'-';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_in_columns() {
        let mut rows = Packed::default();
        rows.push([7, 123_456_789_012, -5], "text");
        rows.push([1, 2], "më");
        assert_eq!(
            String::from_utf8(rows.blob).unwrap(),
            "000000000007123456789012-000000000000005text000000000001000000000002më"
        );
        assert_eq!(
            rows.rows,
            format!("[{},{}", (1_u64 << 32) | 4, (45_u64 << 32) | 3)
        );
    }
}
