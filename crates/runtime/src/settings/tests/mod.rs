use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use serde::Deserialize;

use super::*;

mod problems;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Example {
    telemetry: TelemetrySettings,
    admin: AdminSettings,
    shutdown: ShutdownSettings,
    kafka: Kafka,
    clusters: BTreeMap<String, Cluster>,
    mirrors: Vec<Cluster>,
    keys: Vec<SecretSource>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)] // Unknown keys must be found without `deny_unknown_fields` as well.
struct Kafka {
    brokers: Vec<String>,
    client_id: String,
    lanes: u16,
    compress: bool,
    share: f64,
    rate: Option<u32>,
    #[serde(with = "humantime_serde")]
    poll: Duration,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: vec!["127.0.0.1:9092".to_owned()],
            client_id: "crosswalk".to_owned(),
            lanes: 8,
            compress: true,
            share: 0.5,
            rate: None,
            poll: Duration::from_millis(250),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cluster {
    host: String,
    port: u16,
}

impl Validate for Example {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = within("telemetry", self.telemetry.problems());
        problems.extend(within("shutdown", self.shutdown.problems()));
        if self.kafka.lanes == 0 {
            problems.push(Problem::new("lanes", "must be at least 1").within("kafka"));
        }
        problems
    }
}

fn assert_defaults(settings: &Example) {
    assert_eq!(format!("{settings:?}"), format!("{:?}", Example::default()));
}

fn overrides<const N: usize>(values: [&str; N]) -> [Override; N] {
    values.map(|value| value.parse().expect("the test writes key=value"))
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("the test may write");
    let path = directory.path().join("crosswalk.toml");
    fs::write(&path, text).expect("the test may write");
    (directory, path)
}

fn problems(sources: &Sources) -> Vec<String> {
    let error = load::<Example>(sources).expect_err("the settings are wrong");
    error.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn without_sources_the_defaults_hold() {
    assert_defaults(&load(&Sources::defaults()).expect("the defaults are valid"));
}

#[test]
fn later_layers_win_key_by_key() {
    let (_directory, path) = file(
        "[kafka]\nclient_id = 'file'\nlanes = 1\npoll = '1s'\n[admin]\nlisten = '[::1]:1'\n[telemetry]\nformat = 'json'",
    );
    let sources = Sources::defaults()
        .with_file(path)
        .with_environment([
            ("CROSSWALK__KAFKA__LANES", "2"),
            ("CROSSWALK__ADMIN__LISTEN", "127.0.0.1:2"),
        ])
        .with_overrides(overrides(["admin.listen=127.0.0.1:3"]));
    let settings: Example = load(&sources).expect("all layers are valid");
    assert_eq!(settings.kafka.client_id, "file");
    assert_eq!(settings.kafka.lanes, 2);
    assert_eq!(settings.kafka.poll, Duration::from_secs(1));
    assert_eq!(settings.admin.listen.to_string(), "127.0.0.1:3");
    assert_eq!(
        settings.telemetry,
        TelemetrySettings {
            format: LogFormat::Json,
            ..Default::default()
        }
    );
    assert_eq!(settings.kafka.brokers, Kafka::default().brokers);
}

#[test]
fn texts_of_environment_and_flags_take_the_type_of_their_key() {
    let sources = Sources::defaults()
        .with_environment([
            ("CROSSWALK__KAFKA__CLIENT_ID", "007"),
            ("CROSSWALK__KAFKA__COMPRESS", "false"),
            ("CROSSWALK__KAFKA__SHARE", "0.25"),
            ("CROSSWALK__KAFKA__RATE", "50"),
            ("CROSSWALK__KAFKA__POLL", "90s"),
            ("CROSSWALK__CLUSTERS__MAIN__HOST", "12"),
            ("CROSSWALK__CLUSTERS__MAIN__PORT", "9092"),
        ])
        .with_overrides(overrides(["kafka.brokers=one:9092, two:9092"]));
    let settings: Example = load(&sources).expect("every text is a value of its type");
    let expected = Kafka {
        brokers: vec!["one:9092".to_owned(), "two:9092".to_owned()],
        client_id: "007".to_owned(),
        lanes: 8,
        compress: false,
        share: 0.25,
        rate: Some(50),
        poll: Duration::from_secs(90),
    };
    assert_eq!(settings.kafka, expected);
    assert_eq!(
        settings.clusters["main"],
        Cluster {
            host: "12".to_owned(),
            port: 9092
        }
    );
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Tagged {
    store: Store,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Store {
    #[default]
    Memory,
    Disk {
        path: String,
        megabytes: u32,
    },
}

impl Validate for Tagged {
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

#[test]
fn enum_with_a_tag_takes_texts_as_well() {
    let disk = overrides(["store.kind=disk", "store.path=data", "store.megabytes=64"]);
    let settings: Tagged = load(&Sources::defaults().with_overrides(disk)).expect("a disk");
    assert_eq!(
        settings.store,
        Store::Disk {
            path: "data".to_owned(),
            megabytes: 64
        }
    );
    let unknown = load::<Tagged>(&Sources::defaults().with_overrides(overrides(["store.kind=tape"])));
    let unknown = unknown.expect_err("no such store").to_string();
    assert!(
        unknown.contains("unknown variant `tape`, expected `memory` or `disk`"),
        "{unknown}"
    );
}

#[test]
fn lists_are_written_as_toml_or_with_commas() {
    for (text, expected) in [("['a,b', 'c']", vec!["a,b", "c"]), ("a:1", vec!["a:1"]), ("[]", vec![])] {
        let sources = Sources::defaults().with_environment([("CROSSWALK__KAFKA__BROKERS", text)]);
        assert_eq!(
            load::<Example>(&sources).expect("a list").kafka.brokers,
            expected,
            "from {text}"
        );
    }
}

#[test]
fn empty_variable_counts_as_not_set_and_other_prefixes_are_passed_over() {
    let variables = [
        ("CROSSWALK__KAFKA__CLIENT_ID", ""),
        ("CROSSWALK_TEST_KAFKA", "x"),
        ("crosswalk__kafka__lanes", "9"),
    ];
    let settings: Example = load(&Sources::defaults().with_environment(variables)).expect("nothing was set");
    assert_defaults(&settings);
}

#[test]
fn override_needs_a_key_and_an_equals_sign() {
    assert_eq!("a.b=c=d".parse(), Ok(Override::new("a.b", "c=d")));
    assert_eq!("a.b=".parse(), Ok(Override::new("a.b", "")));
    for wrong in ["", "a", "=b", "a..b=c"] {
        assert_eq!(wrong.parse::<Override>(), Err(OverrideError), "{wrong}");
    }
}

#[test]
fn redacted_toml_can_be_loaded_again() {
    let text = redacted_toml(&Example::default());
    let (_directory, path) = file(&text);
    let settings: Example = load(&Sources::defaults().with_file(path)).expect("the dump is a configuration");
    assert_defaults(&settings);
}
