//! Reading: the rows of a first read, from Dynamics into Kafka, beside a bare download of the same pages.

use std::time::Duration;

use crosswalk_core::InstanceId;
use crosswalk_kafka::LagMeter;
use crosswalk_proto::v1::Workflow;
use crosswalk_tests::mapped_fields;

use crate::{
    arguments::Arguments,
    arrivals::Arrivals,
    baseline,
    comparison::Comparison,
    growth::Growth,
    memory::mebibytes,
    report::{Report, say},
    system::{Broker, Setup, System},
};

/// How long the reader may take to save its last position.
const END_WITHIN: Duration = Duration::from_secs(60);

/// Rows of a page.
const PAGE: u64 = 5_000;

/// What is mapped beside the fields that all measurements map; with the key that makes 25 columns.
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
    let growth = Growth::watch(system, wanted, async |_| Ok(arrivals.count())).await?;
    check_all_came(system, &arrivals, wanted).await?;
    Ok(growth.steady_rate())
}

/// Checks that the reader has come to the end, saved where it was behind each page, and queued nothing twice.
async fn check_all_came(system: &System, arrivals: &Arrivals, wanted: u64) -> anyhow::Result<()> {
    let has_ended = |workflow: &Workflow| workflow.progress.is_some_and(|progress| !progress.initial_read);
    system.api.until("the end of the read", END_WITHIN, has_ended).await?;
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
