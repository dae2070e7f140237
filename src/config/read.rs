//! Reading the configuration: defaults, then the file, then the environment.
//!
//! Promises: every unknown key, wrong type and wrong value is found in one go. Never: shows a value (it may be secret).

use super::{Config, DEFAULTS};
use std::fmt;
use std::path::Path;
use toml::{Table, Value};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// `section.key`; empty for a whole file.
    pub key: String,
    /// Where it was set: `mezhved.toml line 3`, or the name of an environment variable.
    pub place: String,
    /// What to do.
    pub hint: String,
}

/// Everything that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            let line = if place == 0 { "" } else { "\n" };
            let key = if fault.key.is_empty() { String::new() } else { format!("`{}`: ", fault.key) };
            write!(out, "{line}{}: {key}{}", fault.place, fault.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFaults {}

/// Reads it all.
pub(super) fn read(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigFaults> {
    let defaults: Table = DEFAULTS.parse().map_err(|error: toml::de::Error| whole("defaults", error.message()))?;
    let mut faults = Vec::new();
    let mut merged = defaults.clone();
    if let Some(file) = file {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| whole(&name, &format!("cannot be read: {error}")))?;
        let own: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            whole(&format!("{name} line {line}"), error.message())
        })?;
        merge(&mut merged, (&defaults, own), |key| format!("{name} line {}", line_of(&text, key)), &mut faults);
    }
    for (name, value) in environment {
        set_from_environment(&mut merged, &defaults, (&name, value), &mut faults);
    }
    if faults.is_empty() {
        // Each remaining fault is of a value whose type is right: serde names it.
        match Value::Table(merged).try_into::<Config>() {
            Ok(config) => return Ok(config),
            Err(error) => faults.push(fault("", "configuration", error.message())),
        }
    }
    Err(ConfigFaults(faults))
}

fn whole(place: &str, hint: &str) -> ConfigFaults {
    ConfigFaults(vec![fault("", place, hint)])
}

fn fault(key: &str, place: &str, hint: &str) -> ConfigFault {
    ConfigFault { key: key.to_owned(), place: place.to_owned(), hint: hint.to_owned() }
}

/// Lays a file's values over the defaults; a key that has no default does not exist.
fn merge(
    merged: &mut Table,
    (defaults, own): (&Table, Table),
    place: impl Fn(&str) -> String,
    faults: &mut Vec<ConfigFault>,
) {
    for (section, values) in own {
        let (Some(Value::Table(known)), Value::Table(values)) = (defaults.get(&section), values) else {
            let sections: Vec<&str> = defaults.keys().map(String::as_str).collect();
            faults.push(fault(
                &section,
                &place(&section),
                &format!("no such section; there are: {}", sections.join(", ")),
            ));
            continue;
        };
        for (name, value) in values {
            let key = format!("{section}.{name}");
            match check(known, &name, &value) {
                Ok(()) => set(merged, (&section, name), value),
                Err(hint) => faults.push(fault(&key, &place(&key), &hint)),
            }
        }
    }
}

fn set(merged: &mut Table, (section, name): (&str, String), value: Value) {
    if let Some(Value::Table(section)) = merged.get_mut(section) {
        section.insert(name, value);
    }
}

fn check(known: &Table, name: &str, value: &Value) -> Result<(), String> {
    let Some(default) = known.get(name) else {
        let keys: Vec<&str> = known.keys().map(String::as_str).collect();
        let nearest = keys.iter().find(|key| key.contains(name) || name.contains(**key));
        let hint = nearest.map(|key| format!("did you mean `{key}`? ")).unwrap_or_default();
        return Err(format!("no such key; {hint}there are: {}", keys.join(", ")));
    };
    if default.same_type(value) {
        Ok(())
    } else {
        Err(format!("must be a {}, not a {}", default.type_str(), value.type_str()))
    }
}

/// The line of `section.key`, or of a section, in a file; the first where it cannot be found.
fn line_of(text: &str, key: &str) -> usize {
    let (section, name) = key.split_once('.').unwrap_or((key, ""));
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            inside = header.trim_end_matches(']').trim() == section;
            if inside && name.is_empty() {
                return number + 1;
            }
        } else if inside && line.split('=').next().is_some_and(|left| left.trim() == name) {
            return number + 1;
        }
    }
    1
}

/// `MEZHVED__SECTION__KEY`, or `…_FILE` with the path of a file that holds the value.
fn set_from_environment(
    merged: &mut Table,
    defaults: &Table,
    (name, value): (&str, String),
    faults: &mut Vec<ConfigFault>,
) {
    let Some((section, key)) = name.trim_start_matches("MEZHVED__").split_once("__") else {
        return faults.push(fault("", name, "write it as MEZHVED__SECTION__KEY"));
    };
    let (section, key) = (section.to_lowercase(), key.to_lowercase());
    let Some(Value::Table(known)) = defaults.get(&section) else {
        return faults.push(fault(&section, name, "no such section"));
    };
    let (key, value) = match key.strip_suffix("_file").filter(|bare| known.contains_key(*bare)) {
        None => (key, value),
        Some(bare) => match std::fs::read_to_string(&value) {
            Ok(text) => (bare.to_owned(), text.trim_end().to_owned()),
            Err(error) => return faults.push(fault(bare, name, &format!("its file cannot be read: {error}"))),
        },
    };
    let full = format!("{section}.{key}");
    match known.get(&key).map(|default| of_type(default, &value)) {
        Some(Ok(value)) => set(merged, (&section, key), value),
        Some(Err(hint)) => faults.push(fault(&full, name, &hint)),
        None => faults.push(fault(&full, name, "no such key")),
    }
}

/// Text from the environment as a value of the default's type; lists are separated by commas.
fn of_type(default: &Value, text: &str) -> Result<Value, String> {
    match default {
        Value::Integer(_) => text.parse().map(Value::Integer).map_err(|_| "must be an integer".to_owned()),
        Value::Boolean(_) => text.parse().map(Value::Boolean).map_err(|_| "must be true or false".to_owned()),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        _ => Ok(Value::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("mezhved-config-{}-{}.toml", std::process::id(), text.len()));
        assert!(std::fs::write(&path, text).is_ok());
        path
    }

    #[test]
    fn the_defaults_are_a_whole_configuration() {
        let read = read(None, std::iter::empty());
        assert!(read.is_ok(), "{read:?}");
    }

    #[test]
    fn all_faults_are_reported_at_once_with_line_and_hint() {
        let path = file("[http]\nlistenn = 1\n[amqp]\nprefetch = \"many\"\n[nothing]\nx = 1\n");
        let environment = [("MEZHVED__LOG__COLOUR".to_owned(), "red".to_owned())];
        let faults = read(Some(&path), environment.into_iter()).err().map(|faults| faults.to_string());
        let text = faults.unwrap_or_default();
        for part in ["line 2: `http.listenn`", "did you mean `listen`", "line 4: `amqp.prefetch`", "must be a integer"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.contains("line 5: `nothing`: no such section"), "{text}");
        assert!(text.contains("MEZHVED__LOG__COLOUR: `log.colour`: no such key"), "{text}");
    }

    #[test]
    fn a_secret_comes_from_a_file_and_is_not_printed() {
        let path = file("amqp://user:pa55w0rd@host\n");
        let name = "MEZHVED__AMQP__URL_FILE".to_owned();
        let config = read(None, [(name, path.display().to_string())].into_iter());
        assert!(
            config.as_ref().is_ok_and(|config| config.amqp.url.expose() == "amqp://user:pa55w0rd@host"),
            "{config:?}"
        );
        assert!(!format!("{config:?}").contains("pa55w0rd"));
    }
}
