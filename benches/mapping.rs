//! How fast a message is mapped: XML → message → JSON (and the other ways), in MB/s of input, beside a bare event loop of
//! quick-xml over the same bytes in the same run. Prints figures; goal: XML → JSON at 0.4 of the bare loop or more.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints its figures and may fail loudly")]

use mezhved::catalogue::Catalogue;
use mezhved::domain::message::{Format, Message};
use mezhved::format;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Many short rounds, interleaved: a busy neighbour slows all rows alike, and the median passes over the worst.
const ROUNDS: usize = 300;
const ROUND: Duration = Duration::from_millis(8);

fn main() {
    let catalogue = Catalogue::builtin();
    let messages: Vec<Message> = catalogue
        .entries()
        .filter_map(|entry| entry.example_xml.as_deref())
        .map(|xml| read(xml.as_bytes(), Format::Xml))
        .collect();
    let written = |format| -> Vec<Vec<u8>> {
        let written = messages
            .iter()
            .map(|message| format::write(message, format, catalogue).expect("an example can be written"));
        written.filter(|bytes| (1024..=4096).contains(&bytes.len())).collect()
    };
    let (xml, json) = (written(Format::Xml), written(Format::Json));
    let bytes: usize = xml.iter().map(Vec::len).sum();
    println!("{} XML documents of several types, {} bytes on average", xml.len(), bytes / xml.len());

    let mut rows = [
        Row::new("quick-xml, bare event loop", &xml, bare),
        Row::new("XML → message", &xml, |bytes| drop(black_box(read(bytes, Format::Xml)))),
        Row::new("XML → message → JSON", &xml, |bytes| drop(black_box(map(bytes, Format::Xml, Format::Json)))),
        Row::new("XML → message → XML", &xml, |bytes| drop(black_box(map(bytes, Format::Xml, Format::Xml)))),
        Row::new("JSON → message", &json, |bytes| drop(black_box(read(bytes, Format::Json)))),
        Row::new("JSON → message → XML", &json, |bytes| drop(black_box(map(bytes, Format::Json, Format::Xml)))),
    ];
    for _ in 0..ROUNDS {
        rows.iter_mut().for_each(Row::round);
    }
    let bare = rows[0].megabytes_per_second.clone();
    for row in &rows {
        let shares = row.megabytes_per_second.iter().zip(&bare).map(|(one, bare)| one / bare).collect();
        let (speed, share) = (median(row.megabytes_per_second.clone()), median(shares));
        println!("{:<28} {speed:>8.1} MB/s   {share:.2} of the bare loop", row.name);
    }
}

fn read(bytes: &[u8], format: Format) -> Message {
    format::read(bytes, format, Catalogue::builtin()).expect("an example is a message")
}

fn map(bytes: &[u8], from: Format, to: Format) -> Vec<u8> {
    format::write(&read(bytes, from), to, Catalogue::builtin()).expect("a message that was read can be written")
}

fn bare(bytes: &[u8]) {
    let mut reader = Reader::from_reader(bytes);
    reader.config_mut().check_comments = true;
    loop {
        match reader.read_event().expect("an example is XML") {
            Event::Eof => break,
            event => drop(black_box(event)),
        }
    }
}

struct Row<'d> {
    name: &'static str,
    documents: &'d [Vec<u8>],
    work: fn(&[u8]),
    megabytes_per_second: Vec<f64>,
}

impl<'d> Row<'d> {
    fn new(name: &'static str, documents: &'d [Vec<u8>], work: fn(&[u8])) -> Self {
        Self { name, documents, work, megabytes_per_second: Vec::new() }
    }

    fn round(&mut self) {
        let start = Instant::now();
        let mut bytes = 0;
        while start.elapsed() < ROUND {
            for document in self.documents {
                (self.work)(black_box(document));
                bytes += document.len();
            }
        }
        self.megabytes_per_second.push(bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
