//! A source file as the rules see it: its text, its code without comments and literals, and which lines are tests.
//!
//! Promises: the code has the same lines and columns as the text. Never: understands Rust; it only blanks and counts.

use regex::Regex;
use std::fmt;
use std::path::{Path, PathBuf};

/// A pattern, compiled at its first use.
pub fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// One file, with its path from the top of the project.
pub struct Source {
    pub path: String,
    pub text: String,
    /// The text with comments and the content of literals blanked.
    pub code: String,
    tests: Vec<bool>,
}

/// A broken rule: where, which, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub path: String,
    pub line: usize,
    pub rule: Rule,
    pub what: String,
}

/// The name of a rule, and what to do where it is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule(pub &'static str, pub &'static str);

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule(name, remedy) = self.rule;
        write!(out, "{}:{}: [{name}] {}; {remedy}", self.path, self.line, self.what)
    }
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = masked(text);
        let tests = test_lines(path, &code);
        Self { path: path.to_owned(), text: text.to_owned(), code, tests }
    }

    /// The lines of code outside tests, with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.code.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(line, _)| !self.is_test(*line))
    }

    /// The lines of code that hold one of the words and match the pattern, with the match. The words are there for
    /// speed alone: in a debug build a pattern costs a hundred times as much as a look for plain text.
    pub fn seek_everywhere<'a>(
        &'a self,
        words: &'a [&'a str],
        wrong: &'a Regex,
    ) -> impl Iterator<Item = (usize, &'a str)> {
        let suspect = |text: &str| words.iter().any(|word| text.contains(word));
        let lines = self.code.lines().enumerate().filter(move |(_, text)| suspect(text));
        lines.filter_map(move |(index, text)| Some((index + 1, wrong.find(text)?.as_str())))
    }

    /// The same, outside tests.
    pub fn seek<'a>(&'a self, words: &'a [&'a str], wrong: &'a Regex) -> impl Iterator<Item = (usize, &'a str)> {
        self.seek_everywhere(words, wrong).filter(|(line, _)| !self.is_test(*line))
    }

    /// Where a word stands in the code and is not the tail of a longer one.
    pub fn places<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let stands = |at: &usize| !self.code[..*at].ends_with(is_word);
        self.code.match_indices(word).map(|(at, _)| at).filter(stands)
    }

    pub fn is_test(&self, line: usize) -> bool {
        self.tests.get(line - 1).copied().unwrap_or(false)
    }

    /// The line of a byte of the code.
    pub fn line_of(&self, byte: usize) -> usize {
        self.code[..byte].matches('\n').count() + 1
    }

    pub fn is_under(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    pub fn fault(&self, line: usize, rule: Rule, what: String) -> Fault {
        Fault { path: self.path.clone(), line, rule, what }
    }
}

/// The end of the block that opens at or after `start`: the byte after its closing brace, or after a `;` before it.
pub fn block_end(code: &str, start: usize) -> (Option<usize>, usize) {
    let (mut depth, mut opened, mut nested) = (0usize, None, 0usize);
    for (index, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested = nested.saturating_sub(1),
            b';' if opened.is_none() && nested == 0 => return (None, index + 1),
            b'{' => {
                opened.get_or_insert(index);
                depth += 1;
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return (opened, index + 1);
                }
            }
            _ => {}
        }
    }
    (opened, code.len())
}

fn test_lines(path: &str, code: &str) -> Vec<bool> {
    let whole = path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/");
    let mut lines = vec![whole; code.lines().count()];
    let gates = ["#[cfg(test)]", "#[cfg(all(test", "#[test]", "#[tokio::test"];
    for start in gates.iter().flat_map(|gate| code.match_indices(gate)).map(|(at, _)| at) {
        let (_, end) = block_end(code, start);
        let first = code[..start].matches('\n').count();
        let last = code[..end].matches('\n').count().min(lines.len().saturating_sub(1));
        lines[first..=last].fill(true);
    }
    lines
}

fn masked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = blank_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            // Columns count bytes: a blanked letter leaves as many blanks as it had bytes.
            for letter in &chars[at..end] {
                if *letter == '\n' { out.push('\n') } else { out.extend(std::iter::repeat_n(' ', letter.len_utf8())) }
            }
            at = end;
        }
    }
    out
}

/// Where the comment or literal that begins here ends; the same place if none begins.
fn blank_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied().unwrap_or(' ');
    match chars[at] {
        '/' if next == '/' => end_of_line(chars, at),
        '/' if next == '*' => end_of_comment(chars, at),
        '"' => end_of_string(chars, at + 1),
        'r' if !(at > 0 && is_word(chars[at - 1]) && !matches!(chars[at - 1], 'b' | 'c')) => end_of_raw(chars, at),
        '\'' if next == '\\' => find(chars, at + 3, '\'') + 1,
        '\'' if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

/// Whether a letter may be part of a name.
pub fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn find(chars: &[char], from: usize, wanted: char) -> usize {
    (from..chars.len()).find(|index| chars[*index] == wanted).unwrap_or(chars.len() - 1)
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    (at..chars.len()).find(|index| chars[*index] == '\n').unwrap_or(chars.len())
}

fn end_of_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut index) = (0, at);
    while index + 1 < chars.len() {
        match (chars[index], chars[index + 1]) {
            ('/', '*') => (depth, index) = (depth + 1, index + 2),
            ('*', '/') => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            return index;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], from: usize) -> usize {
    let mut index = from;
    while index < chars.len() {
        match chars[index] {
            '\\' => index += 2,
            '"' => return index + 1,
            _ => index += 1,
        }
    }
    chars.len()
}

fn end_of_raw(chars: &[char], at: usize) -> usize {
    let hashes = chars[at + 1..].iter().take_while(|letter| **letter == '#').count();
    if chars.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let body = at + 2 + hashes;
    let closes = |index: &usize| chars[*index] == '"' && chars[*index + 1..].iter().take(hashes).all(|c| *c == '#');
    (body..chars.len()).find(closes).map_or(chars.len(), |index| (index + 1 + hashes).min(chars.len()))
}

/// Every file of the project whose name has one of these endings, but for what is built, fetched or made.
pub fn files(endings: &[&str]) -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(top, &mut found);
    let named = |path: &PathBuf| path.strip_prefix(top).expect("below the top").to_string_lossy().into_owned();
    let texts = found.iter().filter_map(|path| Some((named(path), std::fs::read_to_string(path).ok()?)));
    let mut texts: Vec<_> = texts.filter(|(path, _)| endings.iter().any(|ending| path.ends_with(ending))).collect();
    texts.sort();
    texts
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if matches!(&*name, "target" | ".git" | ".test" | "data" | "Cargo.lock") {
            continue;
        }
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

#[test]
fn comments_and_literals_are_no_code() {
    let text =
        "let a = \"crate::store\"; // crate::web\n/* crate::/* x */app */ let b = r#\"cr\"ate\"#; 'c'; '\\''; &'a str";
    let source = Source::new("src/a.rs", text);
    assert_eq!(source.code.len(), text.len());
    assert!(!source.code.contains("crate") && !source.code.contains("ate"));
    assert!(source.code.contains("let b") && source.code.contains("&'a str"));
}

#[test]
fn the_lines_of_a_test_module_are_no_code_of_the_program() {
    let source = Source::new("src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n");
    assert_eq!(source.lines().map(|(line, _)| line).collect::<Vec<_>>(), [1, 6]);
}
