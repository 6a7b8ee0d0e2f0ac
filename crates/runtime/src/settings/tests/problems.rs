//! Wrong settings: what is reported, and where it was set.

use super::*;

#[test]
fn text_stays_text_when_something_else_is_missing() {
    let sources = Sources::defaults().with_environment([("CROSSWALK__CLUSTERS__MAIN__HOST", "12")]);
    let origin = "environment variable CROSSWALK__CLUSTERS__MAIN__HOST";
    assert_eq!(
        problems(&sources),
        [format!("`clusters.main` ({origin}): missing field `port`")]
    );
}

const WRONG_FILE: &str = "
[telemetry]
format = 'xml'
level = 'info,='
[kafka]
lanes = 'many'
poll = 5
[kafkaa]
lanes = 1
[shutdown]
drain_deadline = '0s'
";

#[test]
fn all_problems_of_all_layers_are_reported_at_once() {
    let (_directory, path) = file(WRONG_FILE);
    let file = format!("(file {})", path.display());
    let variable = "(environment variable CROSSWALK__";
    let variables = [
        ("CROSSWALK__ADMIN__LISTN", "x"),
        ("CROSSWALK__KAFKA__COMPRESS", "perhaps"),
    ];
    let sources = Sources::defaults()
        .with_file(path)
        .with_environment(variables)
        .with_overrides(overrides(["admin.listen=localhost", "kafka.lane=3"]));
    let mut found = problems(&sources);
    found.sort();
    let expected = [
        r#"`admin.listen` (flag --set admin.listen): invalid socket address syntax (default: "127.0.0.1:9464")"#
            .to_owned(),
        format!("`admin.listn` {variable}ADMIN__LISTN): unknown field `listn`, expected `listen`"),
        format!("`kafka.compress` {variable}KAFKA__COMPRESS): invalid type: string \"perhaps\", expected a boolean"),
        "`kafka.lane` (flag --set kafka.lane): unknown key, expected one of `brokers`, `client_id`".to_owned(),
        format!("`kafka.lanes` {file}: invalid type: string \"many\", expected u16 (default: 8)"),
        format!("`kafka.poll` {file}: invalid type: integer `5`, expected a duration"),
        format!("`kafkaa` {file}: unknown field `kafkaa`, expected one of `telemetry`, `admin`"),
        format!("`shutdown.drain_deadline` {file}: must be longer than zero"),
        format!("`telemetry.format` {file}: unknown variant `xml`, expected `human` or `json`"),
        format!("`telemetry.level` {file}: expected error, warn, info, debug or trace"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!(found.starts_with(expected), "{found}\nis not {expected}");
    }
}

#[test]
fn incomplete_entry_of_a_map_is_reported_once_and_whole() {
    let (_directory, path) = file(
        "[clusters.one]\nhost = 'a'\n[clusters.two]\nhost = 1\nport = 'b'\n[clusters.three]\nhost = 'c'\nport = 1\n",
    );
    let shown = path.display();
    assert_eq!(
        problems(&Sources::defaults().with_file(&path)),
        [
            format!("`clusters.one` (file {shown}): missing field `port`"),
            format!("`clusters.two.host` (file {shown}): invalid type: integer `1`, expected a string"),
            format!("`clusters.two.port` (file {shown}): invalid type: string \"b\", expected u16"),
        ]
    );
}

#[test]
fn every_element_of_a_list_is_looked_at_and_keeps_its_index() {
    let (_directory, path) = file(
        "[[mirrors]]\nhost = 'a'\n[[mirrors]]\nhost = 'b'\nport = 'x'\n[[mirrors]]\nhost = 'c'\nport = 1\n[[mirrors]]\nhost = 'd'\nport = 1\ncolour = 'red'\n",
    );
    let sources = Sources::defaults()
        .with_file(&path)
        .with_overrides(overrides(["keys=[31337, 'a']"]));
    let shown = path.display();
    assert_eq!(
        problems(&sources),
        [
            "`keys[0]` (flag --set keys): expected a secret in quotes, or a table with `file` or `environment`"
                .to_owned(),
            format!("`mirrors[0]` (file {shown}): missing field `port`"),
            format!("`mirrors[1].port` (file {shown}): invalid type: string \"x\", expected u16"),
            format!("`mirrors[3].colour` (file {shown}): unknown field `colour`, expected `host` or `port`"),
        ]
    );
}

#[test]
fn broken_rule_names_the_layer_that_broke_it() {
    let sources = Sources::defaults().with_environment([("CROSSWALK__KAFKA__LANES", "0")]);
    assert_eq!(
        problems(&sources),
        ["`kafka.lanes` (environment variable CROSSWALK__KAFKA__LANES): must be at least 1"]
    );
}

#[test]
fn missing_file_and_bad_toml_are_problems_beside_the_others() {
    let wrong = [("CROSSWALK__KAFKA__LANES", "many")];
    let missing = problems(&Sources::defaults().with_file("/nowhere/c.toml").with_environment(wrong));
    assert_eq!(missing.len(), 2, "{missing:#?}");
    assert!(
        missing[0].starts_with("`--config` (file /nowhere/c.toml): cannot be read: "),
        "{missing:#?}"
    );

    let (_directory, path) = file("[admin]\npassword = 'hunter2\n");
    let bad = problems(&Sources::defaults().with_file(path).with_environment(wrong));
    assert!(bad[0].contains("is not TOML: line 2: "), "{bad:#?}");
    assert!(!bad[0].contains("hunter2"), "the line may hold a secret: {bad:#?}");
    assert_eq!(bad.len(), 2, "{bad:#?}");
}

#[test]
fn malformed_variable_name_is_a_problem() {
    let found = problems(&Sources::defaults().with_environment([("CROSSWALK__KAFKA____LANES", "1")]));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("CROSSWALK__KAFKA____LANES"), "{found:#?}");
}

#[test]
fn section_in_place_of_a_value_and_the_reverse_are_problems() {
    let found = problems(&Sources::defaults().with_overrides(overrides(["kafka=fast", "admin.listen.port=1"])));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].starts_with("`admin.listen` (flag --set admin.listen.port)"),
        "{found:#?}"
    );
    assert!(found[1].starts_with("`kafka` (flag --set kafka)"), "{found:#?}");
}

#[test]
fn one_problem_fits_one_line_and_several_are_listed() {
    let one = SettingsError::from(Problem::new("a", "must be positive"));
    assert_eq!(
        one.to_string(),
        "the configuration is not valid: `a` (default): must be positive"
    );
    let two = SettingsError::new(vec![
        Problem::new("a", "x"),
        Problem::new("b", "y").within("c").set_by("file f"),
    ]);
    assert_eq!(
        two.to_string(),
        "the configuration has 2 problems:\n  `a` (default): x\n  `c.b` (file f): y"
    );
}
