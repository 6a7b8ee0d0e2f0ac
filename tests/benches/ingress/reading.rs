//! Reading: the rows of a first read, from Dynamics into Kafka, beside a bare download of the same pages.

use std::time::{Duration, Instant};

use crosswalk_core::InstanceId;
use crosswalk_kafka::LagMeter;
use crosswalk_proto::v1::Workflow;
use crosswalk_tests::mapped_fields;

use crate::{
    arguments::Arguments,
    arrivals::Arrivals,
    baseline,
    comparison::Comparison,
    memory::mebibytes,
    report::{Report, say},
    system::{Broker, Setup, System},
};

/// How often it is looked how many records have come.
const INTERVAL: Duration = Duration::from_millis(20);

/// A read without a new record for this long is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Rows of a page.
const PAGE: u64 = 5_000;

/// What is mapped beside the fields that all measurements map; with the key and the version that makes the 25 columns of a
/// contact that marketing people use.
const MORE_FIELDS: [(&str, &str); 12] = [
    ("middlename", "middleName"),
    ("mobilephone", "mobilePhone"),
    ("fax", "fax"),
    ("address1_line2", "location.address2"),
    ("address1_line3", "location.address3"),
    ("address1_postalcode", "location.zipCode"),
    ("address1_stateorprovince", "location.stateCode"),
    ("address1_country", "location.countryCode"),
    ("donotemail", "blackListEmail"),
    ("donotphone", "blackListPhone"),
    ("donotfax", "blackListFax"),
    ("donotpostalmail", "blackListPostalMail"),
];

/// Reads all contacts several times, each time beside a download of the same pages just before.
pub(crate) async fn measure(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let mut comparison = Comparison::new("read", "records/s").with_bar("ours ≥ 35,000", |ours, _| ours >= 35_000.0);
    for run in 1..=arguments.runs {
        say(&format!(
            "read {run} of {}: {} contacts",
            arguments.runs, arguments.records
        ));
        let mut system = System::start(setup(arguments)).await?;
        let mut columns: Vec<&str> = fields().iter().map(|(column, _)| *column).collect();
        columns.extend(["contactid", "versionnumber"]);
        let bare = baseline::pages(&system.sandbox, &columns).await?;
        let ours = read(&mut system, arguments.records).await?;
        let memory = system.memory_of("dynamics-reader")?;
        say(&format!("  bare download {bare:.0}, reader {ours:.0} records/s"));
        comparison.add(ours, bare);
        comparison.hold(mebibytes(memory.peak));
        report.memory("after reading all", &system)?;
        system.stop().await?;
    }
    report.compare(comparison);
    Ok(())
}

fn fields() -> Vec<(&'static str, &'static str)> {
    [mapped_fields(), MORE_FIELDS.to_vec()].concat()
}

fn setup(arguments: &Arguments) -> Setup {
    Setup {
        contacts: arguments.records,
        seed: arguments.seed,
        fields: fields(),
        reader: Some(Vec::new()),
        writer: None,
        broker: Broker::InMemory,
    }
}

/// Records per second in the topic, from the first page that stands there to the last: nobody's start is in it.
async fn read(system: &mut System, wanted: u64) -> anyhow::Result<f64> {
    let arrivals = Arrivals::follow(system.kafka().settings(), &system.make_queue().await?)?;
    system.api.start().await?;
    let mut first = None;
    let (mut records, mut progressed) = (0, Instant::now());
    while records < wanted {
        tokio::time::sleep(INTERVAL).await;
        let present = arrivals.count();
        if present > records {
            (records, progressed) = (present, Instant::now());
            first.get_or_insert((progressed, records));
        }
        system.check()?;
        anyhow::ensure!(
            progressed.elapsed() < STUCK_AFTER,
            "the read is stuck at {records} of {wanted} records: {:?}",
            system.api.ingress().await?
        );
    }
    let (begin, at_first) = first.unwrap_or((progressed, 0));
    check_all_came(system, &arrivals, wanted).await?;
    Ok((records - at_first) as f64 / (progressed - begin).as_secs_f64())
}

/// Checks that the reader has come to the end, saved where it was behind each page, and queued nothing twice.
async fn check_all_came(system: &System, arrivals: &Arrivals, wanted: u64) -> anyhow::Result<()> {
    let has_ended = |workflow: &Workflow| workflow.progress.is_some_and(|progress| !progress.initial_read);
    system.api.until("the end of the read", STUCK_AFTER, has_ended).await?;
    let kafka = system.kafka();
    let checkpoints = kafka.topics().checkpoints(&"demo".parse::<InstanceId>()?);
    // Where the last one begins: they are written one by one.
    let saved = LagMeter::new(&kafka, "bench")?.ends(&checkpoints).await?;
    let saved = u64::try_from(saved.values().sum::<i64>())? + 1;
    anyhow::ensure!(
        saved >= wanted / PAGE,
        "{saved} checkpoints of {} pages: the figures are void",
        wanted / PAGE
    );
    let count = arrivals.count();
    anyhow::ensure!(
        count == wanted,
        "{count} records of {wanted} contacts: the figures are void"
    );
    Ok(())
}
