//! The families of one centre and what is written about each in a year: whom the centre asks, what the commission rules,
//! which plans run (S4: 104 in a socially dangerous position and 247 in a difficult situation out of 448; S1, S3, S4 for
//! what is written when). How often is ours: 20 to 40 messages a family and year.
//!
//! Promises: dates are working days of the centre's calendar. Never: names a person; the catalogue's examples do.

use crate::cli::year::bodies::Bodies;
use crate::domain::calendar::Calendar;
use crate::domain::ids::ParticipantCode;
use crate::domain::participant::BodyKind;
use crate::simulation::dice::Dice;
use chrono::{Days, NaiveDate};

/// A message that begins an exchange, to be written on a day.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Opening {
    pub on: NaiveDate,
    pub kind: &'static str,
    pub from: ParticipantCode,
    pub to: Vec<ParticipantCode>,
    pub case: String,
    pub track: &'static str,
    pub level: &'static str,
}

/// One family, with the bodies around it.
struct Family<'a> {
    case: String,
    track: &'static str,
    level: &'static str,
    centre: &'a ParticipantCode,
    school: ParticipantCode,
    clinic: ParticipantCode,
    police: ParticipantCode,
    guardianship: ParticipantCode,
    education: ParticipantCode,
    commission: ParticipantCode,
    register: ParticipantCode,
    ngo: ParticipantCode,
}

/// Of a hundred families: in a socially dangerous position (S4: 104 of 448).
const DANGEROUS_PERCENT: u64 = 23;
/// Of a hundred families: on the books before the year began (ours).
const KNOWN_PERCENT: u64 = 60;
/// Working days from one round of questions to the next (ours).
const ROUND_EVERY: (i32, i32) = (24, 38);

/// Everything that is written about one family in the year.
pub(super) fn plan(
    number: u32,
    (centre, bodies): (&ParticipantCode, &Bodies),
    (year, calendar): (i32, &Calendar),
    dice: &mut Dice,
) -> anyhow::Result<Vec<Opening>> {
    let family = family(number, (centre, bodies), year, dice)?;
    let (Some(first), Some(last)) = (NaiveDate::from_ymd_opt(year, 1, 12), NaiveDate::from_ymd_opt(year, 12, 25))
    else {
        anyhow::bail!("{year} is no year that a calendar has");
    };
    let known = dice.percent(KNOWN_PERCENT);
    let spread = if known { 20 } else { 300 };
    let begins = calendar.next_working_on_or_after(first + Days::new(dice.below(spread)))?;
    let mut written = Vec::new();
    if !known {
        written.extend(family.intake(begins, calendar)?);
    }
    if family.track == "dangerous_position" {
        written.extend(family.commission_and_plan(calendar.add_working_days(begins, 4)?, calendar)?);
    }
    let mut round = calendar.add_working_days(begins, 12)?;
    while round < last {
        written.extend(family.round(round, calendar, dice)?);
        round = calendar.add_working_days(round, dice.between(ROUND_EVERY.0, ROUND_EVERY.1))?;
    }
    written.retain(|opening| opening.on <= last);
    Ok(written)
}

fn family<'a>(
    number: u32,
    (centre, bodies): (&'a ParticipantCode, &Bodies),
    year: i32,
    dice: &mut Dice,
) -> anyhow::Result<Family<'a>> {
    let dangerous = dice.percent(DANGEROUS_PERCENT);
    let level = match dice.below(100) {
        0..20 => "adaptation",
        20..75 => "basic",
        75..95 => "crisis",
        _ => "emergency",
    };
    Ok(Family {
        case: format!("СЛ-{year}/{number:03}"),
        track: if dangerous { "dangerous_position" } else { "difficult_situation" },
        level,
        centre,
        school: bodies.any(BodyKind::School, dice)?,
        clinic: bodies.any(BodyKind::HealthFacility, dice)?,
        police: bodies.any(BodyKind::Police, dice)?,
        guardianship: bodies.any(BodyKind::Guardianship, dice)?,
        education: bodies.any(BodyKind::EducationAuthority, dice)?,
        commission: bodies.any(BodyKind::Commission, dice)?,
        register: bodies.any(BodyKind::RegisterKeeper, dice)?,
        ngo: bodies.any(BodyKind::Ngo, dice)?,
    })
}

impl Family<'_> {
    fn write(&self, on: NaiveDate, kind: &'static str, (from, to): (&ParticipantCode, &[&ParticipantCode])) -> Opening {
        let to = to.iter().map(|one| (*one).clone()).collect();
        let (case, from) = (self.case.clone(), from.clone());
        Opening { on, kind, from, to, case, track: self.track, level: self.level }
    }

    fn ask(&self, on: NaiveDate, kind: &'static str, whom: &ParticipantCode) -> Opening {
        self.write(on, kind, (self.centre, &[whom]))
    }

    /// The referral, and what the centre asks for in its primary assessment (S1; S3 steps 1 and 2).
    fn intake(&self, begins: NaiveDate, calendar: &Calendar) -> anyhow::Result<Vec<Opening>> {
        let asked = calendar.add_working_days(begins, 1)?;
        let council = calendar.add_working_days(begins, 8)?;
        Ok(vec![
            self.write(begins, "signal.referral", (&self.school, &[self.centre])),
            self.ask(asked, "request.school-characteristics", &self.school),
            self.ask(asked, "request.police-record", &self.police),
            self.ask(asked, "request.guardianship", &self.guardianship),
            self.ask(asked, "request.health", &self.clinic),
            self.ask(asked, "request.information", &self.ngo),
            self.write(council, "council.invitation", (self.centre, &[&self.school, &self.police])),
        ])
    }

    /// The commission's ruling, proposals within five working days, the plan (S4, the СОП track).
    fn commission_and_plan(&self, on: NaiveDate, calendar: &Calendar) -> anyhow::Result<Vec<Opening>> {
        let (asked, approved) = (calendar.add_working_days(on, 2)?, calendar.add_working_days(on, 10)?);
        Ok(vec![
            self.write(on, "ruling.commission", (&self.commission, &[self.centre, &self.education])),
            self.write(asked, "request.plan-proposals", (&self.education, &[self.centre, &self.guardianship])),
            self.write(approved, "plan.approved", (&self.education, &[self.centre, &self.school])),
        ])
    }

    /// What a month brings: a question or two, now and then a council or a change.
    fn round(&self, on: NaiveDate, calendar: &Calendar, dice: &mut Dice) -> anyhow::Result<Vec<Opening>> {
        let later = calendar.add_working_days(on, dice.between(1, 5))?;
        let mut written = vec![
            self.ask(on, "request.school-characteristics", &self.school),
            match dice.below(4) {
                0 => self.ask(later, "request.information", &self.clinic),
                1 => self.ask(later, "request.police-record", &self.police),
                2 => self.ask(later, "request.engagement", &self.ngo),
                _ => self.ask(later, "request.guardianship", &self.guardianship),
            },
        ];
        if dice.percent(15) {
            written.push(self.write(later, "council.invitation", (self.centre, &[&self.school, &self.guardianship])));
        }
        if self.track == "dangerous_position" && dice.percent(15) {
            written.push(self.ask(later, "notice.family-change", &self.register));
        }
        if dice.percent(10) {
            written.push(self.write(later, "request.information", (&self.police, &[self.centre])));
        }
        Ok(written)
    }
}
