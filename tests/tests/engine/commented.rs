//! The commented reference, heatd.toml, names every setting of the rules that a new configuration has, with its default.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use heat_engine::cases::given;
use heat_engine::wit::{Setting, SettingKind};
use heat_engine::{Given, Rule, parse_duration};

use crate::stage::{loaded, patient, root, sandbox};

#[test]
fn the_reference_names_every_setting_of_its_rules_with_its_default() -> Result<()> {
    let reference: toml::Table =
        std::fs::read_to_string(root().join("host/heatd/heatd.toml"))?.parse()?;
    let tables = reference["rule"].as_array().context("there are no rules")?;
    let mut found = BTreeSet::new();
    for table in tables {
        let file = table["file"].as_str().context("a file is no text")?;
        let name = file.trim_start_matches("rules/").trim_end_matches(".wasm");
        let settings = table["settings"].as_table().context("settings are no table")?;
        let settings: Vec<(String, Given)> = settings
            .iter()
            .map(|(name, value)| Ok((name.clone(), given(value).map_err(anyhow::Error::msg)?)))
            .collect::<Result<_>>()?;
        hold(name, &settings)?;
        found.insert(name.to_owned());
    }
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["decay", "fave", "multiplier"]);
    Ok(())
}

fn hold(rule: &str, settings: &[(String, Given)]) -> Result<()> {
    let component = loaded(rule)?;
    Rule::new(&*sandbox()?, &Arc::new(patient()), &component, settings)?;
    for setting in &component.description.settings {
        let name = &setting.name;
        let (_, told) = settings
            .iter()
            .find(|(told, _)| told == name)
            .with_context(|| format!("{rule}: {name} is missing"))?;
        ensure!(is_default(setting, told)?, "{rule}: {name} = {told:?}, but {:?}", setting.kind);
    }
    Ok(())
}

fn is_default(setting: &Setting, told: &Given) -> Result<bool> {
    let text = |text: &String| Given::Text(text.clone());
    Ok(match (&setting.kind, told) {
        (SettingKind::Duration(kind), Given::Text(told)) => {
            parse_duration(told).map_err(anyhow::Error::msg)? == kind.default
        }
        (SettingKind::Boolean(default), told) => *told == Given::Boolean(*default),
        (SettingKind::Integer(kind), told) => *told == Given::Integer(kind.default),
        (SettingKind::Number(kind), told) => *told == Given::Float(kind.default),
        (SettingKind::Text(kind), told) => *told == text(&kind.default),
        (SettingKind::Choice(kind), told) => kind.choices.first().map(text).as_ref() == Some(told),
        (SettingKind::Texts(default), told) => {
            *told == Given::List(default.iter().map(text).collect())
        }
        (SettingKind::Numbers(default), told) => {
            let number = |(name, number): &(String, f64)| (name.clone(), Given::Float(*number));
            *told == Given::Table(default.iter().map(number).collect())
        }
        _ => false,
    })
}
