//! What is measured on request.

use super::super::admission::InUse;
use super::super::back_pressure::Figures;
use super::process::Process;
use crate::args::PressureLimit;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use std::fmt;
use std::time::{Duration, SystemTime};

const SECONDS: Option<&Unit> = Some(&Unit::Seconds);
const BYTES: Option<&Unit> = Some(&Unit::Bytes);

/// How things are currently.
#[derive(Debug)]
pub struct Present {
    pub process: Process,
    pub started: SystemTime,
    pub connections: usize,
    pub max_connections: u32,
    pub in_use: InUse,
    /// Whether each thing that messages need was available.
    pub ready: [(&'static str, bool); 4],
    /// The limits of back-pressure that keep messages out.
    pub shut: [(PressureLimit, bool); PressureLimit::ALL.len()],
    pub pickup: Figures,
}

impl Collector for Present {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(&mut encoder);
        self.write_pickup(&mut out)?;
        self.write_load(&mut out)?;
        self.write_process(&mut out)
    }
}

impl Present {
    fn write_pickup(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let value = |limit| self.pickup.value(limit);
        out.each(
            "pmtaemail_ready",
            "Whether what messages need was found: 1, or 0",
            "check",
            self.ready,
        )?;
        out.each(
            "pmtaemail_back_pressure",
            "Whether messages are refused because of this option: 1, or 0",
            "limit",
            self.shut.map(|(limit, is_shut)| (limit.name(), is_shut)),
        )?;
        out.gauge(
            "pmtaemail_pickup_files",
            "Files in the pickup directory",
            None,
            value(PressureLimit::MaxDepth),
        )?;
        out.gauge(
            "pmtaemail_pickup_oldest_file_age",
            "Age of the oldest file in the pickup directory",
            SECONDS,
            value(PressureLimit::MaxAge).map(|age| Duration::from_millis(age).as_secs_f64()),
        )?;
        out.gauge(
            "pmtaemail_pickup_free",
            "What is free on the file system of the pickup directory",
            BYTES,
            value(PressureLimit::MinFree),
        )?;
        out.gauge(
            "pmtaemail_pickup_free_inodes",
            "Inodes that are free on the file system of the pickup directory",
            None,
            value(PressureLimit::MinFreeInodes),
        )?;
        if let Some(badmail) = self.pickup.badmail {
            out.gauge(
                "pmtaemail_badmail_files",
                "Files in the folder for bad mail",
                None,
                badmail.files,
            )?;
            out.counter(
                "pmtaemail_badmail_arrived",
                "Files that appeared in the folder for bad mail since the start",
                None,
                &badmail.arrived,
            )?;
        }
        Ok(())
    }

    fn write_load(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let InUse {
            messages,
            receiving,
            bytes,
            most_messages,
            most_bytes,
        } = self.in_use;
        out.gauge(
            "pmtaemail_connections",
            "Connections that are open",
            None,
            Some(self.connections as u64),
        )?;
        out.gauge(
            "pmtaemail_max_connections",
            "Connections for which there is room",
            None,
            Some(u64::from(self.max_connections)),
        )?;
        out.gauge(
            "pmtaemail_in_flight_messages",
            "Messages at work",
            None,
            Some(messages as u64),
        )?;
        out.gauge(
            "pmtaemail_max_in_flight_messages",
            "Maximum number of messages in progress at once",
            None,
            Some(most_messages as u64),
        )?;
        out.gauge(
            "pmtaemail_receiving_bodies",
            "Bodies of requests that are being received",
            None,
            Some(receiving as u64),
        )?;
        out.gauge(
            "pmtaemail_in_flight",
            "Memory reserved for messages in progress or being received",
            BYTES,
            Some(bytes as u64),
        )?;
        out.gauge(
            "pmtaemail_max_in_flight",
            "Total memory for messages",
            BYTES,
            Some(most_bytes as u64),
        )
    }

    fn write_process(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let Process {
            cpu,
            max_files,
            open_files,
            resident_bytes,
            virtual_bytes,
        } = self.process;
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH);
        out.gauge(
            "process_start_time",
            "Start time of the process since the Unix epoch",
            SECONDS,
            started.ok().map(|time| time.as_secs_f64()),
        )?;
        out.counter(
            "process_cpu",
            "Processor time that the process took",
            SECONDS,
            &cpu.as_secs_f64(),
        )?;
        out.gauge(
            "process_open_fds",
            "File descriptors that are open",
            None,
            open_files,
        )?;
        out.gauge(
            "process_max_fds",
            "File descriptors that may be open at once",
            None,
            max_files,
        )?;
        out.gauge(
            "process_resident_memory",
            "Memory of the process that is in use",
            BYTES,
            resident_bytes,
        )?;
        out.gauge(
            "process_virtual_memory",
            "Address space of the process",
            BYTES,
            virtual_bytes,
        )
    }
}

/// As a registry ends them.
fn sentence(help: &str) -> String {
    format!("{help}.")
}

/// Writes values; absent ones are skipped.
struct Out<'o, 'e>(&'o mut DescriptorEncoder<'e>);

impl Out<'_, '_> {
    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        value: Option<impl EncodeGaugeValue>,
    ) -> fmt::Result {
        let Some(value) = value else {
            return Ok(());
        };
        self.0
            .encode_descriptor(name, &sentence(help), unit, MetricType::Gauge)?
            .encode_gauge(&value)
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        value: &impl EncodeCounterValue,
    ) -> fmt::Result {
        self.0
            .encode_descriptor(name, &sentence(help), unit, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(value, None)
    }

    /// 1 or 0 for each value of a label.
    fn each<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: [(&'static str, bool); N],
    ) -> fmt::Result {
        let mut family =
            self.0
                .encode_descriptor(name, &sentence(help), None, MetricType::Gauge)?;
        for (value, is_so) in values {
            family
                .encode_family(&[(label, value)])?
                .encode_gauge(&u64::from(is_so))?;
        }
        Ok(())
    }
}
