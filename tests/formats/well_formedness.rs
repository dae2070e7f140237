//! The strict door of XML against libxml2, over thousands of documents with a few bytes changed: what is well-formed,
//! namespaces included, and what is not.
//!
//! Promises: always the same documents; each allowed disagreement is named. Never: a document type declaration, which we
//! refuse unread.

use crate::mutate::Dice;
use crate::print::{self, SPELLINGS};
use crate::{Scratch, generate, python};
use mezhved::catalogue::Catalogue;
use mezhved::domain::message::Format;
use mezhved::format::{self, Gate};

/// Documents with everything that XML has and messages have not.
const CURIOUS: &[&str] = &[
    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='no'?><!-- a - b --><a:b xmlns:a='urn:a' xmlns=\"urn:b\" a:c='1' c=\"&lt;2&#62;\"><?pi data?>t<c/><![CDATA[<&]]]]><![CDATA[>]]>&amp;&#x10FFFF;</a:b><!---->",
    "<r xmlns:x=\"u\" xmlns:y=\"v\" x:a=\"1\" y:a=\"2\" a=\"3\"><x:e xmlns:x=\"w\"/><y:e xml:lang=\"ru\" xml:space=\"preserve\"> ] ]] ]]&gt; </y:e></r>\n\n",
    "<имя Ключ='значение' _=\"\" a.b-c=\"'\"><é/><𐐀/>text\r\nmore\u{85}\u{2028}<e\n/></имя\t>",
    "<a><b xmlns=''><c xmlns='d'/></b><?x?><!--\n--></a>",
    "<a b = 'c'\n\td=\"e>f\"\r/>",
];

/// Pieces that make or break documents.
const PIECES: &[&str] = &[
    "<",
    ">",
    "&",
    "'",
    "\"",
    "/",
    "=",
    "!",
    "?",
    "-",
    "--",
    "]]>",
    "]]",
    "<!--",
    "-->",
    "<![CDATA[",
    "<?xml version=\"1.0\"?>",
    "<?a b?>",
    "<?XML?>",
    "<?a:b?>",
    "<?",
    "?>",
    "<a>",
    "</a>",
    "<a/>",
    "<a:b/>",
    "<:a/>",
    "<a:/>",
    "<a:b:c/>",
    "<-a/>",
    "<xmlns:a/>",
    "<xml:a/>",
    " a=\"1\"",
    " a='1' a='2'",
    " a=1",
    " a",
    " a=\"<\"",
    " a=\"&\"",
    " x:a='1'",
    " xmlns:x=\"u\"",
    " xmlns:x=\"\"",
    " xmlns:xml='http://www.w3.org/XML/1998/namespace'",
    " xmlns:xml='u'",
    " xmlns:xmlns='u'",
    " xmlns:q='http://www.w3.org/2000/xmlns/'",
    " xmlns='http://www.w3.org/XML/1998/namespace'",
    " xmlns:p='http://www.w3.org/XML/1998/namespace'",
    " xmlns=\"\"",
    "&amp;",
    "&lt",
    "&lt;",
    "&foo;",
    "&#0;",
    "&#x1;",
    "&#x9;",
    "&#xD800;",
    "&#xFFFE;",
    "&#x110000;",
    "&#99999999999;",
    "&#;",
    "&#x;",
    "&#xG;",
    "&;",
    "& ",
    "&#X41;",
    "\0",
    "\u{1}",
    "\u{8}",
    "\t",
    "\n",
    "\r",
    "\u{B}",
    "\u{1F}",
    "\u{7F}",
    "\u{85}",
    "\u{FFFE}",
    "\u{FFFF}",
    "\u{FEFF}",
    "\u{1FFFE}",
    "·",
    "\u{300}",
    "\u{37E}",
    "\u{2000}",
    "\u{B7}",
    "version",
    "encoding",
    "yes",
    "1.0",
    " ",
    "я",
    "𐐀",
    "item",
    "]",
    ";",
    ":",
];

fn documents() -> Vec<Vec<u8>> {
    let catalogue = Catalogue::builtin();
    let mut documents: Vec<Vec<u8>> = CURIOUS.iter().map(|document| document.as_bytes().to_vec()).collect();
    for (place, entry) in catalogue.entries().enumerate().step_by(5) {
        documents.push(print::xml(&generate::samples(entry, 1)[0], SPELLINGS[place % 4]).into_bytes());
    }
    documents
}

fn mutate(document: &mut Vec<u8>, dice: &mut Dice) {
    let from = dice.below(document.len());
    let to = (from + 1 + dice.below(12)).min(document.len());
    match dice.below(10) {
        0 => drop(document.drain(from..to)),
        1 => document.truncate(from),
        2 => document[from] = b"<>&'\"/=!?-][ ;:#x\n\0\x80\xFF"[dice.below(21)],
        3 => {
            let copy = document[from..to].to_vec();
            let at = dice.below(document.len());
            document.splice(at..at, copy);
        }
        4 => document.extend_from_slice(dice.pick(PIECES).as_bytes()),
        5 => drop(document.splice(0..0, dice.pick(PIECES).bytes())),
        6 => drop(document.splice(from..to, dice.pick(PIECES).bytes())),
        // Where the pieces matter most: behind a name, at the edge of a tag.
        7 | 8 => {
            let edges: Vec<usize> = document
                .iter()
                .enumerate()
                .filter(|(_, byte)| matches!(byte, b'<' | b'>' | b' ' | b'/'))
                .map(|(at, _)| at)
                .collect();
            let at = edges.get(dice.below(edges.len().max(1))).map_or(from, |at| at + dice.below(2));
            document.splice(at..at, dice.pick(PIECES).bytes());
        }
        _ => drop(document.splice(from..from, dice.pick(PIECES).bytes())),
    }
}

#[test]
fn the_door_and_libxml2_agree_on_what_is_well_formed() {
    let mut dice = Dice(2026);
    let (mut lines, mut good, mut bad) = (String::new(), 0, 0);
    for original in documents() {
        for _ in 0..900 {
            let mut document = original.clone();
            for _ in 0..=dice.below(8) / 7 {
                if !document.is_empty() {
                    mutate(&mut document, &mut dice);
                }
            }
            let verdict = format::read(&document, Format::Xml, Catalogue::builtin());
            let well_formed = match &verdict {
                // Other encodings, and versions of XML other than 1.0, are refused by us, whatever libxml2 makes of them.
                Err(malformed)
                    if malformed.gate() == Gate::Encoding || malformed.to_string().contains("only XML 1.0") =>
                {
                    continue;
                }
                Err(malformed) => malformed.gate() == Gate::Schema,
                Ok(_) => true,
            };
            if well_formed {
                good += 1
            } else {
                bad += 1
            }
            let encoded: String = document.iter().map(|byte| char::from(*byte)).collect();
            lines.push_str(
                &serde_json::json!([encoded, well_formed, verdict.err().map(|malformed| malformed.to_string())])
                    .to_string(),
            );
            lines.push('\n');
        }
    }
    assert!(good > 1000 && bad > 5000, "the mutations lean to one side: {good} good, {bad} bad");
    let scratch = Scratch::new("well-formed");
    let file = scratch.write("documents.jsonl", &lines);
    let said = python::run("well_formed.py", &[file.as_os_str()]);
    assert!(said.contains(&format!("{} verdicts are the same", good + bad)), "{said}");
}
