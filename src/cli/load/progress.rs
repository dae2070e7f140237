//! How the run goes, while it goes: a bar on a terminal, a line every five seconds in a log.
//!
//! Promises: on standard error only. Never: slows the generator (it looks twice a second).

use super::ledger::{Ledger, Standing};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_millis(500);
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows the progress until it is aborted.
pub(super) async fn show(ledger: Arc<Ledger>, total: u64) {
    let bar = std::io::stderr().is_terminal().then(|| bar(total));
    let mut line_at = LINE_EVERY;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let (now, standing) = (ledger.now(), ledger.standing());
        match &bar {
            Some(bar) => {
                bar.set_position(standing.offered);
                bar.set_message(words(&standing));
            }
            None if now >= line_at => {
                line(now, &standing);
                line_at = now + LINE_EVERY;
            }
            None => {}
        }
    }
}

fn bar(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(2));
    // Rate and remaining time are those of the offering; the template is a constant.
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {per_sec} ещё {eta}  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn words(standing: &Standing) -> String {
    let Standing { sent, accepted, refused, failed, delivered, .. } = standing;
    format!("послано {sent}, принято {accepted}, доставлено {delivered}, отказано {refused}, сбоев {failed}")
}

#[expect(clippy::print_stderr, reason = "the words of a command go to standard error")]
fn line(now: Duration, standing: &Standing) {
    eprintln!("{:>5} с: {}", now.as_secs(), words(standing));
}
