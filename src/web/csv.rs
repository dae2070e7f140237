//! Tables as CSV (RFC 4180) that no spreadsheet takes for formulas.
//!
//! Promises: a cell beginning with `= + - @`, a tab or a carriage return gets an apostrophe before it; control characters
//! are written out; every line ends with CRLF. Never: drops a character.

use crate::web::text::shown;

/// A table under way.
pub(super) struct Csv {
    out: String,
    separator: char,
}

impl Csv {
    /// As RFC 4180 says: commas, UTF-8 without a mark.
    pub(super) fn plain() -> Self {
        Self { out: String::new(), separator: ',' }
    }

    /// As a Russian spreadsheet program opens it by a double click: semicolons, and the mark of UTF-8.
    pub(super) fn for_spreadsheets() -> Self {
        Self { out: String::from("\u{feff}"), separator: ';' }
    }

    /// One line.
    pub(super) fn line<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for (no, cell) in cells.into_iter().enumerate() {
            if no > 0 {
                self.out.push(self.separator);
            }
            self.cell(cell);
        }
        self.out.push_str("\r\n");
    }

    fn cell(&mut self, cell: &str) {
        let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
        let cell = shown(cell);
        let plain = !cell.contains(['"', ',', ';', '\r', '\n', '\t']) && cell.trim() == cell;
        if plain {
            self.out.push_str(guard);
            self.out.push_str(&cell);
        } else {
            self.out.push('"');
            self.out.push_str(guard);
            self.out.push_str(&cell.replace('"', "\"\""));
            self.out.push('"');
        }
    }

    /// The whole table.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut csv = Csv::plain();
        csv.line([text]);
        csv.finish()
    }

    #[test]
    fn formula_is_shown_and_not_computed() {
        assert_eq!(cell("=1+1"), "'=1+1\r\n");
        assert_eq!(cell("+7 395"), "'+7 395\r\n");
        assert_eq!(cell("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"\r\n");
        assert_eq!(cell("-2"), "'-2\r\n");
        assert_eq!(cell("\t=1"), "\"'\t=1\"\r\n");
        assert_eq!(cell("\r=1"), "'⟨U+000D⟩=1\r\n");
    }

    #[test]
    fn line_break_and_quote_stay_inside_their_cell() {
        assert_eq!(cell("а\r\nб \"в\""), "\"а⟨U+000D⟩\nб \"\"в\"\"\"\r\n");
    }

    #[test]
    fn spreadsheets_get_the_mark_and_semicolons() {
        let mut csv = Csv::for_spreadsheets();
        csv.line(["а", "б"]);
        assert_eq!(csv.finish(), "\u{feff}а;б\r\n");
    }
}
