//! The fields of a form as its template prints them, generated from the schema of the type.
//!
//! Promises: a label in Russian from the schema, what was written before, and the fault beside its field. Never: a field
//! that the schema does not know.

use crate::catalogue::plan::{Alphabet, Field, ListPlan, Plan, RecordPlan, Shape, TextPlan};
use crate::gateway::rejection::FaultView;
use crate::web::board::desk::fields::Fields;
use crate::web::words::desk::DeskWords;

/// From this length on a text gets several lines.
const LINE_CHARS_MAX: usize = 300;

/// One field, or a heading over several.
#[derive(Default)]
pub(super) struct Input {
    /// `heading`, `line`, `text`, `date`, `moment`, `number`, `choice`, `many`, `file`.
    pub kind: &'static str,
    pub path: String,
    pub label: String,
    pub note: Option<String>,
    pub required: bool,
    pub value: String,
    /// Code, words, chosen.
    pub options: Vec<(String, String, bool)>,
    pub fault: Option<String>,
}

/// What a form is made from: what was written, and what was wrong with it.
pub(super) struct Draft<'d> {
    pub fields: &'d Fields,
    pub faults: &'d [FaultView],
    pub w: &'static DeskWords,
}

impl Draft<'_> {
    /// A field of the form's own.
    pub(super) fn input(&self, kind: &'static str, path: &str, label: &str) -> Input {
        Input {
            kind,
            path: path.to_owned(),
            label: label.to_owned(),
            value: self.fields.get(path).to_owned(),
            fault: self.fault(path),
            ..Input::default()
        }
    }

    /// A choice of the form's own: code and words.
    pub(super) fn choice(&self, path: &str, label: &str, options: Vec<(String, String)>) -> Input {
        let chosen = self.fields.get(path);
        let options = options.into_iter().map(|(code, words)| (code.clone(), words, code == chosen)).collect();
        Input { options, ..self.input("choice", path, label) }
    }

    /// The fields of a record.
    pub(super) fn record(&self, plan: &RecordPlan, (path, required): (&str, bool), inputs: &mut Vec<Input>) {
        for (place, field) in plan.fields.iter().enumerate() {
            let below = format!("{path}/{}", field.name);
            self.field((field, &field.plan), (&below, required && plan.is_required(place)), inputs);
        }
    }

    fn field(&self, (field, plan): (&Field, &Plan), (path, required): (&str, bool), inputs: &mut Vec<Input>) {
        let label = field.title.as_deref().unwrap_or(&field.name);
        let plain =
            |kind| Input { note: field.note.as_deref().map(str::to_owned), required, ..self.input(kind, path, label) };
        match plan {
            Plan::Record(record) => {
                inputs.push(plain("heading"));
                self.record(record, (path, required), inputs);
            }
            Plan::List(list) => self.list((field, list), (path, required), inputs),
            Plan::Integer(_) => inputs.push(plain("number")),
            Plan::Boolean => {
                let options = [("true", self.w.yes), ("false", self.w.no)];
                let options = options.map(|(code, words)| (code.to_owned(), words.to_owned())).to_vec();
                inputs.push(Input { options: self.choice(path, "", options).options, ..plain("choice") });
            }
            Plan::Text(text) => {
                let options = codes(text, field.note.as_deref());
                let options = self.choice(path, "", options).options;
                inputs.push(Input { options, ..plain(kind(text)) });
            }
        }
    }

    /// A list: boxes for codes, else the filled rows and one more.
    fn list(&self, (field, list): (&Field, &ListPlan), (path, required): (&str, bool), inputs: &mut Vec<Input>) {
        let label = field.title.as_deref().unwrap_or(&field.name);
        let note = field.note.as_deref().map(str::to_owned);
        if let Plan::Text(text) = &*list.item
            && matches!(text.shape, Shape::OneOf(_))
        {
            let chosen: Vec<&str> = self.fields.all(path).collect();
            let options = codes(text, field.note.as_deref()).into_iter();
            let options = options.map(|(code, words)| (code.clone(), words, chosen.contains(&code.as_str()))).collect();
            inputs.push(Input { note, options, ..self.input("many", path, label) });
            return;
        }
        inputs.push(Input { note, ..self.input("heading", path, label) });
        for row in 0..(self.fields.rows(path) + 1).min(list.items_max) {
            let below = format!("{path}/{row}");
            let title = Some(format!("{label}, {}", row + 1).into_boxed_str());
            let item = Field { title, note: None, ..field.clone() };
            self.field((&item, &list.item), (&below, required && row < list.items_min), inputs);
        }
    }

    /// What is wrong with a field, in words for people where they are known.
    fn fault(&self, path: &str) -> Option<String> {
        let found = self.faults.iter().find(|fault| fault.path == path)?;
        Some(self.w.fault(found.code).map_or_else(|| found.message.clone(), str::to_owned))
    }

    /// Faults of no field of this form.
    pub(super) fn elsewhere(&self, inputs: &[Input]) -> Vec<String> {
        let homeless = self.faults.iter().filter(|fault| inputs.iter().all(|input| input.path != fault.path));
        homeless
            .map(|fault| format!("{}: {}", fault.path, self.w.fault(fault.code).unwrap_or(&fault.message)))
            .collect()
    }
}

fn kind(text: &TextPlan) -> &'static str {
    match text.shape {
        Shape::OneOf(_) => "choice",
        Shape::Date => "date",
        Shape::DateTime => "moment",
        Shape::Free if text.alphabet == Alphabet::Lines && text.chars_max > LINE_CHARS_MAX => "text",
        Shape::Free | Shape::Uuid | Shape::Pattern(_) => "line",
    }
}

/// The codes that a text may be, each in the words of the schema's note: «child — ребёнок; mother — мать».
fn codes(text: &TextPlan, note: Option<&str>) -> Vec<(String, String)> {
    let Shape::OneOf(codes) = &text.shape else { return Vec::new() };
    let words = |code: &str| {
        let parts = note.into_iter().flat_map(|note| note.split(';'));
        let mut told = parts.filter_map(|part| part.trim().split_once(" — "));
        told.find(|(known, _)| *known == code).map_or_else(|| code.to_owned(), |(_, words)| words.trim().to_owned())
    };
    codes.iter().map(|code| (code.to_string(), words(code))).collect()
}
