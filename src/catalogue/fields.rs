//! An entry against the schema of its type, and its parts against one another.
//!
//! Promises: every field that an entry names is in the schema with a fitting type; every rule of an entry can be
//! followed. Never: checks one type against another (the loader does).

use crate::catalogue::entry::{Each, Entry, Recurring, Role};
use crate::catalogue::plan::{Plan, RecordPlan, Shape};
use crate::catalogue::term_entry::TermEntry;
use crate::domain::rule::DutyParty;

/// The key of the entry, and what to do there.
type RuleFault = (&'static str, String);

impl Entry {
    /// Checks that every field named by the entry is in the schema, with a fitting type.
    pub(super) fn check_fact_fields(&self) -> Result<(), String> {
        let fields = &self.facts;
        let dates = [self.known_in(), fields.new_due.as_deref(), fields.expected_on.as_deref()];
        let flags = [fields.granted.as_deref(), fields.accepted.as_deref(), fields.no_data.as_deref()];
        let texts = [
            fields.redirect_to.as_deref(),
            fields.reason_code.as_deref(),
            fields.content_sha256.as_deref(),
            fields.obligation.as_deref(),
            fields.answered_item.as_deref(),
            self.carries.as_deref(),
        ];
        check(&self.body, &dates, "a date", is_date)?;
        check(&self.body, &flags, "a boolean", |plan| matches!(plan, Plan::Boolean))?;
        check(&self.body, &texts, "a string", is_text)?;
        check(&self.body, &[fields.number.as_deref()], "an integer", |plan| matches!(plan, Plan::Integer(_)))?;
        check(&self.body, &[fields.registration.as_deref()], "an object", |plan| matches!(plan, Plan::Record(_)))?;
        let conditions: Vec<Option<&str>> =
            self.duties.iter().map(|duty| duty.when.as_ref().map(|when| when.field.as_str())).collect();
        check(&self.body, &conditions, "a string", is_text)?;
        for duty in &self.duties {
            check(&self.body, &[duty.rhythm_in.as_deref(), duty.named_in.as_deref()], "a string", is_text)?;
            check(&self.body, &[duty.known_in()], "a date", is_date)?;
        }
        check(&self.body, &[fields.answered_period.as_deref()], "a date or an object", |plan| {
            is_date(plan) || matches!(plan, Plan::Record(_))
        })?;
        if let Some(each) = self.answer.as_ref().and_then(|answer| answer.each.as_ref()) {
            check_item(item_plan(&self.body, &each.items)?, each)?;
        }
        match (&fields.answered_items, &fields.answered_key) {
            (Some(list), Some(key)) => check(item_plan(&self.body, list)?, &[Some(key.as_str())], "a string", is_text),
            (None, None) => Ok(()),
            _ => Err("answered_items and answered_key go together".into()),
        }
    }

    /// Checks what the parts of an entry demand of one another.
    pub(super) fn check_rules(&self) -> Result<(), RuleFault> {
        if self.special_category && self.law.is_empty() {
            return Err(("law", "special_category = true needs the law that allows the data (152-ФЗ ст. 10)".into()));
        }
        if self.needs_consent && matches!(self.role, Role::Receipt | Role::Control(_)) {
            return Err(("needs_consent", "a receipt or a control tells nothing of a family; leave it out".into()));
        }
        match (self.suspension, self.suspensions_max) {
            (Some(_), _) if !self.demands_answer() => {
                return Err(("suspension", "nothing is owed whose clock could stop; leave it out".into()));
            }
            (Some(_), Some(0)) => return Err(("suspensions_max", "0 times is no suspension; leave both out".into())),
            (None, Some(_)) => {
                return Err(("suspensions_max", "say what stops the clock: suspension = \"clarification\"".into()));
            }
            (Some(_) | None, _) => {}
        }
        let terms = [
            ("term", &self.term),
            ("sent_within", &self.sent_within),
            ("registered_within", &self.registered_within),
            ("redirected_within", &self.redirected_within),
        ];
        for (key, term) in terms.into_iter().filter_map(|(key, term)| Some((key, term.as_ref()?))) {
            countable(term).map_err(|fault| (key, fault))?;
        }
        if let Some(term) = &self.term {
            self.check_term(term)?;
        }
        self.duties.iter().try_for_each(check_duty).map_err(|fault| ("duties", fault))?;
        let each = self.answer.as_ref().and_then(|answer| answer.each.as_ref());
        let from_period = self.term.as_ref().and_then(|term| term.starts_on.as_deref()) == Some("period_end");
        if each.is_some_and(|each| each.ends.is_some()) && !from_period {
            return Err(("answer.each.ends", "the [term] must have starts_on = \"period_end\" to run from it".into()));
        }
        Ok(())
    }

    fn check_term(&self, term: &TermEntry) -> Result<(), RuleFault> {
        let stated = term.stated_in.as_deref().map(|path| (path, find(&self.body, path)));
        if let Some((path, found)) = stated
            && !found.is_some_and(|plan| is_date(plan) || is_instant(plan))
        {
            return Err(("term.stated_in", format!("`{path}` must be a date or an instant in the schema")));
        }
        if term.days_before.is_some() && term.stated_in.is_none() {
            return Err(("term.days_before", "name the date in stated_in".into()));
        }
        let Some(chosen_by) = &term.chosen_by else {
            return if term.cases.is_empty() {
                Ok(())
            } else {
                Err(("term.cases", "name the field that chooses in chosen_by".into()))
            };
        };
        let codes = match find(&self.body, chosen_by) {
            Some(Plan::Text(text)) => match &text.shape {
                Shape::OneOf(codes) => codes.as_slice(),
                _ => &[],
            },
            _ => &[],
        };
        if codes.is_empty() {
            return Err(("term.chosen_by", format!("`{chosen_by}` must be an \"enum\" in the schema")));
        }
        let foreign = term.cases.keys().find(|case| !codes.iter().any(|code| **code == ***case));
        let nested = term.cases.values().any(|case| case.chosen_by.is_some() || case.stated_in.is_some());
        match foreign {
            Some(case) => Err(("term.cases", format!("`{case}` is no code of `{chosen_by}`"))),
            None if nested => Err(("term.cases", "a case is a plain term; chosen_by and stated_in stand above".into())),
            None => Ok(()),
        }
    }
}

/// A duty says when it is owed in one way, and who owes it.
fn check_duty(duty: &Recurring) -> Result<(), String> {
    let ways = [duty.rhythm.is_some(), duty.apart.is_some(), duty.term.is_some()];
    if ways.into_iter().filter(|said| *said).count() != 1 {
        return Err("say one of `rhythm`, `apart` and `term`".into());
    }
    if duty.rhythm_in.is_some() && duty.rhythm.is_none() {
        return Err("`rhythm_in` needs the `rhythm` that holds where the message states none".into());
    }
    if duty.term.is_some() != duty.ends.is_empty() {
        return Err("what recurs needs `ends`, and what is owed once has none".into());
    }
    if (duty.owes == DutyParty::Named) != duty.named_in.is_some() {
        return Err("`owes = \"named\"` and `named_in` go together".into());
    }
    duty.term.as_ref().map_or(Ok(()), countable)
}

/// A term, its cases and its terms by level, in words that the domain knows.
fn countable(term: &TermEntry) -> Result<(), String> {
    term.term()?;
    let levels = [&term.urgent, &term.emergency].into_iter().flatten().map(|level| &**level);
    levels.chain(term.cases.values()).try_for_each(countable)
}

fn is_date(plan: &Plan) -> bool {
    matches!(plan, Plan::Text(text) if matches!(text.shape, Shape::Date))
}

fn is_instant(plan: &Plan) -> bool {
    matches!(plan, Plan::Text(text) if matches!(text.shape, Shape::DateTime))
}

fn is_text(plan: &Plan) -> bool {
    matches!(plan, Plan::Text(_))
}

fn check_item(item: &RecordPlan, each: &Each) -> Result<(), String> {
    check(item, &[Some(each.key.as_str()), each.performer.as_deref()], "a string", is_text)?;
    check(item, &[each.due.as_deref(), each.ends.as_deref()], "a date", is_date)
}

fn check(record: &RecordPlan, names: &[Option<&str>], what: &str, fits: fn(&Plan) -> bool) -> Result<(), String> {
    let wrong = names.iter().flatten().find(|name| !field(record, name).is_some_and(fits));
    wrong.map_or(Ok(()), |name| Err(format!("`{name}` must be {what} in the schema")))
}

fn field<'p>(record: &'p RecordPlan, name: &str) -> Option<&'p Plan> {
    record.find(name.as_bytes(), 0).and_then(|place| record.fields.get(place)).map(|field| &*field.plan)
}

/// The field at the end of a path of records, `meeting.at`.
pub(super) fn find<'p>(body: &'p RecordPlan, path: &str) -> Option<&'p Plan> {
    match path.split_once('.') {
        None => field(body, path),
        Some((first, rest)) => match field(body, first)? {
            Plan::Record(record) => find(record, rest),
            Plan::List(_) | Plan::Text(_) | Plan::Integer(_) | Plan::Boolean => None,
        },
    }
}

fn item_plan<'p>(body: &'p RecordPlan, list: &str) -> Result<&'p RecordPlan, String> {
    match field(body, list) {
        Some(Plan::List(list)) => match &*list.item {
            Plan::Record(item) => Ok(item),
            Plan::List(_) | Plan::Text(_) | Plan::Integer(_) | Plan::Boolean => Err("its items must be objects".into()),
        },
        _ => Err(format!("`{list}` must be a list in the schema")),
    }
}
