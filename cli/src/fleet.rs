//! The command `fleet`: the queue of many hosts.

use crate::args::{FleetArgs, FleetCommand, FleetInitArgs};
use crate::exit::{Exit, Failure};
use crate::output;
use pmtaemail_fleet::{self as fleet, ConsumerStatus, DeadLetter, Settings, Status, Unclaimed};
use serde::Serialize;
use std::fmt::Write;

/// Maximum number of dead letters that are listed.
const MOST: usize = 10_000;

/// Creates the queue, or reports on it.
pub fn run(command: &FleetCommand) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().map_err(Failure::Start)?;
    runtime.block_on(async {
        match command {
            FleetCommand::Init(args) => {
                let stream = stream_of(&args.fleet)?;
                let client =
                    fleet::connect(&args.fleet.brokers().map_err(Failure::Usage)?, |_| ()).await?;
                let settings = Settings {
                    stream: stream.to_owned(),
                    replicas: args.replicas.into(),
                    max_bytes: args
                        .max_bytes
                        .map(|most| i64::try_from(most).unwrap_or(i64::MAX)),
                };
                if !args.monitoring.is_empty() {
                    fleet::check_brokers(&args.monitoring, settings.replicas).await?;
                }
                fleet::init(&client, &settings).await?;
                output::print_warnings(warnings_of(args));
                output::print_ok().map_err(Failure::Write)?;
            }
            FleetCommand::Status(args) => {
                let client =
                    fleet::connect(&args.fleet.brokers().map_err(Failure::Usage)?, |_| ()).await?;
                let status = fleet::status(&client, stream_of(&args.fleet)?).await?;
                print(&status, args.json, status_text)?;
            }
            FleetCommand::Dead(args) => {
                let client =
                    fleet::connect(&args.fleet.brokers().map_err(Failure::Usage)?, |_| ()).await?;
                let letters = fleet::dead_letters(&client, stream_of(&args.fleet)?, MOST).await?;
                print(&letters, args.json, |letters| {
                    letters.iter().map(dead_text).collect()
                })?;
            }
            FleetCommand::Replay(args) => {
                let client =
                    fleet::connect(&args.brokers().map_err(Failure::Usage)?, |_| ()).await?;
                let count = fleet::replay(&client, stream_of(args)?).await?;
                let text = format!("{count}\n");
                output::print(text.as_bytes()).map_err(Failure::Write)?;
            }
        }
        Ok(Exit::Ok)
    })
}

/// Warnings about what is not known to be safe.
fn warnings_of(args: &FleetInitArgs) -> Vec<String> {
    let few = "with fewer than 3 replicas, acknowledged mail is lost when a disk is lost, and no mail is accepted while a \
               broker restarts";
    let unseen = "it was not checked whether the brokers have `sync_interval: always`, without which acknowledged mail is lost when \
                  hosts lose power: give their monitoring ports (--monitoring http://HOST:8222,…)";
    let warnings = [
        (args.replicas < 3, few),
        (args.monitoring.is_empty(), unseen),
    ];
    let that_hold = warnings.into_iter().filter(|(holds, _)| *holds);
    that_hold.map(|(_, warning)| warning.to_owned()).collect()
}

fn stream_of(args: &FleetArgs) -> Result<&str, Failure> {
    args.stream().map_err(Failure::Usage)
}

fn print<T: Serialize>(
    value: &T,
    json: bool,
    text: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    let text = if json {
        serde_json::to_string(value).expect("names and numbers are JSON") + "\n"
    } else {
        text(value)
    };
    output::print(text.as_bytes()).map_err(Failure::Write)
}

fn status_text(status: &Status) -> String {
    let Status {
        stream,
        messages,
        bytes,
        max_bytes,
        leader,
        replicas,
        current,
        dead,
        large_bytes,
        consumers,
        unclaimed,
    } = status;
    let most = max_bytes.map_or_else(String::new, |most| format!(" of {most}"));
    let leader = leader.as_deref().unwrap_or("none");
    let mut text = format!(
        "stream {stream}: {messages} messages, {bytes}{most} bytes; {large_bytes} bytes of large submissions\n\
         leader {leader}; {current} of {replicas} replicas have all of it\n\
         dead letters: {dead}\n"
    );
    if consumers.is_empty() {
        text.push_str(
            "no host has taken anything yet: start `pmtaemailapi consume` next to each PowerMTA\n",
        );
    }
    for ConsumerStatus {
        name,
        waiting,
        on_their_way,
        redelivered,
        hosts_waiting,
    } in consumers
    {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "pool {name}: {waiting} wait, {on_their_way} on their way, {redelivered} delivered again; {hosts_waiting} requests of \
             hosts wait"
        );
    }
    for Unclaimed { subject, messages } in unclaimed {
        let _ = writeln!(
            text,
            "{subject}: {messages} wait, and no host takes them: start one of this region and pool, or mend the name"
        );
    }
    text
}

fn dead_text(letter: &DeadLetter) -> String {
    let DeadLetter {
        sequence,
        problem,
        subject,
        bytes,
    } = letter;
    format!("{sequence} {problem} {subject} {bytes} bytes\n")
}
