//! `mezhved load prepare`: invented bodies into a store that has nobody else, and their keys into a file.
//!
//! Promises: the key file is on disk before anything is in the store. Never: touches a store with a body that is not of
//! a load test.

use super::keys::{KeyFile, PeerKey};
use super::{PrepareArgs, bodies, keys};
use crate::app;
use crate::channel::amqp::AmqpAddress;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::participant::{Participant, Route};
use crate::gateway::ports::accounts::StoredKey;
use crate::web::secrets::Token;
use anyhow::{Context as _, ensure};
use std::io::Write;

/// Prepares.
///
/// # Errors
/// A store with other participants, a key file that is there, a store that cannot be opened.
#[expect(clippy::print_stderr, reason = "the words of a command go to standard error")]
pub(super) async fn prepare(args: &PrepareArgs, config: &Config) -> anyhow::Result<()> {
    let route = if args.amqp.is_some() { Route::Amqp } else { Route::Inbox };
    let invented = bodies::invent(usize::try_from(args.participants)?, &route)?;
    let store = app::open_store(config).await?;
    let known = store.participants().await?;
    if let Some(stranger) = known.iter().find(|one| !bodies::is_of_load(&one.code)) {
        anyhow::bail!(
            "the store holds `{}`, which is no body of a load test: prepare a store of its own (MEZHVED__STORE__PATH)",
            stranger.code
        );
    }
    let now = Clock::system().now();
    let (mut peers, mut stored) = (Vec::new(), Vec::new());
    for body in &invented {
        let token = Token::random()?;
        stored.push(StoredKey {
            sha256: token.sha256(),
            participant: body.code.clone(),
            created_at: now,
            expires_at: None,
        });
        let amqp = args.amqp.as_deref().map(|broker| address(broker, body)).transpose()?;
        peers.push(PeerKey { key: token.as_key(), amqp, body: body.clone() });
    }
    keys::write(&args.keys, &KeyFile { peers })?;
    store.import_participants(invented).await?;
    for key in stored {
        store.revoke_keys(&key.participant, now).await?;
        store.add_key(key).await?;
    }
    eprintln!(
        "{} invented participants are in; their keys are in {}; a gateway that is serving notices at its next sweep",
        args.participants,
        args.keys.display()
    );
    Ok(())
}

/// The broker's address for one body, with a password of its own.
fn address(broker: &str, body: &Participant) -> anyhow::Result<String> {
    let (scheme, rest) = broker.split_once("://").context("--amqp: write amqp://HOST:5672/VHOST")?;
    ensure!(!rest.contains('@'), "--amqp: without a user and a password; each participant gets its own");
    let password = Token::random()?.reveal();
    let address = format!("{scheme}://{}:{password}@{rest}", body.code);
    AmqpAddress::parse(&address).context("--amqp")?;
    Ok(address)
}

/// The commands that make the broker's users, with the rights of participants (docs/INTEGRATION.md).
///
/// # Errors
/// A file without addresses; an output that is closed.
pub(super) fn broker_users(keys: &KeyFile, out: &mut impl Write) -> anyhow::Result<()> {
    let with: Vec<(&PeerKey, &str)> = keys.peers.iter().filter_map(|one| Some((one, one.amqp.as_deref()?))).collect();
    ensure!(!with.is_empty(), "the key file has no broker's addresses: prepare it with --amqp");
    for (peer, address) in with {
        let (user, rest) = address
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('@'))
            .context("an address without a user; write amqp://USER:PASSWORD@HOST/VHOST")?;
        let password = user.split_once(':').map_or("", |(_, password)| password);
        let vhost = rest.split_once('/').map_or("/", |(_, vhost)| vhost);
        // An address may write the slash of the default host so.
        let (vhost, code) = (vhost.replace("%2f", "/").replace("%2F", "/"), &peer.body.code);
        ensure!(!password.contains('\'') && !vhost.contains('\''), "`{code}`: an apostrophe cannot be quoted here");
        let reads = format!(r"^mezhved\.out\.{}$", code.as_str().replace('.', r"\."));
        writeln!(out, "printf '%s' '{password}' | rabbitmqctl add_user '{code}'")?;
        writeln!(out, r"rabbitmqctl set_permissions -p '{vhost}' '{code}' '^$' '^mezhved\.in$' '{reads}'")?;
    }
    Ok(())
}
