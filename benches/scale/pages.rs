//! The first pages as people get them: over HTTP, with a session, as HTML; and the board gathered anew for each reading,
//! because something has happened since the one before.

use crate::{spread, traffic};
use mezhved::clock::Clock;
use mezhved::gateway::Gateway;
use mezhved::gateway::ports::Accounts;
use mezhved::gateway::ports::accounts::{User, UserRole};
use mezhved::store::postgres::PostgresStore;
use mezhved::web::secrets::hash_password;
use mezhved::web::{WebConfig, WebParts, WebState, serve};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

const READS: usize = 200;
const PASSWORD: &str = "вымышленный пароль";

/// Two hundred readings of each.
pub async fn measure(gateway: &Gateway, store: &Arc<PostgresStore>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (login, name) = ("koordinator".to_owned(), "Координаторова П. В.".to_owned());
    let (clock, password) = (Clock::system(), hash_password(PASSWORD).unwrap());
    let user = User { login, name, role: UserRole::Coordinator, password, created_at: clock.now() };
    // In a database that was measured before there is one already.
    let _ = store.add_user(user).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (base, cancel) = (format!("http://{}", listener.local_addr().unwrap()), CancellationToken::new());
    let state = WebState::new(WebParts {
        gateway: gateway.clone(),
        store: Arc::clone(store) as Arc<dyn Accounts>,
        clock,
        metrics: mezhved::telemetry::figures(),
        config: WebConfig::default(),
    });
    let served = tokio::spawn(serve(listener, state, cancel.clone()));
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let cookie = enter(&client, &base).await;
    for (what, path, changed) in
        [("the board", "/", false), ("the board, changed before each", "/", true), ("the journal", "/journal", false)]
    {
        let mut waits = Vec::with_capacity(READS);
        for number in 0..READS {
            if changed {
                traffic::one(gateway, number).await;
            }
            let begun = Instant::now();
            let request = client.get(format!("{base}{path}")).header("cookie", &cookie).header("accept", "text/html");
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
            answer.bytes().await.unwrap();
            waits.push(begun.elapsed());
        }
        println!("{what}: first page {}", spread(waits));
    }
    cancel.cancel();
    served.await.unwrap().unwrap();
}

async fn enter(client: &reqwest::Client, base: &str) -> String {
    let fields = [("login", "koordinator"), ("password", PASSWORD), ("next", "/")];
    let form = client.post(format!("{base}/login")).header("content-type", "application/x-www-form-urlencoded");
    let answer = form.body(serde_urlencoded::to_string(fields).unwrap()).send().await.unwrap();
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}
