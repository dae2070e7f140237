//! The words of a letter and of a memo.
//!
//! Promises: what was asked, that it arrived, how the term was counted, that nothing came, what was tried before, what
//! is asked for now and by which law; each sentence is true at the letter's instant. Never: a child's name, a summary
//! of a body, the word «эскалация»; an accusation before the lenient date.

use super::{Paper, Sheet, persons};
use crate::domain::escalation::{Action, RungState};
use crate::domain::notice::Whom;
use crate::domain::obligation::Fact;
use crate::domain::participant::{BodyKind, Participant, Route};
use crate::domain::term::{Remark, date_words, days_words, term_words};
use crate::gateway::view;
use chrono::{DateTime, NaiveDate, Utc};

/// The law that obliges to inform the commission, the superior body and the prosecutor.
const LAW_120: &str = "Федерального закона от 24.06.1999 № 120-ФЗ «Об основах системы профилактики безнадзорности и \
                       правонарушений несовершеннолетних»";
const NO_NAMES: &str = "Сведения о несовершеннолетнем и его семье в письме не приводятся; они содержатся в указанном \
                        документе.";

impl Sheet<'_> {
    /// A letter to another body.
    pub(super) fn letter(&self) -> Paper {
        let head = self.controller.head.as_ref();
        let is_reminder = self.policy.action == Action::Reminder;
        let signer = if is_reminder { self.controller.executor.as_ref().or(head) } else { head };
        Paper {
            kind: "letter",
            subject: self.subject().to_owned(),
            addressee: self.to.as_deref().map_or_else(Vec::new, persons::addressee),
            paragraphs: self.paragraphs(),
            annexes: if is_reminder { Vec::new() } else { self.annexes() },
            signature: persons::signature(signer, "Руководитель"),
            ..self.frame(&self.controller)
        }
    }

    /// A memo to our own people about what we owe.
    pub(super) fn memo(&self) -> Paper {
        let body = &*self.performer;
        let days = self.late();
        let asked = format!(
            "Поступил документ «{}» № {} от {}{}. Отправитель: {}. Ожидается: «{}».",
            self.inner.title_of(&self.duty.obligation.request_type),
            self.root.number,
            date(self.controller.zone.date(self.root.registered_at)),
            self.item(),
            self.controller.title,
            self.awaited(),
        );
        let due_on = date_words(self.duty.obligation.due_on());
        let state = match (self.at > self.duty.obligation.due_at(), days) {
            (false, _) => format!("{} Срок ответа истекает {due_on}.", self.counted()),
            (true, 0) => format!("{} Срок ответа истёк {due_on}.", self.counted()),
            (true, late) => format!("{} Срок ответа истёк {due_on}, просрочка {}.", self.counted(), days_words(late)),
        };
        let demand = if self.at > self.duty.obligation.due_at() {
            "Прошу принять меры к немедленной подготовке ответа и установить причины просрочки."
        } else {
            "Прошу обеспечить подготовку ответа в срок; если это невозможно, до истечения срока просить о продлении."
        };
        Paper {
            kind: "memo",
            number: None,
            addressee: memo_to(body, self.policy.tell.keys().copied().max_by_key(|whom| rank(*whom))),
            subject: "О сроке ответа на документ".to_owned(),
            paragraphs: vec![asked, state, demand.to_owned(), NO_NAMES.replace("в письме", "в записке")],
            annexes: vec![
                "Документы об обязательстве: документ, расчёт срока, хронология (печатный комплект).".to_owned(),
            ],
            signature: ("Координатор обмена".to_owned(), String::new()),
            executor: None,
            ..self.frame(body)
        }
    }

    /// What both have.
    fn frame(&self, sender: &Participant) -> Paper {
        let outgoing = match &self.request.outgoing {
            Some((number, on)) => format!("№ {number} от {}", date(*on)),
            None => format!("№ {} от {}", self.root.number, date(self.controller.zone.date(self.root.registered_at))),
        };
        Paper {
            obligation: self.duty.obligation.id,
            rung: self.policy.no,
            kind: "letter",
            draft: self.is_draft,
            sender: persons::sender(sender),
            number: self.number.as_ref().map(|(number, on)| format!("№ {number} от {}", date(*on))),
            reference: format!("К документу {outgoing}"),
            addressee: Vec::new(),
            subject: String::new(),
            paragraphs: Vec::new(),
            annexes: Vec::new(),
            signature: (String::new(), String::new()),
            executor: persons::executor(sender.executor.as_ref()),
        }
    }

    fn subject(&self) -> &'static str {
        match self.policy.action {
            Action::Notice | Action::Reminder if self.at <= self.duty.obligation.due_at() => "О сроке ответа",
            Action::Notice | Action::Reminder => "Напоминание об ответе",
            Action::RepeatRequest => "Повторный запрос",
            Action::Commission | Action::Superior => "О непоступлении ответа на запрос",
            Action::Prosecutor => "О нарушении прав несовершеннолетнего в связи с непоступлением ответа",
        }
    }

    fn paragraphs(&self) -> Vec<String> {
        let mut lines = vec![self.asked(), self.state()];
        lines.extend(self.tried());
        lines.push(self.demand());
        lines.push(NO_NAMES.to_owned());
        lines
    }

    /// Whom we asked for what, on what basis, and that it arrived.
    fn asked(&self) -> String {
        let to_self = self.to.as_ref().is_some_and(|to| to.code == self.performer.code);
        let (whom, addressee) = match to_self {
            true => ("В Ваш адрес направлен", String::new()),
            false => ("Нами направлен", format!(" Адресат: {}.", self.performer.title)),
        };
        let basis = match self.request.legal_basis.as_slice() {
            [] => String::new(),
            some => format!(", основание: {}", some.iter().map(|one| of_the_act(one)).collect::<Vec<_>>().join("; ")),
        };
        format!(
            "{whom} документ «{}» № {} от {}{}{}{basis}.{addressee} Ожидается: «{}». {}",
            self.inner.title_of(&self.duty.obligation.request_type),
            self.root.number,
            date(self.controller.zone.date(self.root.registered_at)),
            self.outgoing(),
            self.item(),
            self.awaited(),
            self.arrived(),
        )
    }

    fn outgoing(&self) -> String {
        let stated = self.request.outgoing.as_ref();
        stated.map_or_else(String::new, |(number, on)| format!(" (исх. № {number} от {})", date(*on)))
    }

    fn item(&self) -> String {
        self.duty.obligation.item.as_ref().map(|item| format!(", пункт {item}")).unwrap_or_default()
    }

    fn awaited(&self) -> String {
        view::awaited(self.inner, &self.duty.obligation.answer_types)
    }

    fn arrived(&self) -> String {
        let delivery = self.delivery.as_ref();
        let registered = delivery.and_then(|one| one.registration.as_ref()).map(|(number, on)| {
            let number = if number.is_empty() { "без номера".to_owned() } else { format!("№ {number}") };
            format!("Документ зарегистрирован адресатом: {number} от {}.", date(*on))
        });
        let delivered = || {
            let at = delivery.and_then(|one| one.delivered_at)?;
            Some(format!("Документ доставлен адресату {}.", date(self.performer.zone.date(at))))
        };
        let waits = match self.performer.route {
            Route::Inbox => "Документ находится в ящике адресата в системе обмена.",
            Route::Amqp | Route::Push { .. } => "Подтверждения доставки пока нет.",
        };
        registered.or_else(delivered).unwrap_or_else(|| waits.to_owned())
    }

    /// How the term was counted.
    fn counted(&self) -> String {
        let due = self.duty.obligation.counted();
        let protocol = &due.protocol;
        if protocol.remarks.contains(&Remark::DateStatedByDocument) {
            return "Срок ответа установлен самим документом.".to_owned();
        }
        let laws =
            if protocol.rule.laws.is_empty() { String::new() } else { format!(" ({})", protocol.rule.laws.join(", ")) };
        let from = date(protocol.event.local_on);
        format!("Срок ответа — {}, отсчёт от {from}{laws}.", term_words(&protocol.rule.term))
    }

    fn late(&self) -> u32 {
        view::late_at(self.inner, &self.duty.obligation, self.at)
    }

    fn state(&self) -> String {
        let obligation = &self.duty.obligation;
        let due_on = date_words(obligation.due_on());
        if self.at <= obligation.due_at() {
            let left = view::left_at(self.inner, obligation, self.at);
            let left = if left == 0 { "сегодня".to_owned() } else { format!("через {}", days_words(left)) };
            return format!("{} Срок истекает {due_on}, {left}.", self.counted());
        }
        let returned = obligation.returned_at().filter(|at| *at <= self.at);
        let returned = returned.map_or_else(String::new, |at| {
            format!(" Данный ранее ответ возвращён на доработку {}.", date(self.controller.zone.date(at)))
        });
        let late = match self.late() {
            0 => String::new(),
            late => format!(" Просрочка — {}.", days_words(late)),
        };
        format!(
            "{}{}{returned} Срок истёк {due_on}; ответ по состоянию на {} не поступил.{late}",
            self.counted(),
            self.meanwhile(),
            date(self.controller.zone.date(self.at)),
        )
    }

    /// What speaks for the body: a term that was granted, an interim reply that was given.
    fn meanwhile(&self) -> String {
        let zone = self.controller.zone;
        let said = |fact: &Fact| match fact {
            Fact::Extended { due_on, at, .. } => {
                Some(format!(" Срок продлён до {} решением от {}.", date_words(*due_on), date(zone.date(*at))))
            }
            Fact::Interim { at, .. } => {
                Some(format!(" {} получен промежуточный ответ; срока он не прекращает.", date(zone.date(*at))))
            }
            _ => None,
        };
        self.duty.obligation.facts.iter().filter_map(said).collect()
    }

    /// What was sent before it, and did not help.
    fn tried(&self) -> Option<String> {
        let ladder = &self.inner.ladders.outward;
        let spoke = |row: &crate::domain::escalation::Rung| {
            let policy = ladder.policy(row.no).filter(|one| one.no < self.policy.no && one.action != Action::Notice)?;
            let at: DateTime<Utc> = match row.state {
                RungState::Fired { at } | RungState::Approved { at, .. } if at <= self.at => at,
                _ => return None,
            };
            Some(format!("«{}» от {}", policy.title_ru, date(self.controller.zone.date(at))))
        };
        let sent: Vec<String> = self.duty.rungs.rows.iter().filter_map(spoke).collect();
        (!sent.is_empty()).then(|| format!("Ранее направлено: {}. Ответа не последовало.", sent.join(", ")))
    }

    fn demand(&self) -> String {
        match self.policy.action {
            Action::Notice | Action::Reminder if self.at <= self.duty.obligation.due_at() => {
                "Напоминаем о сроке. Если ответить в срок невозможно, просим до его истечения сообщить причины и \
                 попросить о продлении."
                    .to_owned()
            }
            Action::Notice | Action::Reminder => {
                "Просим направить ответ незамедлительно, а если он задерживается, сообщить причины и ожидаемую дату."
                    .to_owned()
            }
            Action::RepeatRequest => "Просим Вас лично обеспечить направление ответа незамедлительно. Если ответ дать \
                 невозможно, просим сообщить причины в письменном виде."
                .to_owned(),
            Action::Commission if self.is_to_commission() => format!(
                "Информируем на основании подп. 2 п. 2 ст. 9 {LAW_120}. Просим рассмотреть вопрос о причинах, по \
                 которым ответ не дан, принять меры в пределах компетенции и сообщить о них."
            ),
            Action::Commission | Action::Superior => format!(
                "Информируем на основании п. 2 ст. 9 {LAW_120}. Просим принять меры в пределах компетенции, обеспечить \
                 направление ответа и сообщить о результатах."
            ),
            Action::Prosecutor => format!(
                "Сообщаем на основании подп. 1 п. 2 ст. 9 {LAW_120}. Просим дать оценку изложенному и при наличии \
                 оснований принять меры прокурорского реагирования."
            ),
        }
    }

    /// A commission that is itself late is written about to its superior.
    fn is_to_commission(&self) -> bool {
        self.to.as_ref().is_some_and(|to| to.kind == BodyKind::Commission)
    }

    fn annexes(&self) -> Vec<String> {
        vec![
            "Документы об обязательстве: запрос, подтверждение доставки, расчёт срока, переписка, хронология, справка о \
             том, что ответ не поступил (печатный комплект и файл для проверки)."
                .to_owned(),
        ]
    }
}

fn date(day: NaiveDate) -> String {
    day.format("%d.%m.%Y").to_string()
}

/// The highest of those whom a rung of ours tells.
fn rank(whom: Whom) -> u8 {
    match whom {
        Whom::Director => 3,
        Whom::Department => 2,
        Whom::Executor => 1,
        Whom::Registry | Whom::Head | Whom::Addressee | Whom::Coordinator => 0,
    }
}

fn memo_to(body: &Participant, whom: Option<Whom>) -> Vec<String> {
    match whom {
        Some(Whom::Department) => vec!["Заведующему отделением".to_owned(), body.title.clone()],
        Some(Whom::Executor) => {
            let mut lines = vec!["Исполнителю".to_owned(), body.title.clone()];
            lines.extend(body.executor.as_ref().map(|one| format!("({})", one.name)));
            lines
        }
        _ => persons::addressee(body),
    }
}

/// «ст. 9 Федерального закона», as people write it; an act without an article stays as it is named.
fn of_the_act(basis: &str) -> String {
    match basis.starts_with("ст.") {
        true => basis.replace("Федеральный закон", "Федерального закона"),
        false => basis.to_owned(),
    }
}
