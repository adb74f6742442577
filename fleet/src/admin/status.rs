//! How a fleet is.

use crate::error::FleetError;
use crate::names::{self, dead};
use async_nats::Client;
use async_nats::jetstream;
use futures_util::TryStreamExt;
use serde::Serialize;
use std::collections::HashSet;
use std::future::ready;

/// How a fleet is.
#[derive(Debug, Serialize)]
pub struct Status {
    /// The stream.
    pub stream: String,
    /// Messages that wait in it.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Its limit in bytes; `None` without a limit of its own.
    pub max_bytes: Option<i64>,
    /// Its leader; `None` while there is none.
    pub leader: Option<String>,
    /// The number of brokers that have a replica.
    pub replicas: usize,
    /// How many of these replicas are up to date.
    pub current: usize,
    /// Messages in the stream of dead letters.
    pub dead: u64,
    /// Bytes in the store of large submissions.
    pub large_bytes: u64,
    /// One for each region, pool and priority.
    pub consumers: Vec<ConsumerStatus>,
    /// Messages that no consumer takes: no host of their pool has started yet, or the pool's name is misspelled.
    pub unclaimed: Vec<Unclaimed>,
}

/// Messages of one subject that no consumer takes.
#[derive(Debug, Serialize)]
pub struct Unclaimed {
    /// The subject: stream, region, pool and priority.
    pub subject: String,
    /// How many there are.
    pub messages: usize,
}

/// The state of a pool of hosts.
#[derive(Debug, Serialize)]
pub struct ConsumerStatus {
    /// Its region and pool.
    pub name: String,
    /// Messages that no host has taken yet.
    pub waiting: u64,
    /// Messages that a host has taken and not acknowledged.
    pub on_their_way: usize,
    /// Those of them that were delivered more than once.
    pub redelivered: usize,
    /// Pending requests of hosts for messages.
    pub hosts_waiting: usize,
}

/// Reports the state of a fleet.
///
/// # Errors
/// The brokers do not answer, or its streams do not exist.
pub async fn status(client: &Client, name: &str) -> Result<Status, FleetError> {
    const LOOK: &str = "inspect the streams, which `pmtaemailapi fleet init` creates";
    let context = jetstream::new(client.clone());
    let stream = context
        .get_stream(name)
        .await
        .map_err(FleetError::of(LOOK))?;
    let info = stream.get_info().await.map_err(FleetError::of(LOOK))?;
    let mut claimed = HashSet::new();
    let mut consumers: Vec<_> = (stream.consumers())
        .inspect_ok(|consumer| {
            claimed.insert(consumer.config.filter_subject.clone());
        })
        .map_ok(|consumer| ConsumerStatus {
            name: consumer.name,
            waiting: consumer.num_pending,
            on_their_way: consumer.num_ack_pending,
            redelivered: consumer.num_redelivered,
            hosts_waiting: consumer.num_waiting,
        })
        .try_collect()
        .await
        .map_err(FleetError::of("look at the consumers"))?;
    let subjects = stream.info_with_subjects(names::subjects(name)).await;
    let mut unclaimed: Vec<_> = (subjects.map_err(FleetError::of(LOOK))?)
        .try_filter(|(subject, _)| ready(!claimed.contains(subject)))
        .map_ok(|(subject, messages)| Unclaimed { subject, messages })
        .try_collect()
        .await
        .map_err(FleetError::of("look at the subjects"))?;
    unclaimed.sort_by(|one, other| one.subject.cmp(&other.subject));
    consumers.sort_by(|one, other| one.name.cmp(&other.name));
    let state_of = async |name: String| {
        let stream = context
            .get_stream(name)
            .await
            .map_err(FleetError::of(LOOK))?;
        Ok::<_, FleetError>(stream.cached_info().state.clone())
    };
    let (copies, leader) = info.cluster.as_ref().map_or((1, None), |cluster| {
        let current = cluster
            .replicas
            .iter()
            .filter(|peer| peer.current && !peer.offline);
        (
            usize::from(cluster.leader.is_some()) + current.count(),
            cluster.leader.clone(),
        )
    });
    Ok(Status {
        stream: name.to_owned(),
        messages: info.state.messages,
        bytes: info.state.bytes,
        max_bytes: Some(info.config.max_bytes).filter(|&most| most > 0),
        leader,
        replicas: info.config.num_replicas,
        current: copies,
        dead: state_of(dead(name)).await?.messages,
        large_bytes: state_of(names::large_stream(name)).await?.bytes,
        consumers,
        unclaimed,
    })
}
