//! Whether a message of a centre is held to the registry of consents, and whether what it cites is there.
//!
//! Promises: only the centre that keeps the case is held to it: a centre that `keeps_consents` always, another one in
//! cases of which it has registered a consent. A stated ground for going without lets a message through (S2: «если только
//! это не подвергает ребенка риску»). Never: looks at the consents of a body, which are not kept here.

use crate::domain::case::CaseKey;
use crate::domain::case::consent::CitationFault;
use crate::domain::ids::ExchangeId;
use crate::domain::message::Envelope;
use crate::gateway::rejection::{FaultView, Rejection, RejectionKind};
use crate::gateway::working_set::WorkingSet;

impl WorkingSet<'_> {
    /// Refuses a message that cites a consent which the centre's own registry does not bear out.
    pub(in crate::gateway) fn check_consent(&self, envelope: &Envelope, exchange: ExchangeId) -> Result<(), Rejection> {
        let Some(citation) = self.citation(envelope) else { return Ok(()) };
        if envelope.no_consent_ground.is_some() {
            return Ok(());
        }
        let keeps_all = self.ctx.directory.get(&envelope.from).is_some_and(|body| body.keeps_consents);
        let is_own = |key: &CaseKey| key.centre == envelope.from;
        let key = self.cases_of(envelope, exchange).into_iter().find(is_own);
        let Some(key) = key else {
            let names_case = envelope.case.is_some();
            return if keeps_all && !names_case { Err(no_case()) } else { Ok(()) };
        };
        let consents = self.loaded.cases.get(&key).map(|case| case.consents.as_slice()).unwrap_or_default();
        if consents.is_empty() && !keeps_all {
            return Ok(());
        }
        self.borne_out(consents, &citation).map(|_| ()).map_err(|fault| refused(&fault))
    }
}

fn no_case() -> Rejection {
    let message = "a consent is registered for a case: name the `case`, or state `no_consent_ground` with its reason";
    Rejection::new(RejectionKind::Invalid, "consent_unknown", message)
}

fn refused(fault: &CitationFault) -> Rejection {
    const REMEDY: &str = "cite one that is in force, register it, or state `no_consent_ground` with its reason";
    let message = format!("{fault}; {REMEDY}");
    let at = |path: String, rejection: Rejection| {
        let view = FaultView { path, code: rejection.code, message: rejection.message.clone() };
        Rejection { faults: vec![view], ..rejection }
    };
    let whole = "/consent/reference".to_owned();
    match fault {
        CitationFault::Unknown { .. } => at(whole, Rejection::new(RejectionKind::Invalid, "consent_unknown", message)),
        CitationFault::NotYet(..) | CitationFault::Over(..) | CitationFault::Withdrawn(..) => {
            at(whole, Rejection::new(RejectionKind::Invalid, "consent_not_in_force", message))
        }
        CitationFault::NoPassingOn => {
            at("/consent/kind".to_owned(), Rejection::new(RejectionKind::Invalid, "consent_not_covering", message))
        }
        CitationFault::NotCovered(places) => {
            let rejection = Rejection::new(RejectionKind::Invalid, "consent_not_covering", message);
            let view = |place: &usize| FaultView {
                path: format!("/to/{place}"),
                code: "consent_not_covering",
                message: "the consent does not name this body".to_owned(),
            };
            Rejection { faults: places.iter().map(view).collect(), ..rejection }
        }
    }
}
