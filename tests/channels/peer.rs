//! The other side: a participant's own AMQP client, a recorder that stands where the gateway stands, and letters.

use crate::support::broker::{Broker, Vhost};
use async_trait::async_trait;
use bytes::Bytes;

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use mezhved::channel::amqp::{AmqpAddress, AmqpConfig, AmqpOutlet, IN_EXCHANGE, Intake, LinkState};
use mezhved::clock::Clock;
use mezhved::domain::ids::{ExchangeId, MessageId};
use mezhved::domain::message::Format;
use mezhved::domain::participant::Participant;
use mezhved::gateway::ports::inbound::{Disposition, Inbound, InboundDelivery};
use mezhved::gateway::ports::outlet::Letter;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Waits until something is so; fails after 60 s.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 60 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub fn config(vhost: &Vhost<'_>) -> AmqpConfig {
    let mut config = AmqpConfig::new(AmqpAddress::parse(&vhost.gateway_url()).expect("an address"));
    config.content_bytes_max = 64 * 1024;
    config
}

type Judge = Box<dyn Fn(&InboundDelivery) -> Disposition + Send + Sync>;

/// Stands where the gateway stands: keeps what it is given, and answers as it is told.
pub struct Recorder {
    pub seen: Mutex<Vec<InboundDelivery>>,
    judge: Judge,
    delay: Duration,
}

impl Recorder {
    pub fn answering(judge: impl Fn(&InboundDelivery) -> Disposition + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), judge: Box::new(judge), delay: Duration::ZERO })
    }

    pub fn slow(delay: Duration) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), judge: Box::new(|_| Disposition::Ack), delay })
    }

    pub fn count(&self) -> usize {
        self.seen.lock().expect("whole").len()
    }

    pub fn ids(&self) -> Vec<String> {
        self.seen.lock().expect("whole").iter().filter_map(|delivery| delivery.message_id.clone()).collect()
    }
}

#[async_trait]
impl Inbound for Recorder {
    async fn take(&self, delivery: InboundDelivery) -> Disposition {
        self.seen.lock().expect("whole").push(delivery.clone());
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        (self.judge)(&delivery)
    }
}

/// A worker under test, stopped by its token.
pub struct Running {
    pub stop: CancellationToken,
    pub state: watch::Receiver<LinkState>,
    pub task: JoinHandle<()>,
}

impl Running {
    pub fn intake(config: AmqpConfig, inbound: Arc<dyn Inbound>) -> Self {
        let intake = Intake::new(config, Clock::system(), inbound);
        let (stop, state) = (CancellationToken::new(), intake.state());
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { intake.run(&stop).await }
        });
        Self { stop, state, task }
    }

    pub fn outlet(outlet: &Arc<AmqpOutlet>) -> Self {
        let (stop, state) = (CancellationToken::new(), outlet.state());
        let task = tokio::spawn({
            let (stop, outlet) = (stop.clone(), Arc::clone(outlet));
            async move { outlet.run(&stop).await }
        });
        Self { stop, state, task }
    }

    pub async fn up(&mut self) {
        let up = self.state.wait_for(LinkState::is_up);
        tokio::time::timeout(Duration::from_secs(60), up).await.expect("up within 60 s").expect("alive");
    }

    pub async fn down(&mut self) {
        let down = self.state.wait_for(|state| !state.is_up());
        tokio::time::timeout(Duration::from_secs(60), down).await.expect("down within 60 s").expect("alive");
    }

    pub async fn stopped(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(60), self.task).await.expect("ended in 60 s").expect("no panic");
    }
}

/// A participant's own client.
pub struct Peer {
    _connection: Connection,
    pub channel: Channel,
    user: String,
}

impl Peer {
    pub async fn connect(url: &str) -> Self {
        Self::try_connect(url).await.expect("connected")
    }

    pub async fn try_connect(url: &str) -> Result<Self, lapin::Error> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let user = connection.status().username();
        Ok(Self { _connection: connection, channel, user })
    }

    /// What a well-behaved participant sends.
    pub fn properties(&self, id: &str) -> BasicProperties {
        BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/json".into())
            .with_message_id(id.into())
            .with_user_id(ShortString::from(self.user.as_str()))
    }

    pub async fn publish(&self, properties: BasicProperties, body: &[u8]) -> Result<bool, lapin::Error> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let sent = self.channel.basic_publish(IN_EXCHANGE.into(), "request".into(), options, body, properties).await?;
        Ok(matches!(sent.await?, Confirmation::Ack(None)))
    }

    pub async fn send(&self, id: &str, body: &[u8]) {
        assert!(self.publish(self.properties(id), body).await.expect("published"), "not confirmed");
    }

    /// Reads so many messages of a queue, acknowledging each.
    pub async fn read(&self, queue: &str, count: usize) -> Vec<lapin::message::Delivery> {
        self.channel.basic_qos(200, BasicQosOptions::default()).await.expect("qos");
        let options = BasicConsumeOptions::default();
        let mut consumer = self
            .channel
            .basic_consume(queue.into(), "".into(), options, FieldTable::default())
            .await
            .expect("consuming");
        let mut read = Vec::new();
        while read.len() < count {
            let next = tokio::time::timeout(Duration::from_secs(60), consumer.next()).await.expect("a message in 60 s");
            let delivery = next.expect("open").expect("a delivery");
            delivery.acker.ack(BasicAckOptions::default()).await.expect("acknowledged");
            read.push(delivery);
        }
        self.channel.basic_cancel(consumer.tag(), Default::default()).await.expect("cancelled");
        read
    }
}

/// How many messages a queue holds: ready and handed out.
pub fn depth(broker: &Broker, vhost: &Vhost<'_>, queue: &str) -> u64 {
    let answer = broker.eval(&format!(
        r#"case rabbit_amqqueue:lookup(rabbit_misc:r(<<"{}">>, queue, <<"{queue}">>)) of
             {{ok, Q}} -> {{ok, {{_, N}}, _}} = ra:leader_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1), N;
             _ -> 0 end.
"#,
        vhost.name()
    ));
    answer.parse().unwrap_or_else(|_| panic!("a depth, not {answer}"))
}

pub fn participant(code: &str, route: &str) -> Arc<Participant> {
    let text = format!(
        r#"{{"code":"{code}","kind":"school","title":"Школа","zone":"Europe/Moscow","format":"json","route":{route}}}"#
    );
    Arc::new(serde_json::from_str(&text).expect("a participant"))
}

pub fn letter(to: &Arc<Participant>, content: impl Into<Bytes>) -> Letter {
    Letter {
        message: MessageId(Uuid::new_v4()),
        exchange: Some(ExchangeId(Uuid::new_v4())),
        type_code: "request.information".into(),
        recipient: Arc::clone(to),
        format: Format::Json,
        content: content.into(),
    }
}
